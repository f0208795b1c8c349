"""What batches choose: the rule where they are large, and bounded features at any size."""

from __future__ import annotations

import pytest

from studies.batches import r2_in_batches
from studies.circles_study import coordinates
from studies.products import Product, predicted_r2

FEW = 2**17  # pairs in all


@pytest.mark.parametrize(
    ("world", "ratio", "outputs"),
    [("line, line", 2.5, 2), ("line, line", 4.5, 4), ("line, circle", 2.5, 3),
     ("circle, line", 5.5, 6)],
)  # fmt: skip
def test_large_batches_choose_by_the_rule(world: str, ratio: float, outputs: int) -> None:
    parts = coordinates(world, ratio)
    found = r2_in_batches(Product(parts), outputs, 2**14, 2**18)
    assert found == predicted_r2(parts, outputs)


@pytest.mark.parametrize("ratio", [2.5, 5.5])
@pytest.mark.parametrize(("world", "outputs"), [("circle, circle", 4), ("circle, interval", 6)])
def test_bounded_features_are_chosen_by_the_rule_in_small_batches(
    world: str, ratio: float, outputs: int
) -> None:
    parts = coordinates(world, ratio)
    assert r2_in_batches(Product(parts), outputs, 256, FEW) == predicted_r2(parts, outputs)


def test_small_batches_will_not_have_a_high_power() -> None:
    """The fourth power of a slow line comes before a line 5.5 times as fast, in large batches."""
    product = Product(coordinates("line, line", 5.5))
    assert r2_in_batches(product, 4, 256, FEW) == [1.0, 1.0]
    assert r2_in_batches(product, 4, 4096, 2**19) == [1.0, 0.0]
