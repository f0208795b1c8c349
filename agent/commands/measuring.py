"""Several measurements at once, one process and one torch thread each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agent.cluster import crew_for
from agent.cluster.serving import tell
from agent.commands.progress import Update, progress
from agent.errors import UserError


class Job(Protocol):
    """A measurement, or something else that takes as long as a number of episodes."""

    @property
    def episodes(self) -> int:
        """What it counts for among the others."""

    def run(self, update: Update) -> dict[str, Any]:
        """Do it; what came of it, by name."""


@dataclass(frozen=True)
class Measuring:
    """A work of ``agent.cluster``: a task is a measurement, its result what came of it."""

    def begin(self) -> Callable[[Job], dict[str, Any] | UserError]:
        """Nothing is shared by the measurements."""
        return _measured


def _measured(job: Job) -> dict[str, Any] | UserError:
    told = 0

    def update(done: int, total: int, text: str = "") -> None:
        nonlocal told
        if done != told:
            tell(done)
            told = done

    try:
        return job.run(update)
    except UserError as refusal:
        return refusal


def measure_each(
    jobs: Sequence[Job], workers: int, cluster: str = "", called: str = "evaluating"
) -> Iterator[tuple[int, dict[str, Any] | UserError]]:
    """The number and result of each job as soon as it is done, with one bar for all episodes.

    On a ``cluster``, all of which is used, or on this machine each worker uses one core, so the
    time of a decision is that of one core. A job that a controller refuses gives the refusal, and
    the others go on; any other failure ends all of them: MachineError where a worker was killed.
    """
    done = [0] * len(jobs)
    asked = [job.episodes for job in jobs]
    crew = crew_for(Measuring(), None if cluster else workers, len(jobs), cluster)
    with progress(f"{called}, episodes") as update, crew:

        def heard(number: int, played: int) -> None:
            done[number] = played
            update(sum(done), sum(asked))

        crew.heard = heard
        update(0, sum(asked))
        for number, outcome in crew.as_done(jobs):
            if isinstance(outcome, UserError):  # no more of it will be played
                asked[number] = done[number]
            heard(number, asked[number])
            yield number, outcome
