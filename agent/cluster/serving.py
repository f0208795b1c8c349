"""What a worker does, whoever started it: attempt tasks, and hand over results or what went wrong.

A worker never touches what the job is about on the disk unless its work says so. When the process
that started it dies, however it dies, the pipe ends and so does the worker.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import platform
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from agent.cluster.crew import Work
from envs import fit_to_travel

# Ctrl-C, and a terminal that is closed or lost, where the system has such a thing.
INTERRUPTS = [n for n in signal.Signals if n.name in ("SIGINT", "SIGHUP")]


@dataclass(frozen=True)
class Failed:
    """In place of a result: what was raised, and on which node of a cluster."""

    error: Exception
    node: str = ""


@dataclass(frozen=True)
class News:
    """Before a result: how far its task is."""

    done: int


_asked_by: Connection | None = None  # set in the processes of a crew alone
_opened: dict[str, Any] = {}  # by job: a worker of Ray serves one job, and opens its work once


def tell(done: int) -> None:
    """Tell whoever waits for the task at hand how far it is; elsewhere nobody hears it."""
    if _asked_by is not None:
        _asked_by.send(News(done))


def ignore_interrupts() -> None:
    """What reaches the whole group of processes is answered by the one that started this one."""
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)


def use_one_thread() -> None:
    """One worker is one busy core."""
    import cv2

    cv2.setNumThreads(1)


def serve(pipe: Connection, work: Work[Any, Any]) -> None:
    """Answer tasks until the other end of the pipe closes. Runs in its own process."""
    global _asked_by
    ignore_interrupts()
    use_one_thread()
    _asked_by = pipe
    try:
        with pipe:
            _answer_all(pipe, work)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # who started this is done or gone, and so are we: nobody is left to tell


def _answer_all(pipe: Connection, work: Work[Any, Any]) -> None:
    do = attempted(work.begin)
    if isinstance(do, Failed):
        pipe.send(do)
        return
    answer = None
    while not isinstance(answer, Failed):
        answer = attempted(do, pipe.recv())
        _send(pipe, answer)


def _send(pipe: Connection, answer: Any) -> None:
    """Hand over an answer, or that it cannot travel."""
    try:
        pipe.send(answer)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        pipe.send(Failed(TypeError(f"a result cannot go from process to process: {error}")))


def do_task(job: str, work: Work[Any, Any], directory: str, task: Any) -> Any:
    """The result of ``task`` in a worker of Ray, or ``Failed``.

    Relative names mean what they do in ``directory``.
    """
    if job not in _opened:
        with contextlib.suppress(OSError):  # a node that lacks it can still make worlds
            os.chdir(directory)
        use_one_thread()
        _opened.clear()
        _opened[job] = attempted(work.begin)
    do = _opened[job]
    answer = do if isinstance(do, Failed) else attempted(do, task)
    return Failed(answer.error, platform.node()) if isinstance(answer, Failed) else answer


def attempted(step: Callable[..., Any], *given: Any) -> Any:
    """What ``step`` returns, or ``Failed`` with what it raised and where."""
    try:
        return step(*given)
    except Exception as error:
        told = fit_to_travel(error)
        told.add_note(traceback.format_exc())
        return Failed(told)
