"""The rule for circles: which features of a world change least, and how many must be kept.

A world is a product of coordinates that diffuse on their own: round a circle, between the stops of
an interval, or on a line with a pull to the middle (Ornstein-Uhlenbeck). Of all features with unit
variance and no correlation the eigenfunctions of the product's generator forget slowest. With r
the rate of a coordinate's own slowest feature they are

``circle``    cos kθ and sin kθ, of rate k²·r
``interval``  cos(jπx/ℓ), of rate j²·r
``line``      the Hermite polynomial of degree d, of rate d·r

and a product of features forgets at the sum of their rates. An embedding of D whitened outputs
that changes least spans the D slowest, so a coordinate is linear in it if its first feature is
among them. Two coordinates are within reach while neither's second feature outlasts the other's
first: up to a ratio of rates of 4 beside a slow circle or interval, 2 beside a slow line; beyond
it, and from three coordinates on (a product of two slow ones forgets at their sum), more outputs
than first features are needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import takewhile
from math import isfinite, prod
from typing import Literal

from agent.errors import UserError

Kind = Literal["circle", "interval", "line"]
COPIES = {"circle": 2, "interval": 1, "line": 1}  # features of each degree
POWER = {"circle": 2, "interval": 2, "line": 1}  # of the degree in the rate
# The second feature's rate over the first's.
LIMITS: dict[str, int] = {kind: 2**power for kind, power in POWER.items()}
TIE = 1e-6  # relative difference of rates below which no order is to be told
MOST_OUTPUTS = 4096


@dataclass(frozen=True)
class Coordinate:
    """A coordinate of the world, and the ``rate`` at which its slowest feature forgets.

    Any unit of time serves, one and the same for all coordinates: −ln of the feature's correlation
    after a step. UserError unless it is finite and above 0, or for a kind that is none.
    """

    name: str
    kind: Kind
    rate: float

    def __post_init__(self) -> None:
        if self.kind not in COPIES:
            raise UserError(f"expected a kind of {', '.join(COPIES)}, got {self.kind!r}")
        if not (isfinite(self.rate) and self.rate > 0):
            raise UserError(f"expected a finite rate above 0 of {self.name}, got {self.rate}")

    @property
    def copies(self) -> int:
        """How many features it has of each degree: a circle a sine and a cosine."""
        return COPIES[self.kind]


@dataclass(frozen=True)
class Feature:
    """``copies`` eigenfunctions of one ``rate``, of a degree in each coordinate, 0 for none."""

    rate: float
    degrees: tuple[int, ...]
    copies: int


def slowest(coordinates: Sequence[Coordinate]) -> Iterator[Feature]:
    """All features but the constant, without end, slowest first; UserError of no coordinate."""
    if not coordinates:
        raise UserError("expected one coordinate or more, got none")
    constant = (0,) * len(coordinates)
    waiting, met = [(0.0, constant)], {constant}
    while waiting:
        rate, degrees = heappop(waiting)
        if any(degrees):
            yield Feature(rate, degrees, _copies(coordinates, degrees))
        for i in range(len(coordinates)):
            higher = (*degrees[:i], degrees[i] + 1, *degrees[i + 1 :])
            if higher not in met:
                met.add(higher)
                heappush(waiting, (_rate(coordinates, higher), higher))


def outputs_needed(coordinates: Sequence[Coordinate]) -> int:
    """How many features forget no faster than the fastest coordinate's first.

    ``MOST_OUTPUTS`` stands for as many or more.
    """
    last = max((one.rate for one in coordinates), default=0.0) * (1 + TIE)
    count = 0
    for feature in takewhile(lambda feature: feature.rate <= last, slowest(coordinates)):
        count += feature.copies
        if count >= MOST_OUTPUTS:
            return MOST_OUTPUTS
    return count


def least_outputs(coordinates: Sequence[Coordinate]) -> int:
    """How many first features there are: below it something of the world is lost for certain."""
    return sum(one.copies for one in coordinates)


def _rate(coordinates: Sequence[Coordinate], degrees: Sequence[int]) -> float:
    pairs = zip(coordinates, degrees, strict=True)
    return sum(one.rate * float(degree) ** POWER[one.kind] for one, degree in pairs)


def _copies(coordinates: Sequence[Coordinate], degrees: Sequence[int]) -> int:
    pairs = zip(coordinates, degrees, strict=True)
    return prod(one.copies for one, degree in pairs if degree)
