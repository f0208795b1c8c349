"""Progress with the time left: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from agent.commands.console import note, notes

LINE_EVERY_S = 15.0
T = TypeVar("T")
Effort = Callable[[int], float]
"""How much work the first so many parts of a job are, where one part is not like another."""


class Update(Protocol):
    """Tells how far a job is; ``text`` is a figure worth watching."""

    def __call__(self, done: int, total: int, text: str = "") -> None:
        """``done`` of ``total`` are finished."""


@contextmanager
def progress(job: str, effort: Effort = float) -> Iterator[Update]:
    """Show how far ``job`` is while the body runs."""
    if notes.is_terminal:
        with _bar(job, effort) as update:
            yield update
    else:
        yield PlainLines(job, effort)


def follow(
    job: str,
    reports: Iterator[T],
    describe: Callable[[T], tuple[int, int, str]],
    effort: Effort = float,
) -> T | None:
    """Show each report of a job as (done, total, text); returns the last, None if there is none.

    However this ends, ``reports`` is closed, which is when trainings save what they have.
    """
    last: T | None = None
    try:
        with progress(job, effort) as update:
            for report in reports:
                update(*describe(report))
                last = report
    finally:
        close = getattr(reports, "close", None)
        if close is not None:
            close()
    return last


@contextmanager
def _bar(job: str, effort: Effort) -> Iterator[Update]:
    from rich import progress as rich_progress

    text = rich_progress.TextColumn
    columns = (
        text("{task.description}"),
        rich_progress.BarColumn(),
        text("{task.fields[count]}"),
        rich_progress.TimeRemainingColumn(),
        text("left  {task.fields[text]}"),
    )
    with rich_progress.Progress(*columns, console=notes) as bar:
        task = bar.add_task(job, total=None, text="", count="")

        def update(done: int, total: int, text: str = "") -> None:
            count = f"{done}/{total}"
            bar.update(task, completed=effort(done), total=effort(total), text=text, count=count)

        yield update


class PlainLines:
    """One line at the start, one every ``LINE_EVERY_S`` seconds, one at the end."""

    def __init__(self, job: str, effort: Effort = float) -> None:
        self._job, self._effort = job, effort
        self._start: tuple[float, float] | None = None  # time and work done at the first call
        self._last_s = float("-inf")
        self._told: tuple[int, str] | None = None

    def __call__(self, done: int, total: int, text: str = "") -> None:
        """``done`` of ``total`` are finished."""
        now_s = time.monotonic()
        self._start = self._start or (now_s, self._effort(done))
        if (done < total and now_s - self._last_s < LINE_EVERY_S) or (done, text) == self._told:
            return
        self._told = done, text
        self._last_s = now_s
        parts = [
            f"{self._job} {done}/{total}",
            self._left(now_s, self._effort(done), self._effort(total)),
            text,
        ]
        note("  ".join(part for part in parts if part))

    def _left(self, now_s: float, done: float, total: float) -> str:
        assert self._start is not None
        since_s, since = self._start
        if done <= since or done >= total:
            return ""
        return f"{duration((now_s - since_s) / (done - since) * (total - done))} left"


def duration(seconds: float) -> str:
    """Seconds as people say them: 8 s, 2 min 05 s, 1 h 03 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
