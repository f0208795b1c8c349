"""Measuring by processes: news of each job, and what a failure of one does to the others."""

import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

from agent.commands import measuring
from agent.errors import MachineError, UserError


def test_a_finished_job_is_told_however_much_news_there_is() -> None:
    class Chatty:
        def get(self, timeout: float) -> tuple[int, int]:
            time.sleep(min(timeout, 0.01))
            return 1, 3

    done: Future[dict[str, Any]] = Future()
    done.set_result({})
    told: list[tuple[int, int]] = []
    watched = measuring._watch(
        [done, Future()],
        Chatty(),  # type: ignore[arg-type]
        [5, 9],
        lambda *now: told.append(now[:2]),  # type: ignore[arg-type]
    )
    assert next(watched) == 0
    assert told == [(8, 14)]


def test_a_refusal_is_an_outcome_and_a_lost_process_ends_all() -> None:
    refused: Future[dict[str, Any]] = Future()
    refused.set_exception(UserError("it will not"))
    assert isinstance(measuring._outcome(refused), UserError)
    lost: Future[dict[str, Any]] = Future()
    lost.set_exception(BrokenProcessPool())
    with pytest.raises(MachineError, match=r"fewer --workers.*__main__"):
        measuring._outcome(lost)
