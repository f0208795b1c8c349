"""A whole training: the world model, what it reports, then its action head."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from agent.config import ExperimentConfig
from agent.files.bundle import CHECKPOINT
from agent.files.folders import RUN, writing_into
from agent.files.remote import Place
from agent.training import ranks
from agent.training.head import Report, teach_head
from agent.training.recorder import record
from agent.training.reports import TrainStatistics
from agent.training.trainer import Trainer


def train_world_model(
    data: Place | str,
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
    with trainer_of(data, out, config, resume, begin) as trainer:
        yield from reports_of(trainer)
        finish(trainer, teaching)


@contextmanager
def trainer_of(
    data: Place | str, out: Path, config: ExperimentConfig, resume: bool, begin: Path | None
) -> Iterator[Trainer]:
    """A trainer that alone may write into ``out``; one a rank, of which the first writes."""
    with ranks.joined(config.training.device):
        nobody: AbstractContextManager[None] = nullcontext()
        with writing_into(out, RUN) if ranks.is_first() else nobody:
            yield ranks.by_all(lambda: Trainer(data, out, config, resume, begin))


def reports_of(trainer: Trainer) -> Iterator[TrainStatistics]:
    """Train to the end; the first rank keeps the reports in the directory of the run."""
    return record(trainer.run(), trainer.out) if ranks.is_first() else trainer.run()


def finish(trainer: Trainer, teaching: Report) -> None:
    """Teach the action head, on the first rank; ``teaching`` is told how far it is."""
    if ranks.is_first():
        config = trainer.config
        teach_head(
            trainer.out / CHECKPOINT, trainer.episodes, trainer.train_ids, config.training,
            config.head, teaching,
        )  # fmt: skip
