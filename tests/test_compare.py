"""A comparison goes on where it stopped, and says what it lacks."""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import run_agent
from agent.commands import comparing, measuring
from agent.commands.checkpoints import SHIPPED, finished_checkpoint
from agent.commands.compare import Compare
from agent.commands.comparing import DONE, OUTDATED, READY, UNTRAINED, states_of
from agent.commands.controllers import CONTROLLERS, Acting, Learned, checkpoint_for
from agent.commands.curving import checkpoints_along, points_of
from agent.commands.evaluate import Measurement
from agent.commands.matrix import COMPARED, PROTOCOLS, TRAININGS, wanted_cells
from agent.commands.progress import duration
from agent.commands.report_inputs import cells_in
from agent.errors import UserError
from agent.evaluation.curves import read_curve
from agent.evaluation.protocols import protocol_named
from agent.evaluation.results import read_result
from agent.model.bundle import write_bundle
from agent.model.checkpoint import checkpoint_facts

Output = pytest.CaptureFixture[str]


def small(
    out: Path, runs: Path, *controllers: str, plan: bool = False, training_seed: int = 0
) -> Compare:
    return Compare(
        out / "comparison", runs, controllers, ("anywhere",), (training_seed,),
        episodes=2, workers=1, plan=plan,
    )  # fmt: skip


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting processes takes seconds; one test does."""

    def measure(jobs: Sequence[Measurement], workers: int) -> Iterator[tuple[int, Any]]:
        for number, job in enumerate(jobs):
            yield number, job.run(lambda done, total, text="": None)

    monkeypatch.setattr(measuring, "measure_each", measure)


def make_checkpoint(place: Path, env_steps: int) -> None:
    config = {"schema": "somebody/9", "facts": {"env_steps": env_steps, "seconds": 1.0, "seed": 0}}
    write_bundle(place, {"config.json": json.dumps(config).encode()})


@pytest.mark.usefixtures("in_this_process")
def test_a_comparison_goes_on_where_it_stopped(tmp_path: Path, capsys: Output) -> None:
    asked = small(tmp_path, tmp_path / "runs", "noop", "random")
    for name in ("noop", "random"):
        small(tmp_path, tmp_path / "runs", name).run()
    files = sorted((tmp_path / "comparison").glob("*.json"))
    assert [path.name for path in files] == ["anywhere-noop.json", "anywhere-random.json"]
    before = [path.stat().st_mtime_ns for path in files]
    capsys.readouterr()
    asked.run()
    assert "to measure now: 0 of 2 files" in capsys.readouterr().out
    assert [path.stat().st_mtime_ns for path in files] == before
    assert read_result(files[0])["seed"] == 2000
    assert {cell.controller for cell in cells_in(tmp_path)[0]} == {"noop", "random"}


@pytest.mark.usefixtures("in_this_process")
def test_fewer_episodes_make_a_file_outdated_and_it_stays(tmp_path: Path, capsys: Output) -> None:
    asked = small(tmp_path, tmp_path / "runs", "noop")
    asked.run()
    more = Compare(asked.out, asked.runs, ("noop",), ("anywhere",), (0,), episodes=3)
    (state,) = states_of(more.wanted(), more.runs, more.place)
    assert state.progress == OUTDATED
    more.run()
    assert "remove it to measure again" in capsys.readouterr().out
    assert read_result(state.wanted.path)["episodes"] == 2


@pytest.mark.usefixtures("in_this_process")
def test_a_file_with_more_episodes_than_asked_is_done(tmp_path: Path) -> None:
    asked = small(tmp_path, tmp_path / "runs", "noop")
    asked.run()
    for episodes, seed, progress in ((1, 2000, DONE), (1, 2001, OUTDATED)):
        other = Compare(
            asked.out, asked.runs, ("noop",), ("anywhere",), (0,), episodes=episodes, seed=seed
        )
        assert states_of(other.wanted(), other.runs, other.place)[0].progress == progress


def test_a_refusal_costs_its_own_file_and_no_other(tmp_path: Path) -> None:
    make_checkpoint(tmp_path / "strange", 10)
    jobs = [
        Measurement("sac", tmp_path / "strange", "anywhere", 2, 5),
        Measurement("noop", None, "anywhere", 2, 5),
    ]
    found = dict(measuring.measure_each(jobs, 1))
    assert isinstance(found[0], Exception)
    assert not isinstance(found[1], Exception) and found[1]["controller"] == "noop"


def test_what_is_not_trained_is_told_how(tmp_path: Path, capsys: Output) -> None:
    runs = tmp_path / "runs"
    asked = small(tmp_path, runs, "world-model", "noop", plan=True, training_seed=7)
    asked.run()
    shown = capsys.readouterr().out
    assert f"collect --out {runs}/data-7 --seed 7" in shown
    assert f"train --data {runs}/data-7 --out {runs}/world-model-7 --seed 7" in shown
    took = duration(checkpoint_facts(SHIPPED)["training_s"])
    assert f"one training of world-model: {took}" in shown
    states = {s.wanted.controller: s for s in states_of(asked.wanted(), runs, asked.place)}
    assert states["noop"].progress == READY
    assert states["world-model"].progress == UNTRAINED
    assert not list(tmp_path.iterdir())
    make_checkpoint(runs / "world-model-7" / "checkpoint", 80_000)
    (state, _) = states_of(asked.wanted(), runs, asked.place)[::-1]
    assert state.progress == READY


def test_a_training_on_the_way_is_not_measured(tmp_path: Path) -> None:
    run = tmp_path / "run"
    untaught = {"model": {"head": {"width": 8}}, "facts": {"env_steps": 80_000}}
    on_the_way = {"facts": {"env_steps": 9, "trained_steps": 50, "settings": {"steps": 100}}}
    for config in (untaught, on_the_way, {"facts": {"env_steps": 299_999}}):
        write_bundle(run, {"config.json": json.dumps(config).encode()})
        with pytest.raises(UserError, match="one on the way"):
            finished_checkpoint(run, 300_000)
    finished = {**untaught, "facts": {"env_steps": 300_000, "head": {"steps": 1}}}
    write_bundle(run, {"config.json": json.dumps(finished).encode()})
    assert finished_checkpoint(run, 300_000) == run
    make_checkpoint(tmp_path / "sac-7" / "checkpoint", 299_000)
    asked = small(tmp_path, tmp_path, "sac", training_seed=7)
    assert states_of(asked.wanted(), tmp_path, asked.place)[0].progress == UNTRAINED


def test_a_finished_job_is_told_however_much_news_there_is() -> None:
    class Chatty:
        def get(self, timeout: float) -> tuple[int, int]:
            time.sleep(min(timeout, 0.01))
            return 1, 3

    done: Future[dict[str, Any]] = Future()
    done.set_result({})
    told: list[tuple[int, int]] = []
    watched = measuring._watch(
        [done, Future()],
        Chatty(),
        [5, 9],
        lambda *now: told.append(now[:2]),  # type: ignore[arg-type]
    )
    assert next(watched) == 0
    assert told == [(8, 14)]


def test_a_shipped_checkpoint_is_measured_where_there_is_no_training_of_ones_own(
    tmp_path: Path,
) -> None:
    asked, runs = small(tmp_path, tmp_path / "runs", "world-model"), tmp_path / "runs"
    (state,) = states_of(asked.wanted(), runs, asked.place)
    assert (state.progress, state.checkpoint) == (READY, SHIPPED)
    make_checkpoint(runs / "world-model-0" / "checkpoint", 80_000)
    (state,) = states_of(asked.wanted(), runs, asked.place)
    assert state.checkpoint == runs / "world-model-0" / "checkpoint"


def test_every_shipped_checkpoint_belongs_to_a_training() -> None:
    known = {training.shipped(seed) for training in TRAININGS for seed in (0, 1, 2)}
    assert {place for place in COMPARED.iterdir() if place.is_dir()} <= known


@pytest.mark.usefixtures("in_this_process")
def test_expected_time_follows_from_what_was_measured(tmp_path: Path) -> None:
    asked = small(tmp_path, tmp_path / "runs", "noop")
    asked.run()
    path = tmp_path / "comparison" / "anywhere-noop.json"
    path.write_text(json.dumps({**read_result(path), "wall_clock_s": 4.0}))
    steps = protocol_named("anywhere").budget_steps
    assert comparing.seconds_per_step(path.parent) == {"noop": 4.0 / (2 * steps)}
    longer = Compare(asked.out, asked.runs, ("noop",), ("lewm",), (0,), episodes=10)
    (state,) = states_of(longer.wanted(), longer.runs, longer.place)
    assert state.expected_s == pytest.approx(4.0 / (2 * steps) * 10 * 50)
    (done,) = states_of(asked.wanted(), asked.runs, asked.place)
    assert done.progress == DONE


def test_the_checkpoints_along_a_training_are_its_points(tmp_path: Path) -> None:
    run = tmp_path / "sac-0"
    for steps in (100_000, 20_000):
        make_checkpoint(run / "checkpoints" / str(steps), steps)
    (run / "checkpoints" / "300000").mkdir()  # begun, not finished
    assert [p.name for p in checkpoints_along(run, tmp_path / "none")] == ["20000", "100000"]
    make_checkpoint(run / "checkpoint", 100_000)  # where it ended, which is the last point
    assert [p.name for p in checkpoints_along(run, tmp_path / "none")] == ["20000", "100000"]
    make_checkpoint(run / "checkpoint", 120_000)
    found = [p.name for p in checkpoints_along(run, tmp_path / "none")]
    assert found == ["20000", "100000", "checkpoint"]
    asked = Compare(tmp_path / "curves", tmp_path, ("sac",), ("anywhere",), (0, 1), curves=True)
    assert len(list(points_of(asked))) == 3 + 1  # seed 1: the one that is shipped
    assert asked.count == 100


def test_curves_of_nothing_measure_nothing(tmp_path: Path, capsys: Output) -> None:
    Compare(tmp_path / "curves", tmp_path / "runs", ("sac",), (), (7,), curves=True).run()
    shown = capsys.readouterr().out
    assert "to measure now: 0 points" in shown and "baseline --algorithm sac" in shown
    with pytest.raises(UserError, match="expected a curve"):
        read_curve(tmp_path / "curves" / "sac-7.json")


def test_what_a_curve_has_need_not_be_trained_again(tmp_path: Path, capsys: Output) -> None:
    place = tmp_path / "curves"
    shutil.copytree("results/curves", place)
    runs = tmp_path / "runs"
    asked = Compare(place, runs, ("sac", "world-model"), ("anywhere",), plan=True, curves=True)
    asked.run()
    shown = capsys.readouterr().out
    assert "--algorithm sac" not in shown and "world-model-0 " not in shown
    replace(asked, episodes=101).run()
    assert "baseline --algorithm sac" in capsys.readouterr().out


def test_every_file_has_its_own_name_and_a_protocol_that_exists(tmp_path: Path) -> None:
    cells = wanted_cells(tmp_path, PROTOCOLS, (0, 1, 2), 300, 2000)
    assert len({cell.path for cell in cells}) == len(cells)
    curves = [training.name for training in TRAININGS if training.curve]
    assert len(set(curves)) == len(curves)
    assert {protocol_named(cell.protocol).name for cell in cells} == set(PROTOCOLS)
    learned = {name for name, entry in CONTROLLERS.items() if isinstance(entry, Learned)}
    assert {training.controller for training in TRAININGS} == learned


def test_the_command_of_a_measurement_says_all_that_was_chosen() -> None:
    plain = Measurement("noop", None, "lewm", 2, 5)
    assert plain.command.endswith("--episodes 2 --seed 5")
    chosen = replace(plain, render_profile="dmc", batch=1, acting=Acting(delay_ticks=2))
    assert chosen.command.endswith("--seed 5 --render-profile dmc --batch 1 --delay-ticks 2")


def test_every_command_it_lists_is_one_that_parses(tmp_path: Path) -> None:
    from agent.commands.command import Entry
    from agent.commands.parsing import find, parse

    for training in TRAININGS:
        listed = [
            training.commands_for(tmp_path, 0),
            *training.commands_for_points(tmp_path, 0).values(),
        ]
        for words in (line.split()[2:] for commands in listed for line in commands):
            entry, _, rest = find(run_agent.COMMANDS, words)
            assert isinstance(entry, Entry)
            parse(entry, "", rest)


def test_the_catalogue_says_what_each_needs(tmp_path: Path) -> None:
    for name, entry in CONTROLLERS.items():
        assert entry.about
        if not isinstance(entry, Learned):
            assert checkpoint_for(name, None) is None
            with pytest.raises(UserError, match="learns nothing"):
                checkpoint_for(name, tmp_path)
        elif entry.shipped is None:
            with pytest.raises(UserError, match=f"--checkpoint for {name}"):
                checkpoint_for(name, None)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["compare", "--controllers", "sak"], "'sac'"),
        (["compare", "--protocols", "anywere"], "'anywhere'"),
        (["compare", "--episodes", "0"], "at least 1"),
        (["compare", "--training-seeds", "-1"], "none negative"),
        (["report", "no-such-place"], "directory of results"),
    ],
)
def test_mistakes_are_named(
    words: list[str], named: str, capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_agent.main(words) == 2
    assert named in capsys.readouterr().err


def test_a_report_of_a_strange_file_writes_nothing(tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "comparison").mkdir()
    (tmp_path / "comparison" / "x.json").write_text('{"schema": "somebody/9"}')
    assert run_agent.main(["report", str(tmp_path)]) == 2
    assert "somebody/9" in capsys.readouterr().err.replace("\n", "")
    assert not (tmp_path / "report.html").exists()
    (tmp_path / "comparison" / "x.json").unlink()
    (tmp_path / "planners.json").write_text("[]")
    assert run_agent.main(["report", str(tmp_path)]) == 2
    (tmp_path / "planners.json").unlink()
    assert run_agent.main(["report", str(tmp_path)]) == 0
    assert "not there yet" in (tmp_path / "report.html").read_text()
