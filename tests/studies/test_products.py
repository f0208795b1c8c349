"""The rule for circles against closed forms and exact eigenfunctions, without any training."""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import pytest
import torch
from scipy.special import j0

from agent.diagnosis.circles import (
    MOST_OUTPUTS,
    Coordinate,
    Kind,
    least_outputs,
    outputs_needed,
    slowest,
)
from agent.errors import UserError
from agent.model.sigreg import SIGReg
from studies.metrics import linear_r2
from studies.products import Product, predicted_r2
from studies.yardsticks import expected_statistic


def world(*parts: tuple[Kind, float]) -> tuple[Coordinate, ...]:
    return tuple(Coordinate(f"{kind} {i}", kind, rate) for i, (kind, rate) in enumerate(parts))


@pytest.mark.parametrize(
    ("kind", "rates", "copies"),
    [("circle", [1, 4, 9, 16], 2), ("interval", [1, 4, 9, 16], 1), ("line", [1, 2, 3, 4], 1)],
)
def test_one_coordinate_has_its_own_spectrum(kind: Kind, rates: list[float], copies: int) -> None:
    found = list(islice(slowest(world((kind, 1.0))), 4))
    assert [feature.rate for feature in found] == rates
    assert all(feature.copies == copies for feature in found)


def test_a_product_has_all_sums_in_order() -> None:
    """A circle of rate 1 beside an interval of rate 3, by brute force."""
    found = list(islice(slowest(world(("circle", 1.0), ("interval", 3.0))), 12))
    sums = sorted(k**2 + 3 * j**2 for k in range(9) for j in range(9))[1:13]
    assert [feature.rate for feature in found] == sums
    assert [f.copies for f in found] == [2 if f.degrees[0] else 1 for f in found]


@pytest.mark.parametrize("kind", ["circle", "interval", "line"])
def test_features_are_white_and_forget_at_the_rate_the_rule_says(kind: Kind) -> None:
    product = Product(world((kind, 0.1), ("interval", 0.17)))
    generator = torch.Generator().manual_seed(0)
    here, there = product.sample(200_000, generator)
    count = sum(feature.copies for feature in islice(slowest(product.coordinates), 5))
    now, then = (product.embedding(z, count).double().numpy() for z in (here, there))
    rates = [f.rate for f in islice(slowest(product.coordinates), 5) for _ in range(f.copies)]
    assert np.abs(np.cov(now.T) - np.eye(count)).max() < 0.02
    assert (now * then).mean(0) == pytest.approx(np.exp(-np.array(rates)), abs=0.012)


@pytest.mark.parametrize("outputs", [1, 2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("ratio", [1.5, 2.5, 5.5])
@pytest.mark.parametrize(
    ("slow", "fast"),
    [("circle", "circle"), ("circle", "interval"), ("line", "circle"), ("interval", "line")],
)
def test_r2_of_the_slowest_features_is_as_predicted(
    slow: Kind, fast: Kind, ratio: float, outputs: int
) -> None:
    product = Product(world((slow, 1.0), (fast, ratio)))
    latents, _ = product.sample(4000, torch.Generator().manual_seed(1))
    embedded = product.embedding(latents, outputs).double().numpy()
    measured = [linear_r2(embedded, product.first(i, latents).double().numpy()) for i in (0, 1)]
    assert measured == pytest.approx(predicted_r2(product.coordinates, outputs), abs=0.02)


@pytest.mark.parametrize(("slow", "limit"), [("circle", 4.0), ("interval", 4.0), ("line", 2.0)])
def test_a_fast_coordinate_is_lost_past_the_limit_of_the_slow_one(slow: Kind, limit: float) -> None:
    below, above = (world((slow, 1.0), ("circle", limit * x)) for x in (0.99, 1.01))
    assert predicted_r2(below, least_outputs(below))[1] == 1
    assert predicted_r2(above, least_outputs(above))[1] < 1
    assert outputs_needed(below) == least_outputs(below) < outputs_needed(above)


def test_two_slow_circles_outrun_a_third_at_twice_their_rate() -> None:
    slow = (("circle", 1.0), ("circle", 1.0))
    assert outputs_needed(world(*slow, ("circle", 1.9))) == 6
    assert outputs_needed(world(*slow, ("circle", 2.1))) == 10  # the four products come first


def test_a_tie_is_shared() -> None:
    assert predicted_r2(world(("circle", 1.0)), 1) == [0.5]
    assert predicted_r2(world(("circle", 1.0), ("circle", 1.0)), 3) == [0.75, 0.75]
    assert predicted_r2(world(("line", 1.0), ("line", 2.0)), 2) == [1.0, 0.5]


def test_a_rule_of_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="rate above 0 of wrist, got 0"):
        Coordinate("wrist", "line", 0.0)
    with pytest.raises(UserError, match="one coordinate"):
        outputs_needed(())
    with pytest.raises(UserError, match="one output"):
        predicted_r2(world(("line", 1.0)), 0)


def test_a_world_of_extreme_rates_is_not_counted_out() -> None:
    assert outputs_needed(world(*(("line", 1.0),) * 5, ("line", 500.0))) == MOST_OUTPUTS


def test_the_yardstick_of_a_gaussian_is_that_of_sigreg_at_any_size() -> None:
    rows = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(0))
    for samples in (64, 4096):
        found = expected_statistic(rows, samples, torch.Generator().manual_seed(1))
        assert found == pytest.approx(1.0525, abs=0.1 + 1e-5 * samples)


def test_the_yardstick_of_a_circle_is_bessels() -> None:
    """Every direction of (√2 cos θ, √2 sin θ) has the characteristic function J₀(√2 t)."""
    angle = torch.arange(4096) * (2 * math.pi / 4096)
    rows = math.sqrt(2) * torch.stack([angle.cos(), angle.sin()], 1)
    regulariser = SIGReg()
    knots, weights = regulariser.knots.numpy(), regulariser.weights.numpy()
    law = j0(math.sqrt(2) * knots)
    asked = 512 * (law - np.exp(-(knots**2) / 2)) ** 2 + 1 - law**2
    found = expected_statistic(rows, 512, torch.Generator().manual_seed(0))
    assert found == pytest.approx(float(asked @ weights), rel=0.02)


def test_the_yardstick_is_what_sigreg_says_on_average() -> None:
    generator = torch.Generator().manual_seed(2)
    product = Product(world(("circle", 1.0), ("interval", 2.0)))
    rows = product.embedding(product.sample(40_000, generator)[0], 3)
    said = [float(SIGReg(256)(part, generator)) for part in rows.split(400)]
    found = expected_statistic(rows, 400, generator)
    assert found == pytest.approx(float(np.mean(said)), rel=0.05)
