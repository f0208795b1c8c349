"""Several measurements at once, one process and one torch thread each."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.queues import Queue
from queue import Empty
from typing import Any, Protocol

from agent.cluster import crew_for
from agent.cluster.processes import children_ignore_interrupts
from agent.cluster.serving import ignore_interrupts
from agent.commands.progress import Update, progress
from agent.errors import LOST_WORKER, MachineError, UserError
from agent.machine.temporary import ONE_THREAD_EACH, environment
from envs import fit_to_travel

_POLL_S = 0.2
_news: Queue[tuple[int, int]] | None = None  # set in the workers alone


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
    try:
        return job.run(lambda done, total, text="": None)
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
    if cluster:
        yield from _measure_on(cluster, jobs)
        return
    context = multiprocessing.get_context("spawn")
    news: Queue[tuple[int, int]] = context.Queue()
    with environment(ONE_THREAD_EACH), progress(f"{called}, episodes") as update:
        pool = ProcessPoolExecutor(workers, context, initializer=_start, initargs=(news,))
        try:
            with children_ignore_interrupts():  # while they import, too
                futures = [pool.submit(_run, number, job) for number, job in enumerate(jobs)]
            for number in _watch(futures, news, [job.episodes for job in jobs], update):
                yield number, _outcome(futures[number])
        except BrokenProcessPool as lost:  # while jobs were handed out
            raise _lost_worker() from lost
        except BaseException:
            for process in list((pool._processes or {}).values()):
                process.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _measure_on(
    cluster: str, jobs: Sequence[Job]
) -> Iterator[tuple[int, dict[str, Any] | UserError]]:
    with progress("evaluating, runs") as update:
        update(0, len(jobs))
        with crew_for(Measuring(), None, len(jobs), cluster) as crew:
            for done, outcome in enumerate(crew.as_done(jobs), 1):
                update(done, len(jobs))
                yield outcome


def _outcome(future: Future[dict[str, Any]]) -> dict[str, Any] | UserError:
    try:
        return future.result()
    except UserError as refusal:
        return refusal
    except BrokenProcessPool as lost:
        raise _lost_worker() from lost


def _lost_worker() -> MachineError:
    return MachineError(
        f"a measuring process was ended from outside, {LOST_WORKER}. What was finished is kept: "
        "run the same command again"
    )


def _watch(
    futures: Sequence[Future[dict[str, Any]]],
    news: Queue[tuple[int, int]],
    episodes: Sequence[int],
    update: Update,
) -> Iterator[int]:
    """Report progress until all are done; the number of each when it is.

    However many messages come in, what is done is told within ``_POLL_S``.
    """
    done = dict.fromkeys(range(len(futures)), 0)
    waiting = dict(enumerate(futures))
    while waiting:
        done |= _heard(news)
        finished = [number for number, future in waiting.items() if future.done()]
        played = [number for number in finished if futures[number].exception() is None]
        done |= {number: episodes[number] for number in played}
        update(sum(done.values()), sum(episodes))
        for number in finished:
            del waiting[number]
            yield number


def _heard(news: Queue[tuple[int, int]]) -> dict[int, int]:
    """Episodes played by job, of the messages that come in during ``_POLL_S``."""
    heard: dict[int, int] = {}
    end_s = time.monotonic() + _POLL_S
    while (left_s := end_s - time.monotonic()) > 0:
        try:
            number, count = news.get(timeout=left_s)
        except Empty:
            break
        heard[number] = count
    return heard


def _start(news: Queue[tuple[int, int]]) -> None:
    import torch

    global _news
    _news = news
    ignore_interrupts()
    torch.set_num_threads(1)


def _run(number: int, job: Job) -> dict[str, Any]:
    assert _news is not None
    news, last = _news, -1

    def update(done: int, total: int, text: str = "") -> None:
        nonlocal last
        if done != last:
            news.put((number, done))
            last = done

    try:
        return job.run(update)
    except Exception as error:
        raise fit_to_travel(error) from None
