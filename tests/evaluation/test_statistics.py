"""Wilson's interval against its closed form and textbook values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from agent.evaluation.statistics import Rate, in_digits, in_ms, median, percentile, wilson
from benchmarks.campaign.resampling import rate_over_seeds


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_known_intervals(successes: int, trials: int, low: float, high: float) -> None:
    found = wilson(successes, trials)
    assert found.rate == successes / trials
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def test_closed_form() -> None:
    z, n = 1.959963984540054, 300
    for k in (1, 150, 291, 299):
        p = k / n
        centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        found = wilson(k, n)
        assert (found.low, found.high) == pytest.approx((centre - half, centre + half), abs=1e-9)


def test_no_trial_is_no_rate() -> None:
    assert wilson(0, 0) == Rate(None, None, None)
    with pytest.raises(ValueError, match="successes <= trials"):
        wilson(3, 2)


def test_percentiles() -> None:
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert percentile(range(101), 95) == 95.0
    assert median([]) is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.00031234, "0.00031"), (1.23, "1.2"), (99.4, "99"), (99.7, "100"), (131.2, "131"), (0, "0")],
)
def test_no_power_of_ten_above_one(value: float, shown: str) -> None:
    assert in_digits(value) == shown


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(1, 1000), st.sampled_from(["none", "all", "some"]), st.floats(0.0, 1.0))
def test_intervals_are_scipys_and_hold_the_rate(trials: int, which: str, share: float) -> None:
    passed = {"none": 0, "all": trials, "some": int(share * trials)}[which]
    found = wilson(passed, trials)
    assert found.rate is not None and found.low is not None and found.high is not None
    assert 0.0 <= found.low <= found.rate <= found.high <= 1.0
    assert (found.low == 0.0) == (passed == 0) and (found.high == 1.0) == (passed == trials)
    # Wilson's ends are the rates whose normal score test just keeps what was seen.
    for end in {found.low, found.high} - {0.0, 1.0}:
        score = (found.rate - end) / np.sqrt(end * (1 - end) / trials)
        assert 2 * norm.sf(abs(score)) == pytest.approx(0.05, abs=1e-6)
    over_one_seed = rate_over_seeds(np.arange(trials)[None] < passed)
    assert over_one_seed.low <= found.low and over_one_seed.high >= found.high


@pytest.mark.parametrize(
    ("value", "shown"), [(0.000285, "< 0.01"), (0.0321, "0.0321"), (6.71, "6.71"), (131.2, "131")]
)
def test_a_time_has_three_digits_and_none_too_small_to_matter(value: float, shown: str) -> None:
    assert in_ms(value) == shown
