"""Results of known outcome."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from agent.evaluation.provenance import BoughtWith, Origin
from agent.evaluation.results import summarise
from agent.interfaces import EpisodeResult

Result = dict[str, Any]


def result_of(
    touched: Sequence[bool],
    controller: str = "sac",
    protocol: str = "lewm",
    training_seed: int | None = 0,
    env_steps: int | None = 1000,
    solved: Sequence[int] = (),
) -> Result:
    """A result whose episode i touched, and held, if ``touched[i]``."""
    episodes = [
        EpisodeResult(i, i in solved, hit, hit, 3 if hit else None, 0.01 * i, (1.0, 3.0))
        for i, hit in enumerate(touched)
    ]
    origin = Origin(training_seed, BoughtWith(env_steps, 60.0)) if env_steps else None
    return summarise(
        episodes,
        controller=controller,
        protocol=protocol,
        seed=5,
        command="evaluate",
        origin=origin,
    )


@pytest.fixture
def make_result() -> Callable[..., Result]:
    return result_of
