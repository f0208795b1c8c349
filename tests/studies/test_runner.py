"""The frame: resuming, refusing, counting, and the command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import studies.figures
from agent.errors import DamagedDataError, UserError
from studies import catalogue
from studies.__main__ import main
from studies.command import StudyName
from studies.intervals import mean_interval
from studies.law_study import margin
from studies.records import read_study
from studies.runner import Runner
from studies.study import Preset, Row, Settings, Study, bar, seeds_of

ROOT = Path(__file__).parents[2]
Output = pytest.CaptureFixture[str]


def toy_study(measured: list[int], size: int = 4) -> Study:
    """Numbers that depend on the seed alone; notes which were measured."""

    def jobs(preset: Preset) -> list[dict[str, Any]]:
        return [{"seed": seed} for seed in range(size if preset == "quick" else size + 1)]

    def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
        assert scratch.is_dir()
        (scratch / "left behind").touch()
        measured.append(settings["seed"])
        return {"value": seeds_of(settings["seed"])[0] % 1000}

    def conclude(rows: Sequence[Row]) -> dict[str, Any]:
        mean = mean_interval([row["value"] for row in rows])
        return {"mean": mean, "bars": {"mean": bar(mean["mean"] or 0, "any", True)}}

    return Study("toy", "Numbers.", jobs, measure, conclude)


def figures(result: dict[str, Any]) -> dict[str, Any]:
    return {name: result[name] for name in ("summary", "rows", "study", "preset")}


def test_resuming_repeats_nothing_and_ends_the_same(tmp_path: Path) -> None:
    whole, cut = [], []
    uninterrupted = Runner(toy_study(whole), "quick", tmp_path / "a")
    list(uninterrupted.run())
    reports = Runner(toy_study(cut), "quick", tmp_path / "b").run()
    assert [next(reports).done for _ in range(3)] == [0, 1, 2]
    reports.close()  # type: ignore[attr-defined]
    resumed = Runner(toy_study(cut), "quick", tmp_path / "b")
    assert [report.done for report in resumed.run()] == [2, 3, 4]
    assert cut == whole == [0, 1, 2, 3]
    assert figures(resumed.result("again")) == figures(uninterrupted.result("once"))
    assert not list((tmp_path / "b" / "toy" / "scratch").iterdir())


def test_fewer_seeds_are_the_first_ones_and_more_go_on_from_them(tmp_path: Path) -> None:
    measured: list[int] = []
    few = Runner(toy_study(measured), "quick", tmp_path, seeds=2)
    list(few.run())
    assert [row["seed"] for row in few.result("few")["rows"]] == measured == [0, 1]
    whole = Runner(toy_study(measured), "quick", tmp_path)
    list(whole.run())
    assert [row["seed"] for row in whole.result("all")["rows"]] == measured == [0, 1, 2, 3]


@pytest.mark.parametrize(("study", "most"), [("worlds", 3), ("latent", 1), ("all", 3)])
def test_more_seeds_than_there_are_are_refused(
    study: str, most: int, tmp_path: Path, capsys: Output
) -> None:
    words = [study, "--seeds", "99", "--out", str(tmp_path / "out"), "--workers", "1"]
    assert main(words) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"--seeds of at most {most}, as many as --preset quick" in said
    assert not list(tmp_path.iterdir())


def test_a_torn_line_is_done_again(tmp_path: Path) -> None:
    measured: list[int] = []
    list(Runner(toy_study(measured), "quick", tmp_path).run())
    path = tmp_path / "toy" / "rows.jsonl"
    path.write_text(path.read_text()[:-5])
    list(Runner(toy_study(measured), "quick", tmp_path).run())
    assert measured == [0, 1, 2, 3, 3]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    list(Runner(toy_study([]), "quick", tmp_path).run())
    path = tmp_path / "toy" / "rows.jsonl"
    path.write_text("{}\n" + path.read_text())
    with pytest.raises(DamagedDataError, match=r"rows\.jsonl, line 1"):
        list(Runner(toy_study([]), "quick", tmp_path).run())


def test_other_settings_in_the_same_place_are_refused(tmp_path: Path) -> None:
    Runner(toy_study([]), "quick", tmp_path)
    with pytest.raises(UserError, match=r"'full'.*'quick'.*another --out"):
        Runner(toy_study([]), "full", tmp_path)


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    first = Runner(toy_study([]), "quick", tmp_path).run()
    next(first)
    with pytest.raises(UserError, match="is writing"):
        list(Runner(toy_study([]), "quick", tmp_path).run())


def test_a_result_says_where_it_comes_from(tmp_path: Path) -> None:
    runner = Runner(toy_study([]), "quick", tmp_path)
    list(runner.run())
    runner.result("python -m studies toy")
    found = read_study(tmp_path / "toy.json")
    assert found["command"] == "python -m studies toy"
    assert [row["seed"] for row in found["rows"]] == [0, 1, 2, 3]
    assert {"commit", "hardware", "date", "versions", "wall_clock_s"} <= found.keys()


@pytest.mark.parametrize("content", [None, "nonsense", "{}", '{"schema": "other"}', "[]"])
def test_what_is_no_result_is_refused(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match="expected"):
        read_study(path)


@pytest.fixture
def short_bound(tmp_path: Path) -> Iterator[list[str]]:
    """The command for the study ``bound`` cut to two steps a run, in a process of its own."""
    script = (
        "import sys\n"
        "from studies.__main__ import main\n"
        "from studies import bound_study as b\n"
        "b.STEPS['quick'], b.WEIGHTS['quick'], b.RHOS['quick'] = 2, (0.01, 0.1), (0.5, 0.9)\n"
        "if __name__ == '__main__':\n"
        f"    sys.exit(main(['bound', '--out', {str(tmp_path)!r},"
        " '--workers', '1']))\n"
    )
    path = tmp_path / "short.py"
    path.write_text(script)
    yield [sys.executable, str(path)]


def test_the_command_survives_ctrl_c_and_continues(short_bound: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    rows = tmp_path / "bound" / "rows.jsonl"
    process = subprocess.Popen(
        short_bound, env=environment, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    while not rows.exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    if process.returncode == 130:  # else it had finished before the signal came
        assert "run the same command again" in told
    kept = rows.read_text()
    done = subprocess.run(short_bound, env=environment, capture_output=True, text=True, check=True)
    assert rows.read_text().startswith(kept)
    assert "bound violated" in done.stdout
    assert len(json.loads((tmp_path / "bound.json").read_text())["rows"]) == 4
    assert (tmp_path / "bound.png").read_bytes().startswith(b"\x89PNG")


def test_every_study_has_a_name_a_figure_and_a_place(capsys: Output) -> None:
    assert set(typing.get_args(StudyName)) == {*catalogue.HOMES, "all"}
    assert set(studies.figures.HOMES) == set(catalogue.HOMES)
    with pytest.raises(UserError, match="worlds, scaling"):
        catalogue.load("words")
    assert main(["words"]) == 2


@pytest.mark.parametrize(
    "name",
    ["worlds", "scaling", "law", "bound", "conditions", "circles", "circle-law", "closed-loop"],
)
@pytest.mark.parametrize("preset", ["quick", "full"])
def test_runs_differ_and_are_json(name: str, preset: Preset) -> None:
    jobs = catalogue.load(name).jobs(preset)
    assert len({json.dumps(job, sort_keys=True) for job in jobs}) == len(jobs)
    assert all("seed" in job for job in jobs)


def test_an_interval_is_students() -> None:
    """Of 1, 2, 3: mean 2, half-width 4.303/√3."""
    found = mean_interval([1.0, 2.0, 3.0])
    assert (found["mean"], found["n"]) == (2.0, 3)
    assert found["high"] == pytest.approx(2 + 4.3027 / 3**0.5, rel=1e-4)
    assert mean_interval([5.0])["low"] is None
    with pytest.raises(ValueError, match="finite"):
        mean_interval([float("nan")])


def test_a_bound_is_broken_only_beyond_chance() -> None:
    row = {"bound": 1.0, "procrustes_standard_error": 0.1, "rho": 0.9, "seed": 0}
    rows = [{**row, "procrustes_error": error} for error in (0.5, 1.2, 1.4)]
    found = catalogue.load("bound").conclude(rows)
    assert [one["procrustes_error"] for one in found["violations"]] == [1.4]
    assert found["above_within_chance"] == 1
    assert not found["bars"]["bound violated, runs"]["reached"]


def test_the_margin_is_within_a_seed() -> None:
    rows = [
        {"seed": seed, "shape": shape, "r2": r2}
        for seed, scores in ((0, (0.9, 1.0, 0.8)), (1, (0.7, 0.9, 0.6)))
        for shape, r2 in zip((1.0, 2.0, 4.0), scores, strict=True)
    ]
    assert margin(rows)["mean"] == pytest.approx(0.15)
