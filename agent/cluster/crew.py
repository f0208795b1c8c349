"""The seam: a ``Work`` says what a worker does with a task, a ``Crew`` has many workers do it.

A task is plain data that says all: whoever does it, where and how often, the result is the same. So
a crew may be processes of this machine (``processes``), those of a Ray cluster (``ray_crew``), or
none at all.
"""

from __future__ import annotations

import multiprocessing
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, Protocol, Self, TypeVar

from agent.errors import UserError

T = TypeVar("T")  # a task
R = TypeVar("R")  # its result
T_in = TypeVar("T_in", contravariant=True)
R_out = TypeVar("R_out", covariant=True)


class Work(Protocol[T_in, R_out]):
    """What the tasks of one job have in common; it travels to every worker by pickle."""

    def begin(self) -> Callable[[T_in], R_out]:
        """Open what is needed once in a worker, and return what does a task."""


class Crew(ABC, Generic[T, R]):
    """Workers; a context manager that leaves none behind.

    ``heard`` is called with the number of a task and what its worker, a process of this machine,
    tells on the way. What is done within a worker by a crew of its own is told by the worker.
    """

    heard: Callable[[int, int], None] = staticmethod(lambda number, done: None)

    @abstractmethod
    def as_done(self, tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        """The number of each task with its result, as soon as it is done.

        What a worker raised is raised here; MachineError if workers are lost for good.
        """

    def make(self, tasks: Sequence[T]) -> Iterator[tuple[T, R]]:
        """Each task with its result, in the order of ``tasks``; raises what ``as_done`` does."""
        done: dict[int, R] = {}
        coming = self.as_done(tasks)
        for number, task in enumerate(tasks):
            while number not in done:
                done.update([next(coming)])
            yield task, done.pop(number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *unused: object) -> None:
        return None


class InThisProcess(Crew[T, R]):
    """No worker: the tasks are done here, one after the other."""

    def __init__(self, work: Work[T, R]) -> None:
        self._work = work

    def as_done(self, tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Each task in turn."""
        do = self._work.begin()
        for number, task in enumerate(tasks):
            yield number, do(task)


def crew_for(work: Work[T, R], workers: int | None, tasks: int, cluster: str = "") -> Crew[T, R]:
    """A crew for ``tasks`` tasks.

    ``workers`` at most; None is every core there is. ``cluster`` is the address of a Ray cluster,
    ``local`` for one that is started here and ended afterwards, or empty for processes of this
    machine. A worker of a crew has no workers of its own: what it asks for is done in itself.

    Raises:
        UserError: for fewer workers than one.
        MachineError: on entering it, if there is no Ray, or the cluster does not answer.
    """
    if workers is not None and workers < 1:
        raise UserError(f"expected one worker or more, got {workers}")
    if cluster:
        from agent.cluster.ray_crew import RayCrew

        return RayCrew(work, cluster, workers, tasks)
    if multiprocessing.current_process().daemon:
        return InThisProcess(work)
    from agent.cluster.processes import Processes
    from agent.machine.cores import usable_cores

    return Processes(work, min(workers or usable_cores(), tasks))


def one_cluster(cluster: str, workers: int | None = None) -> AbstractContextManager[object]:
    """Crews of the body share one connection to ``cluster``; without one this does nothing."""
    if not cluster:
        return nullcontext()
    from agent.cluster.ray_session import ray_session
    from agent.machine.cores import usable_cores

    return ray_session(cluster, workers or usable_cores())
