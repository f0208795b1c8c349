"""A worker that asks for workers does their work itself: it may have no children."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable

import pytest

from agent.cluster import crew_for


class Squares:
    """Each task squared, and who did it."""

    def begin(self) -> Callable[[int], tuple[int, str]]:
        return lambda task: (task**2, multiprocessing.current_process().name)


class Sums:
    """The sum of the first squares, by a crew of its own."""

    def begin(self) -> Callable[[int], tuple[int, set[str]]]:
        return self._sum

    def _sum(self, task: int) -> tuple[int, set[str]]:
        with crew_for(Squares(), 2, task) as crew:
            found = [square for _, square in crew.make(range(task))]
        return sum(square for square, _ in found), {name for _, name in found}


def test_a_crew_within_a_worker_is_the_worker() -> None:
    with crew_for(Sums(), 2, 2) as crew:
        found = [sums for _, sums in crew.make([4, 3])]
    assert [total for total, _ in found] == [14, 5]
    assert {name for _, names in found for name in names} <= {"worker-0", "worker-1"}


def test_a_crew_of_this_process_is_others() -> None:
    with crew_for(Squares(), 2, 2) as crew:
        names = {name for _, (_, name) in crew.make([1, 2])}
    assert multiprocessing.current_process().name not in names


class OddError(Exception):
    """Cannot be made again from what pickle keeps of it."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)


class Odd:
    """Answers that cannot go from process to process."""

    def begin(self) -> Callable[[str], object]:
        return self._answer

    def _answer(self, task: str) -> object:
        if task == "raise":
            raise OddError("one", "two")
        return lambda: None


@pytest.mark.parametrize(
    ("task", "kind", "told"),
    [("raise", RuntimeError, "OddError"), ("return", TypeError, "cannot go from process")],
)
def test_what_cannot_travel_is_told_and_no_worker_is_lost(
    task: str, kind: type[Exception], told: str
) -> None:
    with crew_for(Odd(), 1, 1) as crew, pytest.raises(kind, match=told):
        list(crew.as_done([task]))
