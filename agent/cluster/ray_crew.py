"""A crew of Ray's workers.

Ray places tasks, and repeats on another worker or node what was lost with one; only this process
hands results on, so nothing is lost and nothing comes twice. A worker is a fresh process that opens
its work once, chooses its own OpenGL, and has one thread.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from agent.cluster.crew import Crew, R, T, Work
from agent.cluster.ray_session import LOCAL, ray_session
from agent.cluster.ray_worker import do_task
from agent.cluster.serving import Failed
from agent.errors import MachineError
from agent.machine.cores import usable_cores

TRIES = 20  # of a task whose worker or node is lost; more, and the task itself is what kills them
_AHEAD = 2  # tasks a core of the cluster, so that none waits for this process


class RayCrew(Crew[T, R]):
    """Workers of the cluster at ``address``, ``workers`` at most; a context manager."""

    def __init__(self, work: Work[T, R], address: str, workers: int | None, tasks: int) -> None:
        self._work, self._address, self._workers = work, address, workers
        self._cpus = min(workers or usable_cores(), max(1, tasks))  # of a cluster started here
        self._open = ExitStack()
        self._ray: Any = None

    def __enter__(self) -> Self:
        self._ray = self._open.enter_context(ray_session(self._address, self._cpus))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def as_done(self, tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        """The number of each task with its result; MachineError if it takes every worker along."""
        remote, here = self._remote(), str(Path.cwd())
        job, work = uuid.uuid4().hex, self._ray.put(self._work)
        waiting = iter(enumerate(tasks))
        busy: dict[Any, int] = {}
        try:
            while True:
                for number, task in islice(waiting, max(0, self._room() - len(busy))):
                    busy[remote.remote(job, work, here, task)] = number
                if not busy:
                    return
                ready, _ = self._ray.wait(list(busy), num_returns=1)
                yield busy.pop(ready[0]), self._result(ready[0])
        finally:
            for ref in busy:
                self._ray.cancel(ref, force=True)

    def _remote(self) -> Any:
        variables = {"OMP_NUM_THREADS": "1"}
        chosen = os.environ.get("MUJOCO_GL")
        return self._ray.remote(do_task).options(
            num_cpus=1,
            max_retries=TRIES,
            runtime_env={"env_vars": variables | ({"MUJOCO_GL": chosen} if chosen else {})},
        )

    def _room(self) -> int:
        if self._workers is not None or self._address == LOCAL:
            return self._workers or self._cpus
        return _AHEAD * max(1, int(self._ray.cluster_resources().get("CPU", 0)))

    def _result(self, ref: Any) -> R:
        errors = self._ray.exceptions
        try:
            answer = self._ray.get(ref)
        except errors.RayTaskError as error:
            raise error.cause from None
        except errors.RayError as error:
            raise MachineError(
                f"the cluster lost a task {TRIES} times: {str(error).splitlines()[0]}. Everything "
                "committed is kept: run the same command again to continue"
            ) from error
        if isinstance(answer, Failed):
            raise answer.error
        return cast(R, answer)
