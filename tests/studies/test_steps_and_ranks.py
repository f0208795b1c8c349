"""Steps of whitened outputs, and rank correlations over settings: closed forms and refusals."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from agent.diagnosis.circles import Coordinate
from agent.errors import UserError
from studies.batches import r2_in_batches
from studies.intervals import rank_correlation
from studies.objectives import Objective
from studies.probes import white_step
from studies.products import Product
from studies.theory import Pairs, excess_alignment
from studies.wound import Wound
from studies.yardsticks import expected_statistic

RHO = np.array([0.9, 0.6])


def series(length: int = 20_000) -> np.ndarray:
    """Two stationary Gaussian numbers that are correlated by ``RHO`` from row to row."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((length, 2))
    for t in range(1, length):
        z[t] = RHO * z[t - 1] + np.sqrt(1 - RHO**2) * z[t]
    return z


def test_a_white_step_is_that_of_the_correlation_and_no_map_changes_it() -> None:
    z = series()
    pairs = np.arange(len(z) - 1), np.arange(1, len(z))
    expected = float((2 * (1 - RHO)).mean())
    assert white_step(z, pairs) == pytest.approx(expected, rel=0.03)
    bent = z @ np.array([[3.0, 1.0], [-2.0, 0.01]]) + 5
    assert white_step(bent, pairs) == pytest.approx(white_step(z, pairs), rel=1e-6)
    with_constant = np.column_stack([z, np.full(len(z), 7.0)])
    assert white_step(with_constant, pairs) == pytest.approx(white_step(z, pairs), rel=1e-6)


def test_seeds_of_one_setting_are_one_draw() -> None:
    """Twenty copies of three settings tell no more than three settings do."""
    rng = np.random.default_rng(0)
    first, second = [1.0, 2.0, 3.0], [1.0, 3.0, 2.0]
    many = rank_correlation(first * 20, second * 20, ["a", "b", "c"] * 20)
    apart = rank_correlation(first * 20, second * 20, range(60))
    assert many is not None and apart is not None
    assert many["rho"] == pytest.approx(apart["rho"]) == pytest.approx(0.5)
    assert many["high"] - many["low"] > 3 * (apart["high"] - apart["low"])
    x = rng.standard_normal(30).tolist()
    same = rank_correlation(x, np.exp(x).tolist(), range(30))
    assert same is not None
    assert list(same.values()) == pytest.approx([1, 1, 1])
    assert rank_correlation([1.0, 1.0, 1.0], x[:3], range(3)) is None


@pytest.mark.parametrize(
    ("first", "second"), [([1.0, np.nan, 2.0], [1.0, 2.0, 3.0]), ([1.0, 2.0], [1.0, 2.0, 3.0])]
)
def test_what_cannot_be_ranked_is_refused(first: list[float], second: list[float]) -> None:
    with pytest.raises(UserError, match="finite numbers and a group of each pair"):
        rank_correlation(first, second, range(3))


PRODUCT = Product((Coordinate("a", "circle", 0.1), Coordinate("b", "line", 0.2)))
RNG = torch.Generator()
ONES = np.random.default_rng(0).standard_normal((50, 2))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: excess_alignment(Pairs(ONES, ONES, ONES, ONES), 2.0), "rho from -1 to 1"),
        (lambda: excess_alignment(Pairs(ONES, ONES, ONES, ONES), np.nan), "rho from -1 to 1"),
        (lambda: expected_statistic(torch.full((9, 2), np.nan), 5, RNG), "finite"),
        (lambda: expected_statistic(torch.ones(9, 2), -5, RNG), "one sample or more"),
        (lambda: r2_in_batches(PRODUCT, 0, 8, 80), "one output or more"),
        (lambda: r2_in_batches(PRODUCT, 2, 0, 80), "batches of 2 to 80 pairs"),
        (lambda: r2_in_batches(PRODUCT, 2, 81, 80), "batches of 2 to 80 pairs"),
        (
            lambda: Coordinate("c", "sphere", 0.1),  # type: ignore[arg-type]
            "circle, interval, line, got 'sphere'",
        ),
        (lambda: Objective("foo"), "objective of .*lejepa.*got 'foo'"),
        (lambda: Wound(0.0), "spread above 0"),
        (lambda: Wound(np.nan), "spread above 0"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(call: Callable[[], object], told: str) -> None:
    with pytest.raises((UserError, ValueError), match=told):
        call()
