"""A crew of spawned processes of this machine, and what they made, in order."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Self, cast

from agent.cluster.crew import Crew, R, T, Work
from agent.cluster.serving import INTERRUPTS, Failed, News, serve
from agent.errors import LOST_WORKER, MachineError
from agent.machine.temporary import ONE_THREAD_EACH, answering, environment

STOP_TIMEOUT_S = 5.0


class Processes(Crew[T, R]):
    """``count`` workers; a context manager that leaves no process behind.

    The calling script needs the usual ``if __name__ == "__main__"`` guard of spawned processes.
    """

    def __init__(self, work: Work[T, R], count: int) -> None:
        self._work = work
        self._count = count
        self._workers: dict[Connection, SpawnProcess] = {}
        self._busy_with: dict[Connection, int] = {}  # the number of a task

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        try:
            with children_ignore_interrupts(), environment(ONE_THREAD_EACH):
                for number in range(self._count):
                    self._start(context, number)
        except BaseException:
            self._stop(at_once=True)
            raise
        return self

    def _start(self, context: multiprocessing.context.SpawnContext, number: int) -> None:
        ours, theirs = context.Pipe()
        worker = context.Process(
            target=serve, args=(theirs, self._work), name=f"worker-{number}", daemon=True
        )
        worker.start()
        theirs.close()  # so that the pipe ends when the worker does
        self._workers[ours] = worker

    def as_done(self, tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        """The number of each task with its result; MachineError if a worker dies."""
        waiting = iter(enumerate(tasks))
        for pipe in self._workers:
            self._hand_out(pipe, waiting)
        while self._busy_with:
            ready = wait(list(self._busy_with))
            for pipe in [pipe for pipe in self._busy_with if pipe in ready]:
                answer = self._receive(pipe)
                if isinstance(answer, News):
                    self.heard(self._busy_with[pipe], answer.done)
                    continue
                number = self._busy_with.pop(pipe)
                self._hand_out(pipe, waiting)
                yield number, answer

    def _hand_out(self, pipe: Connection, waiting: Iterator[tuple[int, T]]) -> None:
        given = next(waiting, None)
        if given is None:
            return
        number, task = given
        try:
            pipe.send(task)
        except BrokenPipeError as error:
            self._receive(pipe)  # the reason, where it could still tell one
            raise self._death(pipe) from error
        self._busy_with[pipe] = number

    def _receive(self, pipe: Connection) -> R | News:
        try:
            answer = pipe.recv()
        except (EOFError, ConnectionResetError) as lost:
            raise self._death(pipe) from lost
        if isinstance(answer, Failed):
            raise answer.error
        return cast(R | News, answer)

    def _death(self, pipe: Connection) -> MachineError:
        worker = self._workers[pipe]
        worker.join(STOP_TIMEOUT_S)
        return MachineError(
            f"a working process died with exit code {worker.exitcode}, {LOST_WORKER}. "
            "Everything committed is kept: run the same command again to continue"
        )

    def __exit__(self, kind: object, *unused: object) -> None:
        self._stop(at_once=kind is not None)

    def _stop(self, at_once: bool) -> None:
        for pipe, worker in self._workers.items():
            pipe.close()  # a waiting worker sees the end and leaves on its own
            if at_once:
                worker.terminate()
        for worker in self._workers.values():
            worker.join(STOP_TIMEOUT_S)
            if worker.is_alive():
                worker.kill()
                worker.join()


def children_ignore_interrupts() -> AbstractContextManager[None]:
    """Processes started in the body never see Ctrl-C or a lost terminal; their starter answers."""
    # A child inherits "ignore", so a Ctrl-C while it is still importing shows no traceback of its
    # own.
    return answering(dict.fromkeys(INTERRUPTS, signal.SIG_IGN))
