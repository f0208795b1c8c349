"""Sweeps: what is tried, what is kept, and the same trainings wherever they are done."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import run_agent
from agent.cluster import InThisProcess
from agent.commands.training_settings import read_settings
from agent.config import changed, preset
from agent.data import CollectConfig, collect
from agent.errors import UserError
from agent.machine import memory
from agent.sweep import plan as planning
from agent.sweep import trial as trials
from agent.sweep.figure import figure
from agent.sweep.plan import Plan, Sweeper
from agent.sweep.results import groups, markdown
from agent.sweep.space import Choices, Range, draw, grid, read_tables, read_words, varied
from agent.sweep.trial import Training, Trial, read_record

FAST = {"training.steps": Choices((2,)), "head.steps": Choices((1,))}


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sweep") / "rooms"
    collect(CollectConfig(out, "two-room", episodes=4, episode_steps=40, workers=1))
    return out


def test_words_and_tables_say_the_same():
    words = {
        "model.encoder.latent-dim": "8,16",
        "training.learning-rate": "1e-4..1e-2",
        "model.encoder.channels": "[8,8,16],[4,4,8]",
        "training.optimiser": "muon",
    }
    tables = {
        "model": {"encoder": {"latent_dim": [8, 16], "channels": [[8, 8, 16], [4, 4, 8]]}},
        "training": {"learning_rate": {"low": 1e-4, "high": 1e-2}, "optimiser": "muon"},
    }
    assert read_words(words) == read_tables(tables)
    assert varied(read_words(words)) == [
        "model.encoder.latent_dim", "training.learning_rate", "model.encoder.channels",
    ]  # fmt: skip


def test_a_grid_is_all_combinations_and_takes_no_range():
    space = read_words({"training.batch": "8,16", "training.steps": "2,3,4"})
    assert len(list(grid(space))) == len({json.dumps(one) for one in grid(space)}) == 6
    with pytest.raises(UserError, match="name the values"):
        list(grid({"training.batch": Range(2, 8)}))


def test_draws_fill_the_range_alike_in_each_decade_and_are_the_same_again():
    space = {"rate": Range(1e-4, 1e-2), "batch": Range(2, 9, log=False)}
    drawn = [draw(space, 7, n) for n in range(400)]
    assert drawn == [draw(space, 7, n) for n in range(400)]
    below = np.mean([one["rate"] < 1e-3 for one in drawn])
    assert abs(below - 0.5) < 4 * 0.5 / 20  # four standard deviations of 400 fair coins
    assert {one["batch"] for one in drawn} == set(range(2, 10))
    assert all(1e-4 <= one["rate"] <= 1e-2 for one in drawn)


@pytest.mark.parametrize(("text", "why"), [("3..1", "LOW..HIGH"), ("a..b", "1e-4"), ("-1..1", "0")])
def test_ranges_that_are_none_are_refused(text, why):
    with pytest.raises(UserError, match=why):
        read_words({"training.learning-rate": text})


def test_a_wrong_setting_is_refused_before_anything_is_trained(data, tmp_path):
    plan = Plan((data,), preset="tiny", space=read_words({"training.batches": "8,16"}))
    with pytest.raises(UserError, match=r"training\.batch"):
        Sweeper(plan, tmp_path).run()
    assert not list(tmp_path.iterdir())


def test_what_is_finished_is_kept_and_more_extends_it(data, tmp_path, monkeypatch):
    trained: list[str] = []
    monkeypatch.setattr(planning, "crew_for", lambda work, *unused: Pretended(trained))
    Sweeper(Plan((data,), (0, 1), "tiny", space=FAST), tmp_path).run()
    more = Plan((data,), (0, 1, 2), "tiny", space=FAST | {"training.batch": Choices((8, 4))})
    with (tmp_path / "trials.jsonl").open("a") as record:
        record.write('{"torn')
    lines = Sweeper(more, tmp_path).run()
    assert len(lines) == 6 and len(trained) == len(set(trained)) == 8
    assert len(read_record(tmp_path)) == 8


class Pretended:
    """A crew that trains nothing; the smaller batch is better."""

    def __init__(self, trained: list[str]) -> None:
        self.trained = trained

    def __enter__(self):
        return self

    def __exit__(self, *unused: object) -> None:
        return None

    def as_done(self, trials: list[Trial]):
        for number, trial in enumerate(trials):
            self.trained.append(trial.name)
            error = 0.01 * trial.settings.get("training.batch", 8) + 0.001 * trial.seed
            yield number, trial.line([[2, error]])


def test_the_table_has_the_best_first_and_a_mean_over_seeds(data, tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "crew_for", lambda work, *unused: Pretended([]))
    plan = Plan((data,), (0, 2), "tiny", space={"training.batch": Choices((8, 4))})
    found = groups(Sweeper(plan, tmp_path).run())
    rows = [group.row(varied(plan.space)) for group in found]
    assert rows[0] == ("rooms", "training.batch=4", "0.041", "0.04", "0.042", "0 2", "2", "")
    table = markdown(found, ["training.batch"])
    assert table.count("\n") == 4 and all(
        trial.name in table.splitlines()[2 if trial.settings["training.batch"] == 4 else 3]
        for trial in plan.listed(tmp_path)
    )
    assert len(figure(found, ["training.batch"]).axes) == 1


class HalfFailed(Pretended):
    """The larger batch fails from seed 1 on, with a smaller error than any."""

    fails_from = 1

    def as_done(self, trials: list[Trial]):
        for number, line in super().as_done(trials):
            trial = trials[number]
            batch = trial.settings.get("training.batch", 8)
            if batch == 8 and trial.seed >= self.fails_from:
                line = trial.line([[1, 1e-9]], failed="it collapsed\nat step 1")
            elif batch == 8:
                line = trial.line([[2, 1e-9]])
            yield number, line


def test_who_failed_is_behind_the_others_and_says_why(data, tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "crew_for", lambda work, *unused: HalfFailed([]))
    plan = Plan((data,), (0, 1, 2), "tiny", space={"training.batch": Choices((8, 4))})
    rows = [group.row(varied(plan.space)) for group in groups(Sweeper(plan, tmp_path).run())]
    assert [row[1] for row in rows] == ["training.batch=4", "training.batch=8"]
    assert [row[-1] for row in rows] == ["", "2 of 3 failed: it collapsed"]


def test_a_sweep_in_which_all_failed_is_no_success(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(planning, "crew_for", lambda work, *unused: HalfFailed([]))
    monkeypatch.setattr(HalfFailed, "fails_from", 0)
    words = ["sweep", "--data", str(data), "--preset", "tiny", "--out", str(tmp_path / "sweep")]
    assert run_agent.main([*words, "--seeds", "0", "1"]) == 2
    told = capsys.readouterr()
    assert "2 of 2 failed: it collapsed" in told.out
    assert "got 2 that failed, the first because of: it collapsed" in " ".join(told.err.split())


def test_a_sweep_trains_and_a_training_that_was_begun_goes_on(data, tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "crew_for", lambda work, *unused: InThisProcess(work))
    plan = Plan((data,), preset="tiny", space=FAST)
    (line,) = Sweeper(plan, tmp_path).run()
    assert line["held_out_error"] == line["curve"][-1][1] > 0 and line["curve"][-1][0] == 2
    place = tmp_path / "trials" / line["trial"]
    (trial,) = plan.listed(tmp_path)
    named, settings = read_settings(place / "config.toml")
    assert changed(preset(named), settings) == trial.config()
    assert (place / "curves.png").exists()
    weights = (place / "checkpoint" / "model.safetensors").read_bytes()
    (tmp_path / "trials.jsonl").unlink()  # killed between the training and its line
    (again,) = Sweeper(plan, tmp_path).run()
    assert again["curve"] == line["curve"]
    assert (place / "checkpoint" / "model.safetensors").read_bytes() == weights


def test_what_train_prints_is_a_file_for_a_sweep(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(planning, "crew_for", lambda work, *unused: Pretended([]))
    file, words = tmp_path / "tiny.toml", ["--data", str(data), "--preset", "tiny"]
    assert run_agent.main(["train", *words, "--out", str(tmp_path / "no"), "--print-config"]) == 0
    printed = capsys.readouterr().out
    assert "warm_start_lags = [" in printed and "seed = " in printed
    file.write_text(printed)
    words = ["sweep", *words, "--config", str(file), "--out", str(tmp_path / "sweep")]
    assert run_agent.main(words) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "training.seed of" in told and "--seeds says" in told
    file.write_text("[training]\nseed = [3, 4]\n")
    assert run_agent.main(words) == 2 and "expected seeds by --seeds" in capsys.readouterr().err


def test_a_list_is_a_value_of_a_setting_that_is_one_and_lists_are_values_to_try(data):
    for said, tried in (("[4,8]", [[4, 8]]), ("4,8", [[4, 8]]), ("[4,8],[2]", [[4, 8], [2]])):
        space = read_words({"training.warm-start-lags": said, "training.batch": "4,8"})
        choices = Plan((data,), preset="tiny", space=space).choices()
        assert [one["training.warm_start_lags"] for one in choices[::2]] == tried
    with pytest.raises(UserError, match=r"lists to try for training.warm_start_lags, .* \[2\]\]"):
        Plan((data,), space=read_words({"training.warm-start-lags": "4,[2]"}))


def test_a_file_may_name_one_data_set_and_one_seed(data, tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "crew_for", lambda work, *unused: Pretended([]))
    file = tmp_path / "sweep.toml"
    file.write_text(f'data = "{data}"\nseeds = 3\npreset = "tiny"\n')
    words = ["sweep", "--config", str(file), "--out", str(tmp_path / "sweep")]
    assert run_agent.main(words) == 0
    (line,) = read_record(tmp_path / "sweep").values()
    assert (line["data"], line["seed"]) == (str(data), 3)


def test_a_search_counts_its_own_trainings_alone(data, tmp_path):
    space = {"training.batch": Choices((4, 8)), "training.learning_rate": Range(1e-4, 1e-2)}
    plan = Plan((data,), (0, 1), "tiny", "optuna", trials=9, space=space)
    example, lines = plan.example(tmp_path, data), []
    for seed, settings in (
        (0, {"training.batch": 4, "training.learning_rate": 1e-3}),
        (0, {"training.batch": 5, "training.learning_rate": 1e-3}),
        (0, {"training.batch": 4, "training.learning_rate": 1e-1}),
        (2, {"training.batch": 4, "training.learning_rate": 1e-3}),
        (0, {"training.batch": 4}),
        (0, {"training.batch": 4, "training.steps": 7}),
    ):
        lines.append(replace(example, seed=seed, settings=settings).line([[1, 0.5]]))
    sweeper = Sweeper(plan, tmp_path, cluster="local")
    assert sweeper._known(example, {line["trial"]: line for line in lines}) == lines[:1]
    assert plan.suggestions == 9
    few = {"training.batch": Choices((4, 8)), "training.steps": Choices((7,))}
    assert replace(plan, space=few).suggestions == 4  # there are no more


def test_a_training_asked_for_twice_is_kept_once(tmp_path):
    update = []
    take = planning._keeping(tmp_path, {}, 0, 2, lambda done, total: update.append(done))
    line = {"trial": "a", "curve": [[1, 0.5]], "settings": {}, "seed": 0, "data": "d"}
    take({**line, "wall_s": 3.0})
    take({**line, "wall_s": 0.1})
    assert update == [0, 1, 2]
    assert (tmp_path / "trials.jsonl").read_text().count("\n") == 1


def test_settings_that_do_not_fit_the_recordings_fail_alone(data, tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "crew_for", lambda work, *unused: InThisProcess(work))
    frames = {"training.window_frames": Choices((60, 3, 5))}  # of 41 frames, with a context of 3
    lines = Sweeper(Plan((data,), preset="tiny", space=FAST | frames), tmp_path).run()
    assert [line.get("failed", "").split(" ")[0] for line in lines] == ["a", "expected", ""]
    assert "needs episodes of" in lines[0]["failed"] and "context of" in lines[1]["failed"]
    assert lines[2]["held_out_error"] > 0


def test_optuna_and_early_ends_need_a_cluster(data, tmp_path):
    plan = Plan((data,), search="optuna", space={"training.batch": Range(2, 8)})
    with pytest.raises(UserError, match="--cluster local"):
        Sweeper(plan, tmp_path)


def test_what_is_fixed_is_known_before_optuna_suggests(data, tmp_path):
    space = FAST | {"model.head.width": Range(8, 9)}
    plan = Plan((data,), preset="tiny", search="optuna", space=space)
    assert plan.example(tmp_path, data).config().training.steps == 2


def test_what_is_varied_and_read_by_nobody_is_refused(data, tmp_path, capsys):
    words = ["sweep", "--data", str(data), "--out", str(tmp_path / "s"), "--preset", "tiny",
             "--training.matrix-learning-rate", "0.01,0.9"]  # fmt: skip
    assert run_agent.main([*words, "--training.optimiser", "adamw"]) == 2
    assert "--training.matrix-learning-rate does nothing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[training]\nsigreg_weight = []", "values to try for training.sigreg_weight"),
        ('search = "random"\ntrials = 2.5\n[training]\nbatch = [4, 8]', "whole numbers as seeds"),
        ("preset = 4", "the name of a preset"),
        ("trials = 3\n[training]\nbatch = [4, 8]", "trials in --config"),
        pytest.param("a = " + "[" * 9_000, "expected a TOML file", id="deep"),
    ],
)
def test_a_file_that_makes_no_sense_is_told(text, told, data, tmp_path, capsys):
    (tmp_path / "s.toml").write_text(text)
    words = ["sweep", "--data", str(data), "--out", str(tmp_path / "s")]
    assert run_agent.main([*words, "--config", str(tmp_path / "s.toml")]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("command", ["sweep", "train"])
def test_a_word_nested_too_deeply_is_no_value(command, data, tmp_path, capsys):
    words = [command, "--data", str(data), "--out", str(tmp_path / "s")]
    assert run_agent.main([*words, "--training.steps", "[" * 100_000]) == 2
    said = capsys.readouterr().err
    assert "expected training.steps like" in said and len(said) < 1000


def test_who_was_ended_early_is_trained_to_the_end_once_asked_to(data, tmp_path):
    (tmp_path / "out").mkdir()
    sweeper = Sweeper(Plan((data,), preset="tiny", space=FAST), tmp_path / "out")
    trial = sweeper.plan.listed(tmp_path / "out")[0]
    early = {trial.name: trial.line([[1, 0.5]], stopped_early=True)}
    assert sweeper._is_missing(early[trial.name])
    assert not replace(sweeper, stop_early=True, cluster="local")._is_missing(early[trial.name])


def test_data_sets_of_one_name_are_told_apart():
    lines = [
        {"data": place, "settings": {}, "seed": 0, "curve": [[1, 0.2]], "held_out_error": 0.2}
        for place in ("/a/one/data", "/a/two/data")
    ]
    assert {group.data for group in groups(lines)} == {"one/data", "two/data"}


def test_trainings_side_by_side_share_the_memory(monkeypatch):
    monkeypatch.setattr(memory, "_of_machine", lambda: 1000)
    monkeypatch.setattr(memory, "_of_containers", lambda: ())
    monkeypatch.setattr(trials, "train", lambda trial: memory.available_memory_bytes())
    assert Training(4).begin()(None) == 250
    assert memory.available_memory_bytes() == 1000


def test_data_that_were_moved_are_the_same_experiment(data, tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "crew_for", lambda work, *unused: Pretended([]))
    (tmp_path / "out").mkdir()
    Sweeper(Plan((data,), (0, 1), "tiny"), tmp_path / "out").run()
    moved = tmp_path / "moved" / "rooms"
    shutil.copytree(data, moved)
    (row,) = groups(Sweeper(Plan((moved,), (0, 1, 2), "tiny"), tmp_path / "out").run())
    assert row.row([])[5] == "0 1 2"


def test_an_address_is_told_to_be_none_of_a_disk(tmp_path, capsys):
    words = ["sweep", "--data", "s3://bucket/data", "--out", str(tmp_path / "out")]
    assert run_agent.main(words) == 2
    assert "expected data sets on a disk of this machine" in capsys.readouterr().err
