"""What the ranks of the tests run, started together: ``python rank_programs.py DATA JOBS``.

All jobs are of one start, since importing torch takes longer than any of them. ``JOBS`` is a list
in JSON: the name of a job, where it writes, and its settings.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.config import ExperimentConfig
from agent.settings import from_dict
from agent.training import ranks
from agent.training.trainer import Trainer


@contextmanager
def in_double() -> Iterator[None]:
    """Compute in double precision: what differs then is no rounding."""
    single = torch.Tensor.float
    torch.set_default_dtype(torch.float64)
    torch.Tensor.float = torch.Tensor.double  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)
        torch.Tensor.float = single  # type: ignore[method-assign]


def followed(data: Path, out: Path, settings: Mapping[str, ExperimentConfig]) -> dict[str, Any]:
    """Of each of the ``settings`` losses and gradients of every step, and what the last left."""
    with in_double():
        return {kind: _follow(Trainer(data, out / kind, s)) for kind, s in settings.items()}


def _follow(trainer: Trainer) -> dict[str, Any]:
    losses, gradients = [], []
    trainer.lessons._there = _double  # type: ignore[method-assign]
    for _ in range(trainer.config.training.steps):
        losses.append(trainer._train_one_step())
        gradients.append(torch.cat([_slope(p) for p in trainer.optimiser.parameters]))
    state = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    return {"losses": torch.tensor(losses), "gradients": torch.stack(gradients), "state": state}


def _slope(parameter: torch.Tensor) -> torch.Tensor:
    return (torch.zeros_like(parameter) if parameter.grad is None else parameter.grad).flatten()


def _double(batch: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(batch.astype(np.float64) if batch.dtype == np.float32 else batch)


def disturbed(trainer: Trainer, how: str) -> None:
    """Train to the end, unless the second rank has its trouble in step 17."""
    step = trainer.optimiser.step

    def step_or_trouble(loss: torch.Tensor, number: int) -> None:
        if number == 17 and ranks.number() == 1 and how != "resume":
            os.kill(os.getpid(), signal.SIGKILL if how == "dies" else signal.SIGINT)
        step(loss, number)

    trainer.optimiser.step = step_or_trouble  # type: ignore[method-assign]
    list(trainer.run())


def main(data: str, jobs: str) -> None:
    """Do every job; what one ends with is the last line about it, and the next one begins."""
    torch.set_num_threads(1)
    with ranks.joined("cpu"):
        for how, out, asked in json.loads(jobs):
            try:
                do(how, Path(data), Path(out), asked)
            except KeyboardInterrupt:
                print(f"{how}: interrupted", flush=True)  # before it dies


def do(how: str, data: Path, out: Path, asked: dict[str, Any]) -> None:
    """Follow several settings, or train by one."""
    if how == "follow":
        kinds = {kind: from_dict(ExperimentConfig, value) for kind, value in asked.items()}
        torch.save(followed(data, out, kinds), f"{out}.{ranks.number()}")
    else:
        settings = from_dict(ExperimentConfig, asked)
        disturbed(Trainer(data, out, settings, resume=how == "resume"), how)


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # as run_agent.py ends a rank
