"""The campaign goes on where it stopped, and says what it lacks."""

from dataclasses import replace
from pathlib import Path

import pytest
from made_checkpoints import make_checkpoint

from agent.commands.controllers import CONTROLLERS, Learned
from agent.commands.measurement import Measurement
from agent.commands.parsing import find, parse
from agent.commands.worlds_asked import WorldAsked
from agent.errors import UserError
from benchmarks.campaign.campaign import Campaign
from benchmarks.campaign.cells import is_current, read_cells
from benchmarks.campaign.finished import finished_checkpoint
from benchmarks.campaign.inputs import ABOUT_CONTROLLERS, cells_in
from benchmarks.campaign.matrix import PROTOCOLS, TRAININGS, wanted_runs
from benchmarks.campaign.measuring import (
    DONE,
    OUTDATED,
    READY,
    UNTRAINED,
    State,
    seconds_per_step,
    states_of,
)
from benchmarks.campaign.subject import task
from benchmarks.campaign.tables import RUNS, put_run, read_runs, run_id, write_runs

Output = pytest.CaptureFixture[str]
Jobs = list[Measurement]


def small(out: Path, *controllers: str, plan: bool = False, training_seed: int = 0) -> Campaign:
    return Campaign(
        out / "comparison", out / "runs", controllers, ("anywhere",), (training_seed,),
        episodes=2, workers=1, plan=plan,
    )  # fmt: skip


def states(asked: Campaign) -> list[State]:
    return states_of(asked.wanted(), asked.runs, asked.place, asked.commit)


def progress(asked: Campaign) -> str:
    (state,) = states(asked)
    return state.progress


def test_a_campaign_goes_on_where_it_stopped(
    tmp_path: Path, capsys: Output, measured: Jobs
) -> None:
    asked = small(tmp_path, "noop", "random")
    small(tmp_path, "noop").run()
    asked.run()
    assert [job.controller for job in measured] == ["noop", "random"]
    before = (asked.place / RUNS).read_bytes()
    capsys.readouterr()
    asked.run()
    assert "to measure now: 0 of 2 runs, nothing left" in capsys.readouterr().out
    assert len(measured) == 2 and (asked.place / RUNS).read_bytes() == before
    names = {cell.controller for found in cells_in(tmp_path) for cell in found}
    assert names == {"noop", "random"}


def test_other_episodes_make_a_run_outdated_and_it_stays(
    tmp_path: Path, capsys: Output, measured: Jobs
) -> None:
    asked = small(tmp_path, "noop")
    asked.run()
    assert progress(replace(asked, episodes=1)) == DONE  # these and more
    assert progress(replace(asked, episodes=1, seed=2001)) == OUTDATED
    more = replace(asked, episodes=3)
    more.run()
    told = capsys.readouterr().out.replace("\n", " ")
    assert "anywhere/noop/; `measure --again` replaces them" in told
    assert progress(more) == OUTDATED and len(measured) == 1
    replace(more, again=True).run()
    assert progress(more) == DONE and len(measured) == 2


def test_what_another_commit_measured_is_replaced_when_asked(
    tmp_path: Path, measured: Jobs
) -> None:
    asked = small(tmp_path, "noop")
    asked.run()
    (run,) = read_runs(asked.place)
    write_runs(asked.place, [{**run, "commit": "0a1b2c3d4e5f"}])
    assert progress(asked) == progress(replace(asked, commit="0a1b")) == DONE
    newer = replace(asked, commit=run["commit"][:7], again=True)
    assert progress(newer) == OUTDATED
    newer.run()
    assert progress(newer) == DONE and len(measured) == 2


@pytest.mark.usefixtures("measured")
def test_a_protocol_that_is_defined_anew_is_outdated(tmp_path: Path) -> None:
    asked = small(tmp_path, "noop")
    asked.run()
    for said, now in ((None, DONE), ("0" * 12, OUTDATED)):
        (run,) = read_runs(asked.place)
        write_runs(asked.place, [{**run, "protocol_definition": said}])
        assert progress(asked) == now


def test_a_refusal_costs_its_own_run_and_no_other(
    tmp_path: Path, capsys: Output, measured: Jobs
) -> None:
    asked = small(tmp_path, "oracle", "noop")
    asked.run()
    assert len(measured) == 2
    assert [run["controller"] for run in read_runs(asked.place)] == ["noop"]
    assert "not measured: anywhere/oracle/: it will not" in capsys.readouterr().err


def test_what_is_not_trained_is_told_how(tmp_path: Path, capsys: Output) -> None:
    asked = small(tmp_path, "world-model", "noop", plan=True, training_seed=7)
    asked.run()
    shown = capsys.readouterr().out
    assert f"--seed 7 --episodes 300 --out {asked.runs}/data-7" in shown
    data = f"{asked.runs}/data-7"
    assert f"train --out {asked.runs}/world-model-7 --seed 7 --data {data}" in shown
    assert "one training of world-model: not timed yet" in shown
    by_name = {state.wanted.controller: state.progress for state in states(asked)}
    assert by_name == {"noop": READY, "world-model": UNTRAINED}
    assert not list(tmp_path.iterdir())
    make_checkpoint(asked.runs / "world-model-7" / "checkpoint", 80_000)
    assert progress(replace(asked, controllers=("world-model",))) == READY


@pytest.mark.usefixtures("measured")
def test_another_checkpoint_makes_a_run_outdated(tmp_path: Path) -> None:
    asked, place = small(tmp_path, "sac"), tmp_path / "runs" / "sac-0" / "checkpoint"
    make_checkpoint(place, 300_000)
    asked.run()
    assert progress(asked) == DONE
    make_checkpoint(place, 300_001)
    assert progress(asked) == OUTDATED
    place.rename(tmp_path / "gone")
    assert progress(asked) == DONE  # nothing contradicts it


def test_a_training_on_the_way_is_not_measured(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "sac-7"
    untaught = {"model": {"head": {"width": 8}}}
    on_the_way = {"trained_steps": 50, "settings": {"steps": 100}}
    for steps, config in (
        (300_000, untaught), (300_000, {"facts": on_the_way}), (299_999, {}),
    ):  # fmt: skip
        make_checkpoint(run, steps, **config)
        with pytest.raises(UserError, match="one on the way"):
            finished_checkpoint(run, 300_000)
    assert progress(small(tmp_path, "sac", training_seed=7)) == UNTRAINED
    make_checkpoint(run, 300_000, **untaught, facts={"head": {"steps": 1}})
    assert finished_checkpoint(run, 300_000) == run
    assert progress(small(tmp_path, "sac", training_seed=7)) == READY


def test_the_shipped_checkpoint_is_of_another_recipe_and_passes_for_none(tmp_path: Path) -> None:
    asked = small(tmp_path, "world-model")
    assert [state.progress for state in states(asked)] == [UNTRAINED]
    own = asked.runs / "world-model-0" / "checkpoint"
    make_checkpoint(own, 80_000)
    assert [state.checkpoint for state in states(asked)] == [own]


@pytest.mark.usefixtures("measured")
def test_expected_time_follows_from_what_was_measured(tmp_path: Path) -> None:
    asked = small(tmp_path, "noop")
    asked.run()
    steps = task("anywhere").budget_steps
    assert seconds_per_step(read_runs(asked.place)) == {"noop": 4.0 / (2 * steps)}
    (state,) = states(replace(asked, protocols=("lewm",), episodes=10))
    assert state.expected_s == pytest.approx(4.0 / (2 * steps) * 10 * task("lewm").budget_steps)


def test_what_is_really_measured_goes_into_the_tables(tmp_path: Path) -> None:
    job = Measurement("noop", None, WorldAsked("reacher"), "anywhere", 2, 2000)
    put_run(tmp_path, job.run(lambda done, total, text="": None))
    (cell,) = read_cells(tmp_path)
    assert is_current(cell) and cell.episodes == 2
    assert progress(replace(small(tmp_path, "noop"), out=tmp_path)) == DONE


def test_every_run_has_its_own_name_and_a_protocol_that_exists() -> None:
    wanted = wanted_runs(PROTOCOLS, (0, 1, 2), 300, 2000)
    assert len({run.name for run in wanted}) == len(wanted)
    assert {task(run.protocol).name for run in wanted} == set(PROTOCOLS)
    learned = {name for name, entry in CONTROLLERS.items() if isinstance(entry, Learned)}
    assert {training.controller for training in TRAININGS} == learned
    assert list(ABOUT_CONTROLLERS) == list(CONTROLLERS)
    curves = [training.name for training in TRAININGS if training.curve]
    assert len(set(curves)) == len(curves)
    assert run_id({"protocol": "lewm", "controller": "noop", "training_seed": None}) == "lewm/noop/"


def test_every_command_it_lists_is_one_that_parses(tmp_path: Path) -> None:
    import run_agent
    from agent.commands.command import Entry

    for training in TRAININGS:
        listed = [
            training.commands_for(tmp_path, 0),
            *training.commands_for_points(tmp_path, 0).values(),
        ]
        for words in (line.split()[2:] for commands in listed for line in commands):
            entry, _, rest = find(run_agent.COMMANDS, words)
            assert isinstance(entry, Entry)
            parse(entry, "", rest)
