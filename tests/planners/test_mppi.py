"""What is MPPI's own: its temperature follows the costs that matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from known_costs import Array, Quadratic

from planners import ActionBounds, MPPIPlanner, SeededNoise

STILL = np.zeros((3, 2, 1, 2), np.float32)


def costs_of(quadratic: Quadratic, wrong: float | None) -> Array:
    """Costs (3,) with the usual settings, one candidate in each batch being absurd."""

    def price(plans: Array) -> Array:
        costs = quadratic(plans)
        if wrong is not None:
            costs[:, -1] = wrong
        return costs

    return MPPIPlanner().plan(price, STILL, ActionBounds(), SeededNoise((1, 2, 3))).cost


@pytest.mark.parametrize("wrong", [1e6, 1e30, np.inf, np.nan])
def test_one_absurd_cost_does_not_freeze_it(quadratic: Quadratic, wrong: float) -> None:
    """Were the temperature stretched, the mean would be that of all samples, good and bad."""
    before = quadratic(STILL[:, None])[:, 0]
    clean, spoilt = costs_of(quadratic, None), costs_of(quadratic, wrong)
    assert (spoilt < before).all()
    np.testing.assert_allclose(spoilt, clean, atol=0.02)


def test_the_scale_of_the_cost_does_not_matter(quadratic: Quadratic) -> None:
    found = [
        MPPIPlanner()
        .plan(
            lambda plans, scale=scale: scale * quadratic(plans),  # type: ignore[misc]
            STILL, ActionBounds(), SeededNoise((1, 2, 3)),
        )
        .actions
        for scale in (np.float32(1 / 1024), np.float32(1024))
    ]  # fmt: skip
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)


@pytest.mark.parametrize(
    "wrong", [{"samples": 1}, {"iterations": 0}, {"temperature": 0.0}, {"std": 0.0},
              {"correlation": 1.0}],
)  # fmt: skip
def test_senseless_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"expected .*{next(iter(wrong))}"):
        MPPIPlanner(**wrong)
