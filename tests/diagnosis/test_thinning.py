"""How far apart frames must be to count as independent."""

from __future__ import annotations

import numpy as np
import pytest

from agent.diagnosis.thinning import memory_frames


def swinging(seed: int, episodes: int = 40, frames: int = 200, period: float = 12.0,
             decay: float = 20.0) -> np.ndarray:  # fmt: skip
    """Stationary, Gaussian, (E, T, 2); correlated by exp(-lag/decay) cos(2 pi lag/period)."""
    rng = np.random.default_rng(seed)
    turn = np.exp(-1 / decay + 2j * np.pi / period)
    drawn = rng.normal(size=(frames, episodes, 2, 2)) @ np.array([1, 1j])
    path = [drawn[0]]
    for noise in drawn[1:]:
        path.append(turn * path[-1] + np.sqrt(1 - abs(turn) ** 2) * noise)
    return np.stack(path, 1).real


@pytest.mark.parametrize("seed", range(3))
def test_what_swings_is_remembered_until_it_no_longer_comes_back(seed: int) -> None:
    memory = memory_frames(swinging(seed))
    assert 24 <= memory <= 42  # exp(-lag/20) is .2 after 32; its quarter period is 3
    assert memory_frames(swinging(seed, decay=1e6)) > 100  # it always does: an episode each


@pytest.mark.parametrize("seed", range(3))
def test_what_does_not_swing_is_forgotten_when_it_was(seed: int) -> None:
    rng = np.random.default_rng(seed)
    path = [rng.normal(size=(20, 4))]
    for _ in range(119):
        path.append(0.8 * path[-1] + 0.6 * rng.normal(size=(20, 4)))
    assert 5 <= memory_frames(np.stack(path, 1)) <= 11  # .8 ** 7.2 is .2
