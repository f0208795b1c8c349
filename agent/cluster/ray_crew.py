"""A crew of Ray's workers.

Ray places tasks, and repeats on another worker or node what was lost with one; only this process
hands results on, so nothing is lost and nothing comes twice. A worker is a fresh process that opens
its work once, chooses its own OpenGL, and has one thread.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, Self, cast

from agent.cluster.crew import Crew, R, T, Work
from agent.cluster.ray_session import LOCAL, ray_session
from agent.cluster.serving import Failed, do_task
from agent.errors import MachineError
from agent.files.durable import FULL
from agent.machine.cores import usable_cores
from agent.machine.temporary import ONE_THREAD_EACH
from envs import GLError

TRIES = 20  # of a task whose worker or node is lost; more, and the task itself is what kills them
_AHEAD = 2  # tasks a core of the cluster, so that none waits for this process
LOOK_EVERY_S = 2.0  # for nodes that came or went
PATIENCE_S = 30.0
_log = logging.getLogger(__name__)


class RayCrew(Crew[T, R]):
    """Workers of the cluster at ``address``, ``workers`` at most; a context manager."""

    def __init__(self, work: Work[T, R], address: str, workers: int | None, tasks: int) -> None:
        self._work, self._address, self._workers = work, address, workers
        self._cpus = min(workers or usable_cores(), max(1, tasks))  # of a cluster started here
        self._open = ExitStack()
        self._ray: Any = None
        self._seen_cores, self._looked_s = 0, -LOOK_EVERY_S

    def __enter__(self) -> Self:
        self._ray = self._open.enter_context(ray_session(self._address, self._cpus))
        return self

    def __exit__(self, *unused: object) -> None:
        self._open.close()

    def as_done(self, tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        """The number of each task with its result; MachineError if it takes every worker along."""
        remote, here = self._remote(), str(Path.cwd())
        job, work = uuid.uuid4().hex, self._ray.put(self._work)
        waiting = iter(enumerate(tasks))
        busy: dict[Any, int] = {}

        def hand_out() -> None:
            for number, task in islice(waiting, max(0, self._room() - len(busy))):
                busy[remote.remote(job, work, here, task)] = number

        hand_out()
        try:
            while busy:
                ready = [(busy.pop(ref), ref) for ref in self._ready(list(busy))]
                hand_out()
                for number, ref in ready:
                    yield number, self._result(ref)
        finally:
            for ref in busy:
                self._ray.cancel(ref, force=True)

    def _ready(self, refs: list[Any]) -> list[Any]:
        """Those that are done, one at least."""
        ready: list[Any] = []
        while not ready:
            ready, _ = self._ray.wait(refs, num_returns=1, timeout=PATIENCE_S)
            if not ready and not self._cores():
                _log.warning("no node of the cluster has a core for this: waiting for one")
        return list(self._ray.wait(refs, num_returns=len(refs), timeout=0)[0])

    def _remote(self) -> Any:
        chosen = os.environ.get("MUJOCO_GL")
        variables = ONE_THREAD_EACH | ({"MUJOCO_GL": chosen} if chosen else {})
        return self._ray.remote(do_task).options(
            num_cpus=1,
            max_retries=TRIES,
            runtime_env={"env_vars": variables},
        )

    def _room(self) -> int:
        """How many tasks may be with the cluster: Ray sees to it that each has a core."""
        if self._workers is not None and self._address != LOCAL:
            return self._workers
        return _AHEAD * max(1, self._cores())

    def _cores(self) -> int:
        """Of all nodes that are there now."""
        now_s = time.monotonic()
        if now_s - self._looked_s > LOOK_EVERY_S:
            self._seen_cores = int(self._ray.cluster_resources().get("CPU", 0))
            self._looked_s = now_s
        return self._seen_cores

    def _result(self, ref: Any) -> R:
        errors = self._ray.exceptions
        try:
            answer = self._ray.get(ref)
        except errors.OutOfDiskError as error:
            raise MachineError(
                "the disk of a node is full, its object store has no place left: free some space "
                "there. Everything committed is kept: run the same command again to continue"
            ) from error
        except errors.RayError as error:
            raise MachineError(
                f"the cluster cannot do a task, tried up to {TRIES} times: "
                f"{str(error).splitlines()[0]}. Everything committed is kept: run the same command "
                "again to continue"
            ) from error
        if isinstance(answer, Failed):
            raise _told_of(answer)
        return cast(R, answer)


def _told_of(failed: Failed) -> Exception:
    """What a node lacks is told with its name; what the user asked for is the same on all."""
    error = failed.error
    if isinstance(error, OSError) and error.errno in FULL:
        told = f"its disk is full ({error.filename or error}): free some space there"
    elif isinstance(error, (GLError, MachineError, MemoryError, ImportError)):
        told = str(error) or "no memory is left"
    else:
        return error
    said = MachineError(
        f"node {failed.node}: {told}. Everything committed is kept: run the same command again to "
        "continue, without that node if need be"
    )
    said.__cause__ = error
    return said
