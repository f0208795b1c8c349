"""A whole training: the world model, what it reports, then its action head."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.config import ExperimentConfig
from agent.files.bundle import CHECKPOINT
from agent.files.folders import RUN, writing_into
from agent.training.head import Report, teach_head
from agent.training.recorder import record
from agent.training.reports import TrainStatistics
from agent.training.trainer import Trainer


def train_world_model(
    data: Path,
    out: Path,
    config: ExperimentConfig,
    resume: bool = False,
    begin: Path | None = None,
    teaching: Report = lambda done, total: None,
) -> Iterator[TrainStatistics]:
    """Train into ``out``, passing on every report; ``teaching`` is told how far the head is.

    Closing it, or Ctrl-C, saves the training state first. Raises what :class:`Trainer` raises, and
    UserError if another process is writing into ``out``.
    """
    with writing_into(out, RUN):
        trainer = Trainer(data, out, config, resume, begin)
        yield from record(trainer.run(), out)
        teach_head(
            out / CHECKPOINT, trainer.episodes, trainer.train_ids, config.training, config.head,
            teaching,
        )  # fmt: skip
