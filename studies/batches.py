"""Which features a batch chooses: the rule for circles, where batches are what they are.

An encoder that is trained on batches of N pairs, each whitened by its own covariance C with the
covariance Δ of its steps, does not ask for the D slowest features but for those whose mean over
batches of

    tr(C⁻¹ Δ)

is least. For as many pairs as one likes C is the identity, and the D slowest features have it:
the rule. In a batch, features with long tails, as a line's higher powers have, hang together with
one another by chance, and cost more; bounded ones, as those of circles and intervals, do not.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agent.errors import UserError
from studies.objectives import RIDGE
from studies.products import Product

SAMPLES = 2**20  # pairs in all, so that features a hundredth of a rate apart are told apart
MORE = 8  # features looked at beyond those that fit


def r2_in_batches(
    product: Product, outputs: int, pairs: int, samples: int = SAMPLES
) -> list[float]:
    """Linear R² of each coordinate's first features where batches are of ``pairs`` pairs.

    Of ``samples`` pairs in all. The features are chosen one after the other, each time the one with
    which the mean is least; of a circle's two, one alone is half of its first features.

    Raises:
        UserError: unless there is an output or more, and a batch or more of those samples.
    """
    if outputs < 1 or not 1 < pairs <= samples:
        raise UserError(
            f"expected one output or more and batches of 2 to {samples} pairs, got {outputs} and "
            f"{pairs}"
        )
    features = product.slowest(outputs + MORE)
    generator = torch.Generator().manual_seed(0)
    spread, change = zip(
        *(_moments(product, len(features), pairs, generator) for _ in range(samples // pairs)),
        strict=True,
    )
    chosen = _least(torch.stack(spread), torch.stack(change), outputs)
    found = []
    for number in range(len(product.coordinates)):
        first = [place for place, degrees in enumerate(features) if _is_first(degrees, number)]
        found.append(len(set(first) & set(chosen)) / len(first))
    return found


def _is_first(degrees: tuple[int, ...], number: int) -> bool:
    return degrees[number] == 1 == sum(degrees)


def _moments(
    product: Product, count: int, pairs: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """C and Δ (count, count) of the slowest features in one batch, as whitening has them."""
    both = torch.cat(product.sample(pairs, generator)).double()
    values = product.embedding(both, count)
    centred = values - values.mean(0)
    ridge = RIDGE * torch.eye(count, dtype=centred.dtype)
    steps = centred[pairs:] - centred[:pairs]
    return centred.T @ centred / len(centred) + ridge, steps.T @ steps / pairs


def _least(spread: Tensor, change: Tensor, outputs: int) -> list[int]:
    """Places of the features chosen, from C and Δ (batches, M, M)."""
    chosen: list[int] = []
    for _ in range(outputs):
        left = [place for place in range(spread.shape[1]) if place not in chosen]
        costs = [_cost(spread, change, [*chosen, place]) for place in left]
        chosen.append(left[costs.index(min(costs))])
    return chosen


def _cost(spread: Tensor, change: Tensor, places: list[int]) -> float:
    some = torch.tensor(places)
    within = (slice(None), some[:, None], some)
    solved = torch.linalg.solve(spread[within], change[within])
    return float(solved.diagonal(dim1=1, dim2=2).sum(1).mean())
