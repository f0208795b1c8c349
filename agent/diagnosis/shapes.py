"""Which coordinates are circles, intervals or lines, and how fast each is.

A column with a period is a circle where its values cover all of it; one that stays on an arc is
judged like the others. A column without is an interval where its law is flat-topped, as between
stops, else a line. Its rate is −ln of the correlation of its slowest feature with itself a row
later: sine and cosine of a circle, the number itself elsewhere (an interval's own slowest
feature is a cosine of it, .993 correlated with the number).

An embedding has no periods. There, slow directions are taken in pairs: one that keeps its distance
from the middle while it moves is a circle, unless its angle is a multiple of a slower pair's.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from agent.diagnosis.circles import LIMITS, Coordinate, Kind, least_outputs, outputs_needed
from agent.diagnosis.trajectories import Trajectories
from agent.interfaces import Array

COVERED = 0.9  # of a period without a longer gap: it goes round
BINS = 60  # of a period
FLAT_KURTOSIS = -0.7  # excess; the uniform law has -1.2, a Gaussian 0
LEAST_KEPT = 1e-3  # correlation after a row: less is forgotten at once, and has no rate
SLOW_DIRECTIONS = 12  # of an embedding, looked at in pairs
ROUND = 0.35  # spread of the squared distance: 0 on a circle, .5 of unrelated cosines, 1 Gaussian
SAME_RATE = 1.5  # ratio of a sine's and its cosine's rates, at most
HARMONIC = 0.9  # resultant length of the angle left when a multiple of another is taken off
MULTIPLES = (2, 3, 4)
MOST_ROWS = 20_000


@dataclass(frozen=True)
class Shapes:
    """``coordinates`` of a world with their rates a row; ``covered`` (D,) of each one's period.

    ``covered`` is NaN where there is no period.
    """

    coordinates: tuple[Coordinate, ...]
    covered: tuple[float, ...]

    @property
    def circles(self) -> tuple[str, ...]:
        """Names of those that go round."""
        return tuple(one.name for one in self.coordinates if one.kind == "circle")

    @property
    def least(self) -> int:
        """First features there are: D below it loses something for certain."""
        return least_outputs(self.coordinates)

    @property
    def needed(self) -> int:
        """D whose slowest features hold every first one."""
        return outputs_needed(self.coordinates)

    @property
    def ratio(self) -> float:
        """Fastest rate over slowest."""
        rates = [one.rate for one in self.coordinates]
        return max(rates) / min(rates)

    @property
    def limit(self) -> int:
        """The ratio at which the slowest coordinate's second feature outlasts the fastest one."""
        slowest = min(self.coordinates, key=lambda one: one.rate)
        return LIMITS[slowest.kind]


def shapes(data: Trajectories) -> Shapes:
    """Kind and rate of each column of a world's own coordinates."""
    periods = data.periods or (np.inf,) * len(data.columns)
    coordinates, covered = [], []
    for i, (name, period) in enumerate(zip(data.columns, periods, strict=True)):
        now, following = data.values[:, :-1, i].ravel(), data.following[..., i].ravel()
        covered.append(_covered(data.values[..., i].ravel(), period))
        kind: Kind = "circle" if covered[-1] >= COVERED else _open_kind(now)
        if kind == "circle":
            turn = 2 * np.pi / period
            now, following = np.exp(1j * turn * now), np.exp(1j * turn * following)
        coordinates.append(Coordinate(name, kind, _rate(now, following)))
    return Shapes(tuple(coordinates), tuple(covered))


def _covered(values: Array, period: float) -> float:
    """1 − the longest gap, as a share of the period; NaN where there is none."""
    if not np.isfinite(period):
        return float("nan")
    bins = np.floor((values % period) / period * BINS).astype(int) % BINS
    met = np.unique(bins)
    gaps = np.diff(np.append(met, met[0] + BINS)) - 1
    return float(1 - gaps.max() / BINS)


def _open_kind(values: Array) -> Kind:
    standard = (values - values.mean()) / values.std()
    return "interval" if float((standard**4).mean() - 3) < FLAT_KURTOSIS else "line"


def _rate(now: Array, following: Array) -> float:
    """−ln of 1 − E|step|²/2 in units of the variance: right in a stationary world."""
    kept = 1 - (np.abs(following - now) ** 2).mean() / (2 * now.var())
    return float(-np.log(np.clip(kept, LEAST_KEPT, 1 - 1e-9)))


def circles_within(data: Trajectories) -> list[tuple[int, int]]:
    """Pairs of slow directions of an embedding, numbered from 1, that move on a circle."""
    slow, lost = _slow_directions(data)
    angles: list[Array] = []
    found = []
    for i, j in combinations(range(slow.shape[1]), 2):
        pair = slow[:, i] + 1j * slow[:, j]
        if lost[j] > SAME_RATE * lost[i] or _roundness(pair) > ROUND:
            continue
        angle = np.angle(pair)
        if not any(_harmonic(angle, slower) for slower in angles):
            found.append((i + 1, j + 1))
        angles.append(angle)
    return found


def _slow_directions(data: Trajectories) -> tuple[Array, Array]:
    """Whitened directions (N, ≤ SLOW_DIRECTIONS), slowest first, and what each loses in a row."""
    white = data.white.reshape(-1, data.frame.alive)
    steps = (data.white_following - data.white[:, :-1]).reshape(-1, data.frame.alive)
    lost, axes = np.linalg.eigh(steps.T @ steps / len(steps))
    rows = white[:: max(1, len(white) // MOST_ROWS)]
    return rows @ axes[:, :SLOW_DIRECTIONS], lost


def _roundness(pair: Array) -> float:
    """Spread of the squared distance from the middle over its mean."""
    square = np.abs(pair) ** 2
    return float(square.std() / square.mean())


def _harmonic(angle: Array, slower: Array) -> bool:
    """Whether ``angle`` is a multiple of ``slower``, either way round, but for a constant."""
    turns = [k * sign for k in MULTIPLES for sign in (1, -1)]
    return any(abs(np.exp(1j * (angle - k * slower)).mean()) > HARMONIC for k in turns)
