"""Models that are known, and those of the usual kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from known_world import Points, exact_network, learned_network, three_points

from agent.model.world_model import WorldModel


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """These batches are too small to share."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def exact() -> WorldModel:
    """The point's own model."""
    return exact_network()


@pytest.fixture
def learned() -> WorldModel:
    """A network with random weights."""
    return learned_network()


@pytest.fixture
def points() -> Callable[[], Points]:
    """Three points at rest."""
    return three_points
