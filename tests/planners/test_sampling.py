"""Noise of a known colour, and the best plan whatever the costs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from planners import ActionBounds, SeededNoise
from planners.sampling import as_plans, autoregressive, cheapest, coloured, plan_noise
from planners.search import Search


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_the_spectrum_falls_as_asked(exponent: float) -> None:
    noise = coloured(SeededNoise((0,)).normal((4000, 64, 2)), exponent)
    power = np.square(np.abs(np.fft.rfft(noise, axis=2))).mean((0, 1, 3))
    slope = math.log(float(power[16] / power[2])) / math.log(16 / 2)
    assert slope == pytest.approx(-exponent, abs=0.1)
    assert float(noise.std()) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("ticks", [1, 2, 3])
def test_noise_of_a_single_tick_stays_finite(ticks: int) -> None:
    noise = coloured(SeededNoise((0,)).normal((50, ticks, 1)), 2.0)
    assert np.isfinite(noise).all() and noise.std() > 0.1


def test_noise_has_unit_variance_and_the_asked_correlation_in_time() -> None:
    plans = np.zeros((1, 3, 2, 2), np.float32)  # 3 planner steps of 2 ticks: 6 times in a row
    noise = autoregressive(plan_noise(SeededNoise((0,)), 8000, plans), 0.6)[0]  # (N, 6, A)
    np.testing.assert_allclose(noise.std(0), 1, atol=0.04)
    lags = np.abs(np.arange(6)[:, None] - np.arange(6))
    for action in (0, 1):
        np.testing.assert_allclose(np.corrcoef(noise[:, :, action].T), 0.6**lags, atol=0.05)
    assert np.abs((noise[:, :, 0] * noise[:, :, 1]).mean(0)).max() < 0.05
    shaped = as_plans(noise[None], plans)
    assert shaped.shape == (1, 8000, 3, 2, 2)
    np.testing.assert_array_equal(shaped[0, :, 1, 0], noise[:, 2])


def test_the_cheapest_come_first() -> None:
    candidates = np.arange(8.0).reshape(2, 4, 1, 1, 1)
    costs = np.array([[3.0, 1.0, np.inf, 2.0], [0.0, 5.0, 4.0, 0.0]])
    found = cheapest(candidates, costs, 3).reshape(2, 3)
    np.testing.assert_array_equal(found, [[1, 3, 0], [4, 7, 6]])


def test_a_cost_that_is_not_a_number_never_wins() -> None:
    answers = iter([[[4.5]], [[math.nan, 5.0, 4.0]], [[math.nan, math.inf, math.nan]]])
    search = Search(
        lambda plans: np.array(next(answers)), np.full((1, 1, 1, 1), 9.0), ActionBounds(0.0, 10.0)
    )
    candidates = np.arange(3.0).reshape(1, 3, 1, 1, 1)
    for tried, best in ((search.best[:, None], 9.0), (candidates, 2.0), (candidates, 2.0)):
        search.try_all(tried)
        assert search.best.item() == best
    assert search.cost.item() == 4.0
