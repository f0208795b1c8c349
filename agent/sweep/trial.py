"""One training of a sweep: what it is, doing it, from where it was left if it was begun, and the
record of those that are finished: a line each in ``trials.jsonl``, on the disk before the next.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.config import CONFIG_NAME, ExperimentConfig, as_toml, changed, preset
from agent.errors import UnfitError, UserError
from agent.files.bundle import STATE, has_bundle
from agent.files.durable import (
    append_line_durably,
    drop_torn_line,
    explained_disk_errors,
    write_durably,
)
from agent.files.folders import SWEEP_MARK
from agent.files.json_files import read_lines, sum_of
from agent.files.lock import is_being_written
from agent.machine.memory import sharing_memory
from agent.training.recorder import read_metrics
from agent.training.trainer import TrainingStoppedError
from agent.training.whole import train_world_model

_LOOK_AGAIN_S = 1.0
Line = dict[str, Any]
Curve = list[list[float]]  # gradient steps, held-out error


@dataclass(frozen=True)
class Trial:
    """A preset with ``settings`` by dotted name, trained on ``data`` from ``seed``, below ``out``.

    ``content`` is the hash of what the data set holds: one that has grown is another trial.
    """

    out: str
    data: str
    content: str
    preset: str
    seed: int
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The same for the same training, whatever the sweep."""
        said = {name: value for name, value in vars(self).items() if name not in ("out", "data")}
        return f"{Path(self.data).name}-{sum_of(said)[:10]}"

    @property
    def place(self) -> Path:
        """The directory of the training, as ``train --out`` makes one."""
        return Path(self.out) / "trials" / self.name

    def config(self) -> ExperimentConfig:
        """All settings; one thread, unless another number is given.

        Raises:
            UserError: on an unknown setting or a value that makes no sense.
        """
        usual = {"training.threads": 1}
        return changed(preset(self.preset), {**usual, **self.settings, "training.seed": self.seed})

    def line(self, curve: Curve, **more: Any) -> Line:
        """What the record keeps: the trial and its held-out error along the training."""
        said = {name: value for name, value in vars(self).items() if name != "out"}
        error = curve[-1][1] if curve else None
        return {"trial": self.name, **said, "curve": curve, "held_out_error": error, **more}


@dataclass(frozen=True)
class Training:
    """The work of a sweep for ``agent.cluster``: its tasks are trials, ``at_once`` on a machine."""

    at_once: int = 1

    def begin(self) -> Callable[[Trial], Line]:
        """Nothing is shared by the trials but the thread, and memory with those beside it."""
        return self._train

    def _train(self, trial: Trial) -> Line:
        with sharing_memory(self.at_once):
            return train(trial)


def train(trial: Trial, told: Callable[[Curve], None] = lambda curve: None) -> Line:
    """Train to the end; ``told`` is told of every look at held-out episodes but the last.

    A training that stops itself, because its numbers are none or its embedding collapses, or whose
    data and settings do not fit, has failed, and that is its result. Raises what
    ``train_world_model`` raises otherwise.
    """
    import torch

    config, start_s = trial.config(), time.monotonic()
    torch.set_num_threads(config.training.threads)
    while is_being_written(trial.place):  # Optuna may ask for a training twice, at once
        time.sleep(_LOOK_AGAIN_S)
    begun, failed = has_bundle(trial.place / STATE), ""
    try:
        for report in train_world_model(Path(trial.data), trial.place, config, begun):
            if report.diagnostics is not None and report.step < report.total_steps:
                told(_curve(trial))
    except (TrainingStoppedError, UnfitError) as error:
        failed = str(error)
    _explain(trial, config)
    if failed:
        return trial.line(_curve(trial), failed=failed)
    return trial.line(_curve(trial), wall_s=round(time.monotonic() - start_s, 1))


def _explain(trial: Trial, config: ExperimentConfig) -> None:
    """Settings and curves beside the run, as ``train`` leaves them; curves where they are drawn."""
    if not trial.place.is_dir():
        return
    write_durably(trial.place / CONFIG_NAME, as_toml(config, trial.preset).encode())
    with suppress(ModuleNotFoundError, UserError):  # an extra; nothing was reported yet
        from agent.reporting.curves import draw_curves

        draw_curves(trial.place)


def _curve(trial: Trial) -> Curve:
    """Mean squared error of the longest open-loop prediction; 1 is no better than the mean."""
    looks = [report for report in read_metrics(trial.place) if report.get("diagnostics")]
    return [[look["step"], look["diagnostics"]["open_loop_error"][-1]] for look in looks]


def read_record(out: Path) -> dict[str, Line]:
    """Finished trainings by their name; what a kill cut short is dropped.

    DamagedDataError if a line is no finished training.
    """
    path = out / SWEEP_MARK
    with explained_disk_errors(out):
        drop_torn_line(path)
    lines = read_lines(path, "finished training", ("trial", "settings", "curve", "seed", "data"))
    return {str(line["trial"]): line for line in lines}


def keep(out: Path, line: Line) -> None:
    """Append the line of a finished training."""
    with explained_disk_errors(out):
        append_line_durably(out / SWEEP_MARK, json.dumps(line, sort_keys=True, allow_nan=False))
