"""Intervals over seeds and episodes against closed forms, symmetries and coverage."""

import numpy as np
import pytest
from scipy.stats import trim_mean

from agent.evaluation.statistics import wilson
from benchmarks.campaign.resampling import (
    _draws,
    _middles,
    difference_over_seeds,
    interquartile_mean_over_seeds,
    mean_over_seeds,
    rate_over_seeds,
)


def normal(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def test_without_variation_the_interval_is_the_value() -> None:
    found = mean_over_seeds(np.full((3, 40), 0.7))
    assert (found.value, found.low, found.high) == pytest.approx((0.7, 0.7, 0.7))


def test_width_of_an_additive_table_is_that_of_its_margins() -> None:
    # For a_s + b_e the resampled mean has variance var(a)/S + var(b)/E, both population variances.
    seeds, episodes = normal((12, 1)), 3.0 * normal((1, 400), 1)
    found = mean_over_seeds(seeds + episodes)
    deviation = np.sqrt(seeds.var() / 12 + episodes.var() / 400)
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(deviation, rel=0.05)


def test_seeds_that_differ_widen_what_many_episodes_narrow() -> None:
    table = np.zeros((3, 1000))
    table[0] = 1.0  # one seed of three always succeeds
    found = rate_over_seeds(table)
    assert found.value == pytest.approx(1 / 3)
    assert (found.low, found.high) == (0.0, 1.0)


def test_the_order_of_seeds_and_episodes_hardly_matters() -> None:
    table = (normal((3, 300)) > -1.0).astype(float)
    one, other = mean_over_seeds(table), mean_over_seeds(table[::-1, ::-1])
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.01)


def test_one_seed_that_never_fails_has_wilsons_interval() -> None:
    found, known = rate_over_seeds(np.ones((1, 300))), wilson(300, 300)
    assert (found.value, found.low, found.high) == (1.0, known.low, 1.0)


def test_a_rate_is_never_surer_than_wilson_on_its_episodes() -> None:
    for failures in (1, 20, 150):
        table = np.ones((3, 300))
        table[:, :failures] = 0.0
        found, known = rate_over_seeds(table), wilson(300 - failures, 300)
        assert known.low is not None and known.high is not None
        assert found.low <= known.low < known.high <= found.high


def test_95_of_100_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(200):
        table = (
            0.5 * rng.normal(size=(20, 1)) + rng.normal(size=(1, 100)) + rng.normal(size=(20, 100))
        )
        found = mean_over_seeds(table)
        held += found.low <= 0.0 <= found.high
    assert 0.90 <= held / 200 <= 0.99


def test_a_controller_does_not_differ_from_itself() -> None:
    episodes = np.tile(normal((1, 300)), (3, 1))
    found = difference_over_seeds(episodes, episodes)
    assert (found.value, found.low, found.high) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


def test_pairing_cancels_what_makes_an_episode_hard() -> None:
    hard = 5.0 * normal((1, 300))
    ours, theirs = hard + 0.3 + 0.1 * normal((3, 300), 1), hard + 0.1 * normal((2, 300), 2)
    found = difference_over_seeds(ours, theirs)
    assert 0.27 < found.low < 0.3 < found.high < 0.33
    alone = mean_over_seeds(ours)
    assert alone.high - alone.low > 10 * (found.high - found.low)


def test_swapping_the_controllers_swaps_the_sign() -> None:
    ours, theirs = normal((3, 100)), normal((3, 100), 1)
    one, other = difference_over_seeds(ours, theirs), difference_over_seeds(theirs, ours)
    assert one.value == pytest.approx(-other.value)
    assert one.low == pytest.approx(-other.high, abs=0.03)


def test_the_middle_half_ignores_both_tails() -> None:
    table = np.arange(400.0).reshape(1, -1)
    assert interquartile_mean_over_seeds(table).value == pytest.approx(199.5)
    table[0, :50], table[0, -50:] = -1e9, 1e9
    found = interquartile_mean_over_seeds(table)
    assert found.value == pytest.approx(199.5)
    assert 150 < found.low < 199.5 < found.high < 250


@pytest.mark.parametrize("shape", [(3, 40), (1, 7), (2, 1), (1, 1)])
def test_a_resample_of_the_middle_half_is_scipys_trimmed_mean(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(4).integers(-3, 9, shape).astype(float)  # with ties
    for (of_seeds, of_episodes), found in zip(
        _draws(*shape), _middles(values).reshape(-1, 250), strict=True
    ):
        seeds = np.repeat(np.arange(shape[0]), of_seeds[0])
        drawn = values[seeds][:, np.repeat(np.arange(shape[1]), of_episodes[0])]
        assert found[0] == pytest.approx(trim_mean(drawn.ravel(), 0.25), abs=1e-12)


def test_an_estimate_is_found_once_and_only_for_the_same_table() -> None:
    table = normal((3, 300), 11)
    first = interquartile_mean_over_seeds(table)
    assert interquartile_mean_over_seeds(table.copy()) is first
    assert interquartile_mean_over_seeds(table.reshape(1, -1)) != first
    table[0, 0] += 1e-3
    assert mean_over_seeds(table) != mean_over_seeds(normal((3, 300), 11))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3,)])
def test_what_is_no_table_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="seeds, episodes"):
        mean_over_seeds(np.zeros(shape))
    with pytest.raises(ValueError, match="the same episodes, got 3 and 4"):
        difference_over_seeds(np.zeros((1, 3)), np.zeros((1, 4)))
