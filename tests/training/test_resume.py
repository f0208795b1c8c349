"""Stopped anywhere, by anything, and continued as if it had not been."""

from __future__ import annotations

import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.config import ExperimentConfig
from agent.data import DatasetHeader
from agent.errors import DamagedDataError, MachineError, UserError
from agent.files.bundle import read_bundle, write_bundle
from agent.files.lock import writing_lock
from agent.model.checkpoint import checkpoint_facts
from agent.settings import to_dict
from agent.training import recorder
from agent.training.trainer import Trainer
from agent.training.whole import train_world_model
from envs import interrupts_held_back

Config = Callable[..., ExperimentConfig]
STEPS = 30

KILLED_CHILD = """
import json, os, signal, sys
from pathlib import Path
from agent.config import ExperimentConfig
from agent.settings import from_dict
from agent.training.trainer import Trainer

data, out, config = sys.argv[1:]
trainer = Trainer(Path(data), Path(out), from_dict(ExperimentConfig, json.loads(config)))
step = trainer.optimiser.step

def step_or_die(loss, number):
    if number == 17:  # in the middle of a step: BatchNorm has moved, the weights have not
        os.kill(os.getpid(), signal.SIGKILL)
    step(loss, number)

trainer.optimiser.step = step_or_die
for report in trainer.run():
    print(report.step, flush=True)
"""


def weights(out: Path) -> bytes:
    return read_bundle(out / "checkpoint")["model.safetensors"]


def state(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(read_bundle(out / "training_state")["state.json"])
    return content


@pytest.fixture(scope="module")
def uninterrupted(data: Path, config: Config, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The weights of the same run when nothing goes wrong."""
    out = tmp_path_factory.mktemp("resume") / "whole"
    list(Trainer(data, out, config(steps=STEPS)).run())
    return weights(out)


def test_a_report_tells_of_steps_before_the_kill_as_well(
    data: Path, tmp_path: Path, config: Config
) -> None:
    settings = config(steps=STEPS, save_every=7)
    usual = {r.step: r for r in Trainer(data, tmp_path / "usual", settings).run()}
    running = Trainer(data, tmp_path / "killed", settings)
    reports = running.run()
    assert next(reports).step == 10 and next(reports).step == 20
    running.save = lambda: None  # type: ignore[method-assign]  (killed: the last state is of step 14)
    del reports
    resumed = Trainer(data, tmp_path / "killed", settings, resume=True)
    assert resumed.step == 14
    report = next(resumed.run())
    assert (report.step, report.loss) == (20, usual[20].loss)


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_report_that_found_the_disk_full_is_told_again(
    data: Path, tmp_path: Path, config: Config, line: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, write = config(steps=STEPS), recorder._Recorder.write

    def write_or_fail(self: Any, report: Any) -> None:
        if report.step == 10 * line:
            raise MachineError("no space left")
        write(self, report)

    list(recorder.record(Trainer(data, tmp_path / "whole", settings).run(), tmp_path / "whole"))
    with monkeypatch.context() as patch, pytest.raises(MachineError):
        patch.setattr(recorder._Recorder, "write", write_or_fail)
        list(recorder.record(Trainer(data, tmp_path / "run", settings).run(), tmp_path / "run"))
    again = Trainer(data, tmp_path / "run", settings, resume=True)
    list(recorder.record(again.run(), tmp_path / "run"))
    told = [
        [(report["step"], report["loss"]) for report in recorder.read_metrics(tmp_path / name)]
        for name in ("run", "whole")
    ]
    assert told[0] == told[1] and len(told[0]) == 3


@pytest.mark.parametrize("reports_taken", [1, 2])
def test_a_closed_generator_has_saved(
    data: Path, tmp_path: Path, config: Config, uninterrupted: bytes, reports_taken: int
) -> None:
    running = Trainer(data, tmp_path, config(steps=STEPS)).run()
    for _ in range(reports_taken):
        report = next(running)
    running.close()
    resumed = Trainer(data, tmp_path, config(steps=STEPS), resume=True)
    assert resumed.step == report.step == 10 * reports_taken
    told = [report.step for report in resumed.run()]  # whether the last was written down, who knows
    assert told == [10, 20, 30][reports_taken - 1 :]
    assert weights(tmp_path) == uninterrupted


def test_stopping_twice_is_no_worse(
    data: Path, tmp_path: Path, config: Config, uninterrupted: bytes
) -> None:
    for resume in (False, True):
        running = Trainer(data, tmp_path, config(steps=STEPS), resume).run()
        next(running)
        running.close()
    list(Trainer(data, tmp_path, config(steps=STEPS), resume=True).run())
    assert weights(tmp_path) == uninterrupted


def test_kill_minus_nine_in_the_middle_of_a_step(
    data: Path, tmp_path: Path, config: Config
) -> None:
    settings = config(steps=STEPS, save_every=5)
    child = subprocess.run(
        [sys.executable, "-c", KILLED_CHILD, data, tmp_path / "a", json.dumps(to_dict(settings))],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert child.stdout == "10\n"
    assert state(tmp_path / "a")["step"] == 15
    list(Trainer(data, tmp_path / "a", settings, resume=True).run())
    list(Trainer(data, tmp_path / "b", settings).run())
    assert weights(tmp_path / "a") == weights(tmp_path / "b")


def test_ctrl_c_waits_for_the_step_and_saves(
    data: Path, tmp_path: Path, config: Config, uninterrupted: bytes
) -> None:
    trainer = Trainer(data, tmp_path, config(steps=STEPS))
    step = trainer.optimiser.step

    def interrupted(loss: Any, number: int) -> None:
        if number == 13:  # the forward pass is done: BatchNorm has moved
            signal.raise_signal(signal.SIGINT)
        step(loss, number)

    trainer.optimiser.step = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        list(trainer.run())
    assert state(tmp_path)["step"] == 14
    list(Trainer(data, tmp_path, config(steps=STEPS), resume=True).run())
    assert weights(tmp_path) == uninterrupted


def test_ctrl_c_in_the_users_own_loop_saves(data: Path, tmp_path: Path, config: Config) -> None:
    running = Trainer(data, tmp_path, config(steps=STEPS)).run()
    next(running)
    with pytest.raises(KeyboardInterrupt):
        running.throw(KeyboardInterrupt)  # type: ignore[attr-defined]
    assert state(tmp_path)["step"] == 10


def test_ctrl_c_after_the_last_step_loses_no_checkpoint_and_no_report(
    data: Path, tmp_path: Path, config: Config, uninterrupted: bytes, monkeypatch: Any
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_finish", lambda *unused: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            list(Trainer(data, tmp_path, config(steps=STEPS)).run())
    assert state(tmp_path)["step"] == STEPS
    last = list(Trainer(data, tmp_path, config(steps=STEPS), resume=True).run())
    assert [report.step for report in last] == [STEPS]
    assert weights(tmp_path) == uninterrupted


def test_resuming_a_finished_run_changes_nothing(
    data: Path, tmp_path: Path, config: Config
) -> None:
    list(Trainer(data, tmp_path, config(steps=4)).run())
    before = read_bundle(tmp_path / "checkpoint")
    assert list(Trainer(data, tmp_path, config(steps=4), resume=True).run()) == []
    assert read_bundle(tmp_path / "checkpoint") == before


def test_seconds_add_up(data: Path, tmp_path: Path, config: Config) -> None:
    running = Trainer(data, tmp_path, config(steps=STEPS)).run()
    first = next(running)
    running.close()
    saved = state(tmp_path)["seconds"]
    assert saved >= first.seconds
    assert next(Trainer(data, tmp_path, config(steps=STEPS), resume=True).run()).seconds > saved


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"steps": 31}, "training.steps=30, this run has 31"),
        ({"learning_rate": 1e-4}, "training.learning_rate=0.003, this run has 0.0001"),
        ({"seed": 9}, "training.seed=0, this run has 9"),
    ],
)
def test_a_state_of_other_settings_is_refused_and_named(
    data: Path, tmp_path: Path, config: Config, change: dict[str, Any], named: str
) -> None:
    Trainer(data, tmp_path, config(steps=STEPS)).save()
    with pytest.raises(UserError, match=named):
        Trainer(data, tmp_path, config(**{"steps": STEPS, **change}), resume=True)


def test_a_data_set_may_grow_while_it_is_learned_from(
    data: Path, tmp_path: Path, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    """Four of eight episodes were there when it began, and somebody was recording the others."""
    growing = Path(shutil.copytree(data, tmp_path / "data"))
    first, second = (growing / "manifest.jsonl").read_text().splitlines(keepends=True)
    (growing / "manifest.jsonl").write_text(first)
    with writing_lock(growing):
        running = train_world_model(growing, tmp_path / "run", config(steps=STEPS))
        next(running)
        assert "holds 4 episodes so far, another process is recording more" in caplog.text
    running.close()
    list(train_world_model(growing, tmp_path / "whole", config(steps=STEPS)))
    (growing / "manifest.jsonl").write_text(first + second)
    list(train_world_model(growing, tmp_path / "run", config(steps=STEPS), resume=True))
    assert weights(tmp_path / "run") == weights(tmp_path / "whole")
    assert checkpoint_facts(tmp_path / "run" / "checkpoint")["data"]["episodes"] == 4


def test_an_unfinished_data_set_says_so(
    data: Path, tmp_path: Path, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    short = Path(shutil.copytree(data, tmp_path / "data"))
    dataclasses.replace(DatasetHeader.read(short), episodes=300).write(short)
    trainer = Trainer(short, tmp_path / "run", config(steps=STEPS))
    assert "holds 8 of 300 episodes so far: only these" in caplog.text
    trainer.save()
    dataclasses.replace(DatasetHeader.read(short), episodes=400).write(short)
    Trainer(short, tmp_path / "run", config(steps=STEPS), resume=True)


def test_a_state_of_other_data_is_refused(data: Path, tmp_path: Path, config: Config) -> None:
    trainer = Trainer(data, tmp_path / "run", config(steps=STEPS))
    trainer.save()
    fewer = Path(shutil.copytree(data, tmp_path / "data"))
    first = (fewer / "manifest.jsonl").read_text().splitlines(keepends=True)[0]
    (fewer / "manifest.jsonl").write_text(first)
    with pytest.raises(UserError, match=r"the first 8 episodes.* got 4"):
        Trainer(fewer, tmp_path / "run", config(steps=STEPS), resume=True)
    trainer.identity["committed_sha256"] = "other"
    trainer.save()
    with pytest.raises(UserError, match=r"other recordings.*--from"):
        Trainer(data, tmp_path / "run", config(steps=STEPS), resume=True)


def test_a_state_from_before_the_hash_is_continued(
    data: Path, tmp_path: Path, config: Config
) -> None:
    trainer = Trainer(data, tmp_path, config(steps=STEPS))
    del trainer.identity["committed_sha256"]
    trainer.save()
    Trainer(data, tmp_path, config(steps=STEPS), resume=True)


@pytest.mark.parametrize("name", ["state.json", "state.safetensors"])
def test_a_flipped_byte_in_the_state_is_damage(
    data: Path, tmp_path: Path, config: Config, name: str
) -> None:
    Trainer(data, tmp_path, config()).save()
    path = tmp_path / "training_state" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(DamagedDataError, match=name):
        Trainer(data, tmp_path, config(), resume=True)


def test_a_state_that_is_none_is_damage(data: Path, tmp_path: Path, config: Config) -> None:
    write_bundle(tmp_path / "training_state", {"state.json": b"{}", "state.safetensors": b"?"})
    with pytest.raises(DamagedDataError, match="not a training state"):
        Trainer(data, tmp_path, config(), resume=True)


def test_the_state_holds_no_pickle(data: Path, tmp_path: Path, config: Config) -> None:
    Trainer(data, tmp_path, config()).save()
    names = {path.name for path in (tmp_path / "training_state").iterdir()}
    assert names == {"state.json", "state.safetensors", "manifest.json"}


def test_two_trainings_into_one_place_are_refused(
    data: Path, tmp_path: Path, config: Config
) -> None:
    first = train_world_model(data, tmp_path, config(steps=STEPS))
    next(first)
    for resume in (False, True):
        with pytest.raises(UserError, match="is writing into"):
            next(train_world_model(data, tmp_path, config(steps=STEPS), resume))
    assert [report.step for report in first] == [20, 30]
    assert weights(tmp_path)


def test_ctrl_c_is_answered_after_the_block_and_the_handler_is_back() -> None:
    before, done = signal.getsignal(signal.SIGINT), []
    with pytest.raises(KeyboardInterrupt), interrupts_held_back():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        done.append("block")
    assert done == ["block"]
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(ZeroDivisionError), interrupts_held_back():
        _ = 1 / 0
    assert signal.getsignal(signal.SIGINT) is before


def test_holding_back_is_harmless_in_other_threads() -> None:
    entered = []

    def work() -> None:
        with interrupts_held_back():
            entered.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [True]
