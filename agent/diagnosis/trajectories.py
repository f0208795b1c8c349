"""What is diagnosed: E episodes of T equally spaced rows of D numbers, checked once, here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agent.errors import UserError
from agent.interfaces import Array
from agent.training.diagnostics import varies

LEAST_EPISODES = 8  # the units that are certainly independent; fewer carry no test
LEAST_FRAMES = 8  # two for each quarter of an episode
DEAD_SHARE = 0.01  # of the widest direction's variance; narrower ones carry next to nothing


@dataclass(frozen=True)
class Trajectories:
    """Rows ``values`` (E, T, D), ``step_s`` seconds apart, named by ``columns``.

    ``periods`` (D,): after how much a column repeats (2π for an angle that goes round), inf for
    the rest; differences are taken modulo it. ``own_units``: columns share no unit, so only the
    shape of their covariance means something, as for a world's states but not for embeddings.
    ``left_out``: names of columns that never change, of which nothing can be said;
    ``shorter``: how many episodes are not here, as they have fewer rows. UserError on too
    few episodes or frames, NaN, or a column that never changes.
    """

    name: str
    values: Array
    columns: tuple[str, ...]
    step_s: float
    periods: tuple[float, ...] = ()
    own_units: bool = False
    left_out: tuple[str, ...] = ()
    shorter: int = 0

    def __post_init__(self) -> None:
        _check(self.name, self.values, self.columns)
        assert len(self.periods) in (0, len(self.columns)), "one a column"

    @property
    def episodes(self) -> int:
        """E."""
        return len(self.values)

    @property
    def frames(self) -> int:
        """T, rows of an episode."""
        return int(self.values.shape[1])

    @cached_property
    def following(self) -> Array:
        """What comes after each row but the last (E, T-1, D), continuous across a period."""
        steps = np.diff(self.values, axis=1)
        for column, period in enumerate(self.periods):
            if np.isfinite(period):
                steps[..., column] = (steps[..., column] + period / 2) % period - period / 2
        return self.values[:, :-1] + steps

    @cached_property
    def frame(self) -> Frame:
        """The coordinates in which everything is measured."""
        return Frame.of(self.values.reshape(-1, self.values.shape[-1]), self.own_units)

    @cached_property
    def white(self) -> Array:
        """``values`` in :attr:`frame`: (E, T, R), zero mean and unit covariance over all rows."""
        return self.frame.whiten(self.values)

    @cached_property
    def white_following(self) -> Array:
        """``following`` in :attr:`frame`: (E, T-1, R)."""
        return self.frame.whiten(self.following)


@dataclass(frozen=True)
class Frame:
    """Principal axes of some data: ``mean`` (D,), ``spectrum`` (D,) falling, ``map`` (D, R).

    R directions are alive, D − R dead: their variance is below ``DEAD_SHARE`` of the widest.
    """

    mean: Array
    covariance: Array
    spectrum: Array
    map: Array

    @classmethod
    def of(cls, rows: Array, own_units: bool) -> Frame:
        """The frame of ``rows`` (N, D)."""
        covariance = np.atleast_2d(np.cov(rows, rowvar=False))
        scale = np.sqrt(np.diag(covariance)) if own_units else np.ones(len(covariance))
        spectrum, axes = np.linalg.eigh(covariance / np.outer(scale, scale))
        spectrum, axes = spectrum[::-1], axes[:, ::-1]
        alive = spectrum > DEAD_SHARE * spectrum[0]
        to_white = axes[:, alive] / np.sqrt(spectrum[alive]) / scale[:, None]
        return cls(rows.mean(0), covariance, spectrum, to_white)

    @property
    def alive(self) -> int:
        """R, directions that are not dead."""
        return int(self.map.shape[1])

    def whiten(self, values: Array) -> Array:
        """``values`` (..., D) in the frame's coordinates (..., R)."""
        return (values - self.mean) @ self.map


def _check(name: str, values: Array, columns: tuple[str, ...]) -> None:
    if values.ndim != 3 or values.shape[-1] != len(columns):
        raise UserError(
            f"{name}: expected episodes x frames x {len(columns)} columns, got {values.shape}"
        )
    if values.shape[0] < LEAST_EPISODES or values.shape[1] < LEAST_FRAMES:
        raise UserError(
            f"{name}: expected at least {LEAST_EPISODES} episodes of {LEAST_FRAMES} frames, got "
            f"{values.shape[0]} of {values.shape[1]}: too few for any test: take more episodes, "
            "or longer ones"
        )
    finite = np.asarray(np.isfinite(values).all((0, 1)))
    if not finite.all():
        raise UserError(
            f"{name}: expected finite numbers, got NaN or infinity in {_of(columns, ~finite)}"
        )
    still = ~varies(values.reshape(-1, len(columns)))
    if still.any():
        raise UserError(
            f"{name}: expected columns that vary, got the same number in every row of "
            f"{_of(columns, still)}: something that never moves, or a collapsed encoder (train it "
            "with a larger --training.sigreg-weight)"
        )


def _of(columns: tuple[str, ...], chosen: NDArray[np.bool_]) -> str:
    return ", ".join(name for name, yes in zip(columns, chosen, strict=True) if yes)
