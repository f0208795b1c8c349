"""``python -m benchmarks.campaign``: its mistakes, its exit codes, results added, a report made."""

from pathlib import Path

import pytest
from made_results import point_in, result

from agent.errors import DamagedDataError, MachineError, UserError
from agent.files.json_files import write_json
from benchmarks.campaign.__main__ import main
from benchmarks.campaign.campaign import Campaign
from benchmarks.campaign.curve_points import keep_point
from benchmarks.campaign.tables import EPISODES, read_runs

RESULTS = str(Path(__file__).parents[2] / "results")
Output = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["plan", "--controllers", "sak"], "'sac'"),
        (["measure", "--protocols", "anywere"], "anywhere"),
        (["curves", "--episodes", "0"], "at least 1"),
        (["plan", "--training-seeds", "-1"], "none negative"),
        (["report", "no-such-place"], "directory of results"),
        (["plan", "--controllers", "sac-dmc", "--protocols", "lewm"], "no such run"),
        (["curves", "--protocols", "lewm"], "no such curve"),
        (["measure", "--out", "/proc/x"], "--out"),
        (["curves", "--out", "/proc/x"], "--out"),
        (["report", RESULTS, "--out", "/proc/x/page.html"], "--out"),
        (["add", "no-such-file"], "no-such-file"),
        (["sing"], "invalid choice"),
    ],
)
def test_mistakes_are_named(
    words: list[str], named: str, capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert named in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (UserError("u"), 2), (DamagedDataError("d"), 3), (MachineError("m"), 4),
        (KeyboardInterrupt(), 130),
    ],
)  # fmt: skip
def test_each_failure_has_its_exit_code(
    failure: BaseException, code: int, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Campaign) -> None:
        raise failure

    monkeypatch.setattr(Campaign, "run", fail)
    assert main(["measure", "--workers", "1"]) == code
    said = capsys.readouterr().err
    assert "Traceback" not in said and len(said.strip()) > len("error: ")


def test_what_is_asked_reaches_the_campaign(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Campaign] = []
    monkeypatch.setattr(Campaign, "run", lambda self: asked.append(self))
    for words in ("plan", "measure --again --controllers sac td3", "curves --dry --episodes 5"):
        assert main(words.split()) == 0
    plan, measure, curves = asked
    assert plan.plan and not plan.curves and plan.place == Path("results/comparison")
    assert measure.again and not measure.plan and measure.controllers == ("sac", "td3")
    assert curves.plan and curves.curves and curves.count == 5


def test_results_are_added_but_not_of_another_world(tmp_path: Path, capsys: Output) -> None:
    for name, world in (("ours", "kitchen"), ("theirs", "garden")):
        write_json(tmp_path / f"{name}.json", result(world=world))
    out = tmp_path / "tables"
    assert main(["add", str(tmp_path / "ours.json"), "--out", str(out)]) == 0
    assert "lewm/sac/0" in capsys.readouterr().out
    assert main(["add", str(tmp_path / "theirs.json"), "--out", str(out)]) == 2
    assert "got one in garden" in capsys.readouterr().err.replace("\n", " ")
    assert [run["world"] for run in read_runs(out)] == ["kitchen"]


def fill(results: Path) -> None:
    """A comparison with one run that nobody asked for, a curve with one point."""
    write_json(results / "r.json", result(protocol="somebody's"))
    assert main(["add", str(results / "r.json"), "--out", str(results / "comparison")]) == 0
    keep_point(point_in(results / "curves"), result())


def test_a_report_is_made_from_tables_alone(tmp_path: Path, capsys: Output) -> None:
    fill(tmp_path)
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- curves:begin -->\n<!-- curves:end -->\nb\n", encoding="utf-8")
    assert main(["report", str(tmp_path), "--pages", str(page)]) == 0
    assert "1 points in all" in page.read_text(encoding="utf-8")
    assert (tmp_path / "curves" / "lewm.png").exists()
    shown = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "planners.json: not there yet" in shown and "identifiability: not there yet" in shown
    assert "curves: not there yet" not in shown
    assert "td3, 54 runs: lewm, swift, anywhere" in shown  # three seeds of 18 protocols
    assert "wrote the tables of" in capsys.readouterr().out


def test_a_report_of_a_strange_file_writes_nothing(tmp_path: Path, capsys: Output) -> None:
    fill(tmp_path)
    before = (tmp_path / "comparison" / EPISODES).read_bytes()
    (tmp_path / "planners.json").write_text("[]")
    assert main(["report", str(tmp_path)]) == 2
    (tmp_path / "planners.json").unlink()
    (tmp_path / "comparison" / EPISODES).write_bytes(b"torn")
    assert main(["report", str(tmp_path)]) == 2
    assert "gzip" in capsys.readouterr().err
    (tmp_path / "comparison" / EPISODES).write_bytes(before)
    assert main(["report", str(tmp_path), "--pages", str(tmp_path / "none.md")]) == 2
    assert not (tmp_path / "report.html").exists()
