"""Several measurements at once, one process and one torch thread each."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing.queues import Queue
from queue import Empty
from typing import Any

from agent.commands.evaluate import Measurement
from agent.commands.progress import Update, progress

_POLL_S = 0.2
_news: Queue[tuple[int, int]] | None = None  # set in the workers alone
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "LP_NUM_THREADS")


def measure_all(jobs: Sequence[Measurement], workers: int) -> list[dict[str, Any]]:
    """The results of ``jobs`` in their order, with one progress bar for all episodes.

    Each worker uses one core, so the time of a decision is that of one core.
    """
    context = multiprocessing.get_context("spawn")
    news: Queue[tuple[int, int]] = context.Queue()
    with _one_thread_each(), progress("evaluating, episodes") as update:
        pool = ProcessPoolExecutor(workers, context, initializer=_start, initargs=(news,))
        try:
            futures = [pool.submit(_run, number, job) for number, job in enumerate(jobs)]
            _watch(futures, news, sum(job.episodes for job in jobs), update)
            return [future.result() for future in futures]
        except BaseException:
            for process in list((pool._processes or {}).values()):
                process.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _watch(
    futures: Sequence[Future[dict[str, Any]]],
    news: Queue[tuple[int, int]],
    total: int,
    update: Update,
) -> None:
    """Report until all are done, or one has failed."""
    done = dict.fromkeys(range(len(futures)), 0)
    while True:
        try:
            while True:
                number, count = news.get(timeout=_POLL_S)
                done[number] = count
        except Empty:
            update(sum(done.values()), total)
        finished = wait(futures, timeout=0).done
        if len(finished) == len(futures) or any(future.exception() for future in finished):
            return


def _start(news: Queue[tuple[int, int]]) -> None:
    import torch

    global _news
    _news = news
    torch.set_num_threads(1)


def _run(number: int, job: Measurement) -> dict[str, Any]:
    assert _news is not None
    news, last = _news, -1

    def update(done: int, total: int, text: str = "") -> None:
        nonlocal last
        if done != last:
            news.put((number, done))
            last = done

    return job.run(update)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Workers started in the body inherit an environment that asks for one thread."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
