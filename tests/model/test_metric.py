"""Commute-time metric on processes whose rates are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.model.metric import commute_time_metric, slow_directions

Array = NDArray[np.float64]
SLOW, FAST = 0.98, 0.6  # correlation from frame to frame


def ou_episodes(keeps: tuple[float, ...], episodes: int = 40, frames: int = 1000) -> list[Array]:
    """Independent stationary OU processes of unit variance, one a column."""
    rng, keep = np.random.default_rng(0), np.array(keeps)
    z = np.empty((frames, episodes, len(keeps)))
    z[0] = rng.standard_normal(z.shape[1:])
    for t in range(1, frames):
        z[t] = keep * z[t - 1] + np.sqrt(1 - keep**2) * rng.standard_normal(z.shape[1:])
    return list(z.transpose(1, 0, 2))


def distances(episodes: list[Array], metric: Array) -> Array:
    points = np.concatenate(episodes)[::997]
    return np.linalg.norm((points[:, None] - points[None]) @ metric, axis=-1)


@pytest.mark.parametrize("lag", [1, 2])
def test_rates_are_those_of_the_process(lag: int) -> None:
    rates, _ = slow_directions(ou_episodes((FAST, SLOW)), lag)
    expected = [2 * (1 - SLOW**lag), 2 * (1 - FAST**lag)]  # slowest first
    np.testing.assert_allclose(rates, expected, rtol=0.05)


def test_a_direction_weighs_one_over_the_root_of_its_rate() -> None:
    metric = commute_time_metric(ou_episodes((FAST, SLOW)), lag=2, directions=2)
    fast, slow = np.linalg.norm(metric, axis=1)  # length of a unit step along each axis
    assert slow / fast == pytest.approx(np.sqrt((1 - FAST**2) / (1 - SLOW**2)), rel=0.05)


def test_distances_do_not_depend_on_how_the_embedding_is_written() -> None:
    episodes = ou_episodes((FAST, 0.9, SLOW), episodes=10)
    mixing = np.random.default_rng(1).standard_normal((3, 3))
    mixed = [z @ mixing for z in episodes]
    before = distances(episodes, commute_time_metric(episodes, 2, 3))
    after = distances(mixed, commute_time_metric(mixed, 2, 3))
    apart = before > 0
    ratio = after[apart] / before[apart]  # the overall scale is free
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-3)


def test_far_poses_on_a_line_stay_far_where_plain_distance_saturates() -> None:
    """A slow walk on a line, seen through bumps: plain distance forgets how far, this one less."""
    walk = [np.cumsum(0.02 * z[:, :1], 0) for z in ou_episodes((0.0,), 30, 2000)]
    walk = [np.abs((x + 1) % 4 - 2) - 1 for x in walk]  # reflected into [-1, 1]
    centres = np.linspace(-1.2, 1.2, 9)
    embedded = [np.exp(-((x - centres) ** 2) / 0.08) for x in walk]
    metric = commute_time_metric(embedded, 2, 9)
    line = np.linspace(-0.9, 0.9, 37)
    bumps = np.exp(-((line[:, None] - centres) ** 2) / 0.08) - np.exp(
        -((-0.9 - centres) ** 2) / 0.08
    )

    def reach(matrix: Array) -> float:
        """Correlation of the distance from one end with the true one."""
        return float(np.corrcoef(np.linalg.norm(bumps @ matrix, axis=1), line)[0, 1])

    assert reach(np.eye(9)) < 0.8 < 0.95 < reach(metric)


def test_scale_does_not_depend_on_the_embedding() -> None:
    for scale in (0.01, 1.0, 50.0):
        metric = commute_time_metric([scale * z for z in ou_episodes((FAST, SLOW), 5, 200)], 2, 2)
        assert (metric**2).mean() == pytest.approx(1 / 2)


def test_a_dead_direction_does_not_drown_the_others() -> None:
    episodes = ou_episodes((FAST, SLOW), 5, 400)
    padded = [np.column_stack([z, np.full(len(z), 0.3)]) for z in episodes]
    metric = commute_time_metric(padded, 2, 3)
    assert np.isfinite(metric).all()
    weights = np.linalg.norm(metric, axis=1)
    assert weights[:2].min() > 1e-4 * weights[2]


def test_episodes_shorter_than_the_lag_are_refused() -> None:
    with pytest.raises(ValueError, match="lag=3"):
        commute_time_metric([np.zeros((3, 2)), np.zeros((1, 2))], lag=3, directions=1)
    with pytest.raises(ValueError, match="lag >= 1"):
        commute_time_metric([np.zeros((3, 2))], lag=0, directions=1)


def test_only_the_slowest_directions_are_kept() -> None:
    metric = commute_time_metric(ou_episodes((FAST, SLOW)), lag=2, directions=1)
    fast, slow = np.abs(metric[:, 0])
    assert metric.shape == (2, 1) and slow > 20 * fast
    with pytest.raises(ValueError, match="directions"):
        commute_time_metric(ou_episodes((FAST, SLOW), 2, 50), lag=2, directions=3)
