"""How a world is moved while it is recorded: pure functions of a random generator.

A behaviour draws a policy for an episode: what gives the action of each tick. Those of this file
never look at the world.

``ou`` follows an Ornstein-Uhlenbeck process sampled once per tick, ``u' = ρ u + √(1 − ρ²) η``,
scaled and clipped to [−1, 1]. Scale and ρ are drawn anew for every episode, so one data set holds
slow drifts, long swings and white jitter. Goals of ``hindsight`` are recorded with it.
``restless``, the usual one, draws them anew every 25 ticks, with more strength and longer memory,
up to full force all one way: an episode goes everywhere and rests in between, in worlds that are
crossed in a moment and in those that are crossed slowly.
``uniform`` draws every action independently, the data of LeWorldModel
(Maes et al. 2026, arXiv:2603.19312).
``swift`` is for evaluation: ``ou`` with one large scale and one correlation.

A world may offer more of its own, as ``behaviours``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from envs.base import Array, FloatArray, World, WorldSpec
from envs.checking import checked_action, checked_policy, require_finite, stepped
from envs.errors import WorldError

USUAL_BEHAVIOUR = "restless"  # of recordings, in every world
SCALE_RANGE = (0.05, 1.5)  # log-uniform: a planner needs near-rest precision, and force
CORRELATION_RANGE = (0.0, 0.97)  # ρ per tick; .97 at 0.04 s forgets in about 1.3 s
RESTLESS_TICKS = 25
RESTLESS_SCALE_RANGE = (0.1, 3.0)  # log-uniform; most of the largest is clipped: full force, held
RESTLESS_MEMORY_RANGE_TICKS = (1.0, 200.0)  # log-uniform: white jitter to one push
SWIFT_SCALE, SWIFT_CORRELATION = 0.7, 0.85

Policy = Callable[[World, int], FloatArray]
"""(world, t) -> the action float32 (A,) in [-1, 1] of tick t, in the state it now has."""


class RollOut(NamedTuple):
    """One episode of T ticks without pictures, in time order.

    ``actions`` float32 (T, A) in [-1, 1]; ``states`` (T+1, S). ``actions[t]`` leads from state t
    to state t+1. T is less than was asked for where the episode ended by itself.
    """

    actions: FloatArray
    states: Array


@dataclass(frozen=True)
class Behaviour:
    """A named way to move.

    ``draw_policy(rng, ticks, action_dim)`` draws all that is random in an episode;
    ``draw_start(rng)`` the state (S,) it begins in, where that is not the world's own choice.
    """

    name: str
    draw_policy: Callable[[np.random.Generator, int, int], Policy]
    draw_start: Callable[[np.random.Generator], Array] | None = None


@runtime_checkable
class Offers(Protocol):
    """A world with behaviours of its own."""

    @property
    def behaviours(self) -> Mapping[str, Behaviour]:
        """By name."""


def ou_actions(rng: np.random.Generator, ticks: int, action_dim: int) -> FloatArray:
    """Correlated actions float32 (ticks, A), scale and correlation drawn for the episode."""
    scale = _log_uniform(rng, SCALE_RANGE)
    return _correlated(rng, ticks, action_dim, scale, rng.uniform(*CORRELATION_RANGE))


def restless_actions(rng: np.random.Generator, ticks: int, action_dim: int) -> FloatArray:
    """Correlated actions float32 (ticks, A), scale and memory drawn every 25 ticks."""
    parts = []
    for _ in range(0, ticks, RESTLESS_TICKS):
        scale = _log_uniform(rng, RESTLESS_SCALE_RANGE)
        correlation = float(np.exp(-1.0 / _log_uniform(rng, RESTLESS_MEMORY_RANGE_TICKS)))
        parts.append(_correlated(rng, RESTLESS_TICKS, action_dim, scale, correlation))
    return np.concatenate(parts)[:ticks]


def swift_actions(rng: np.random.Generator, ticks: int, action_dim: int) -> FloatArray:
    """Strong, correlated actions float32 (ticks, A), the same process in every episode."""
    return _correlated(rng, ticks, action_dim, SWIFT_SCALE, SWIFT_CORRELATION)


def uniform_actions(rng: np.random.Generator, ticks: int, action_dim: int) -> FloatArray:
    """Independent uniform actions float32 (ticks, A)."""
    return rng.uniform(-1.0, 1.0, (ticks, action_dim)).astype(np.float32)


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(*np.log(bounds))))


def _correlated(
    rng: np.random.Generator, ticks: int, action_dim: int, scale: float, correlation: float
) -> FloatArray:
    noise = rng.standard_normal((ticks, action_dim))
    noise[1:] *= np.sqrt(1.0 - correlation**2)  # the first draw is already stationary
    for tick in range(1, ticks):
        noise[tick] += correlation * noise[tick - 1]
    return np.clip(scale * noise, -1.0, 1.0).astype(np.float32)


def unlooking(
    draw_actions: Callable[[np.random.Generator, int, int], FloatArray],
) -> Callable[[np.random.Generator, int, int], Policy]:
    """The ``draw_policy`` of actions float32 (ticks, A) that are drawn without looking."""

    def draw_policy(rng: np.random.Generator, ticks: int, action_dim: int) -> Policy:
        actions = draw_actions(rng, ticks, action_dim)
        return lambda world, t: actions[t]

    return draw_policy


BEHAVIOURS: Mapping[str, Behaviour] = MappingProxyType(
    {
        "ou": Behaviour("ou", unlooking(ou_actions)),
        "restless": Behaviour("restless", unlooking(restless_actions)),
        "swift": Behaviour("swift", unlooking(swift_actions)),
        "uniform": Behaviour("uniform", unlooking(uniform_actions)),
    }
)


def _require_start(spec: WorldSpec, start: Array | None, name: str) -> None:
    if start is not None and np.shape(start) != (len(spec.state),):
        raise WorldError(
            f"expected behaviour {name!r} to draw a start ({len(spec.state)},), got "
            f"{np.shape(start)}"
        )


def behaviour_named(name: str, world: World) -> Behaviour:
    """The behaviour of that name, the world's own ones included.

    Raises:
        WorldError: with the nearest name, if there is none.
    """
    own = world.behaviours if isinstance(world, Offers) else {}
    odd = (
        [one for one in own.values() if not isinstance(one, Behaviour)]
        if isinstance(own, Mapping)
        else [own]
    )
    if odd:
        raise WorldError(
            f"expected behaviours of {world.spec.world}: envs.Behaviour by name, got {odd[0]!r}"
        )
    known = {**BEHAVIOURS, **own}
    if name in known:
        return known[name]
    nearest = get_close_matches(name, known, n=1, cutoff=0.0)[0]
    raise WorldError(
        f"unknown behaviour {name!r} for {world.spec.world}: expected one of {', '.join(known)}; "
        f"did you mean {nearest!r}?"
    )


def roll_out(
    world: World,
    behaviour: Behaviour,
    rng: np.random.Generator,
    ticks: int,
    each_state: Callable[[int], None] | None = None,
) -> RollOut:
    """Run one episode of up to ``ticks`` ticks; it is shorter if it ends by itself.

    ``each_state(t)`` is called while the world stands in state t = 0 … T (to draw it).

    Raises:
        WorldError: if a state is not finite, naming its tick and column, or if the behaviour draws
            no policy or gives no action.
    """
    if not isinstance(behaviour, Behaviour):
        raise WorldError(f"expected an envs.Behaviour, as envs.BEHAVIOURS has, got {behaviour!r}")
    if not isinstance(rng, np.random.Generator):
        raise WorldError(f"expected rng, numpy's default_rng(seed), got {rng!r}")
    start = behaviour.draw_start(rng) if behaviour.draw_start else None
    _require_start(world.spec, start, behaviour.name)
    world.reset(rng, start)
    width = world.spec.action_dim
    policy = checked_policy(behaviour.draw_policy(rng, ticks, width), behaviour.name)
    actions = np.empty((ticks, width), np.float32)
    states = np.empty((ticks + 1, len(world.spec.state)))
    ended, tick = False, 0
    while True:
        states[tick] = world.state()
        if each_state is not None:
            each_state(tick)
        if ended or tick == ticks:
            require_finite(world.spec, states[: tick + 1])
            return RollOut(actions[:tick], states[: tick + 1])
        actions[tick] = checked_action(policy(world, tick), width, behaviour.name, tick)
        ended = stepped(world, actions[tick].copy())  # a world may scale it in place
        tick += 1
