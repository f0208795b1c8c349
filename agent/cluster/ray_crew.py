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
from typing import Any, Generic, Self, cast

from agent.cluster.crew import R, T, Work
from agent.cluster.ray_session import LOCAL, ray_session
from agent.cluster.ray_worker import do_task
from agent.cluster.serving import Failed
from agent.errors import MachineError
from agent.machine.cores import usable_cores

TRIES = 20  # of a task whose worker or node is lost; more, and the task itself is what kills them
_AHEAD = 2  # tasks a core of the cluster, so that none waits for this process


class RayCrew(Generic[T, R]):
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

    def make(self, tasks: Sequence[T]) -> Iterator[tuple[T, R]]:
        """Each task with its result, in the order of ``tasks``.

        What a worker raised is raised here; MachineError if a task takes every worker with it.
        """
        remote = self._remote()
        job, work, here = uuid.uuid4().hex, self._ray.put(self._work), str(Path.cwd())
        waiting = iter(enumerate(tasks))
        busy: dict[Any, int] = {}
        finished: dict[int, R] = {}
        try:
            for number, task in enumerate(tasks):
                while number not in finished:
                    for index, next_task in islice(waiting, max(0, self._room() - len(busy))):
                        busy[remote.remote(job, work, here, next_task)] = index
                    ready, _ = self._ray.wait(list(busy), num_returns=1)
                    for ref in ready:
                        finished[busy.pop(ref)] = self._result(ref)
                yield task, finished.pop(number)
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
