"""What a user has is not written over by a file of ours that has the same name."""

from pathlib import Path

import pytest

import run_agent
from studies import __main__ as studies

TINY = "--preset tiny --steps 2 --head.steps 1 --threads 1"
Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("users") / "data"
    words = f"collect --world two-room --out {place} --episodes 4 --episode-steps 24 --workers 1"
    assert run_agent.main(words.split()) == 0
    return place


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (f"train --data DATA {TINY}", "curves.png"),
        (f"train --data DATA {TINY}", "metrics.jsonl"),
        (f"train --data DATA {TINY}", "config.toml"),
        ("baseline --world two-room --env-steps 800", "metrics.jsonl"),
        ("sweep --data DATA --training.steps 2,3", "table.md"),
        ("sweep --data DATA --training.steps 2,3", "sweep.png"),
        ("demo --world two-room --preset tiny --rollouts 4", "report.html"),
        ("demo --world two-room --preset tiny --rollouts 4", "film-2.webm"),
    ],
)
def test_a_file_of_theirs_is_in_the_way(
    words: str, name: str, data: Path, tmp_path: Path, capsys: Output
) -> None:
    (tmp_path / name).write_text("mine\n")
    given = words.replace("DATA", str(data)).split()
    assert run_agent.main([*given, "--out", str(tmp_path)]) == 2
    assert name in capsys.readouterr().err
    assert (tmp_path / name).read_text() == "mine\n"
    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == [name]


def test_ours_are_written_over_when_a_run_was_killed_early(data: Path, tmp_path: Path) -> None:
    """Before its first state: there are reports and settings, and nothing to resume."""
    given = f"train --data {data} {TINY} --out {tmp_path}".split()
    assert run_agent.main(given) == 0
    for bundle in ("checkpoint", "training_state"):
        (tmp_path / bundle).rename(tmp_path.parent / f"{tmp_path.name}-{bundle}")
    assert run_agent.main(given) == 0


@pytest.mark.parametrize("words", ["sweep --data DATA --training.steps 2,3", "studies worlds"])
def test_nothing_else_is_put_into_a_data_set(words: str, data: Path, capsys: Output) -> None:
    before = sorted(data.rglob("*"))
    name, *given = [*words.replace("DATA", str(data)).split(), "--out", str(data)]
    code = studies.main(given) if name == "studies" else run_agent.main([name, *given])
    assert code == 2 and "got a data set" in capsys.readouterr().err
    assert sorted(data.rglob("*")) == before


def test_a_study_replaces_no_result_of_other_runs(tmp_path: Path, capsys: Output) -> None:
    published = Path(__file__).parents[1] / "results" / "identifiability" / "worlds.json"
    mine = tmp_path / "worlds.json"
    mine.write_bytes(published.read_bytes())
    assert studies.main(["worlds", "--seeds", "1", "--out", str(tmp_path)]) == 2
    assert "choose another --out" in capsys.readouterr().err
    assert mine.read_bytes() == published.read_bytes()
