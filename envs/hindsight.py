"""``hindsight``: the goal is what a recording shows some steps on, for any deterministic world.

The rule of LeWorldModel (Maes et al. 2026, arXiv:2603.19312): start at step k of a recording, the
goal is its state and frame ``offset_steps`` later. The recording is made here, in a random stream
no data set uses. A world that cannot be posed comes to its start by the first k recorded actions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from envs.base import Array, Posable, World
from envs.behaviours import RollOut, behaviour_named, roll_out
from envs.errors import WorldError
from envs.tasks import Episode, judge_by_tolerance, random_streams

RECORDING_STEPS = 200
TRIED_TICKS = 10  # that a world must be able to repeat
TRIES = 20  # recordings that may end before one is long enough


@dataclass(frozen=True)
class Hindsight:
    """Start and goal are two moments, ``offset_steps`` apart, of one recording."""

    offset_steps: int = 25
    budget_steps: int = 50
    behaviour: str = "ou"
    name: str = "hindsight"

    def __post_init__(self) -> None:
        if self.offset_steps < 1 or self.budget_steps < 1:
            raise WorldError(
                "expected a goal at least 1 step ahead and a budget of at least 1 step, got "
                f"{self.offset_steps} and {self.budget_steps}"
            )

    @property
    def about(self) -> str:
        """What is asked, in words."""
        return (
            f"Start in a moment of a recorded motion ({self.behaviour!r}); the goal is the picture "
            f"{self.offset_steps} steps later in it. Budget {self.budget_steps} steps. Within "
            "tolerance by the world's own measure."
        )

    def episode(self, world: World, seed: int, index: int) -> Episode:
        """See :meth:`envs.tasks.Task.episode`; the recording is played in ``world``."""
        # Variants of one behaviour share the stream, and with it their recordings.
        rng, own_seed = random_streams(f"hindsight/{self.behaviour}", seed, index)
        world_seed, recording = self._record(world, rng)
        first = int(rng.integers(len(recording.actions) - self.offset_steps, endpoint=True))
        begun = self._begin_at(world, world_seed, recording, first)
        begun.begin(world)
        if not isinstance(world, Posable):
            _require_same(world, recording.states[first])
        for action in recording.actions[first : first + self.offset_steps]:
            world.step(action.copy())
        frame = None if isinstance(world, Posable) else world.frame()
        return replace(begun, seed=own_seed, goal=world.state(), goal_frame=frame)

    def _begin_at(self, world: World, world_seed: int, recording: RollOut, first: int) -> Episode:
        nothing = np.empty(0)
        if isinstance(world, Posable):
            return Episode(0, nothing, recording.states[first].copy(), world_seed)
        return Episode(0, nothing, None, world_seed, recording.actions[:first].copy())

    def _record(self, world: World, rng: np.random.Generator) -> tuple[int, RollOut]:
        """The seed of the world's reset, and an episode of at least ``offset_steps``."""
        behaviour = behaviour_named(self.behaviour, world)
        ticks = max(RECORDING_STEPS, 2 * self.offset_steps)
        for _ in range(TRIES):
            world_seed = int(rng.integers(2**32))
            recording = roll_out(world, behaviour, np.random.default_rng(world_seed), ticks)
            if len(recording.actions) >= self.offset_steps:
                return world_seed, recording
        raise WorldError(
            f"expected episodes of at least {self.offset_steps} steps under {self.behaviour!r}, "
            f"got {TRIES} of {world.spec.world} that ended sooner: take a goal nearer in time "
            "(hindsight-t10-b20)"
        )

    judge = staticmethod(judge_by_tolerance)


def repeats_itself(world: World) -> bool:
    """Whether the same seed and actions lead to the same states, which goals in hindsight need."""
    behaviour = behaviour_named("uniform", world)
    first, again = (
        roll_out(world, behaviour, np.random.default_rng(0), TRIED_TICKS).states for _ in range(2)
    )
    return first.shape == again.shape and _is_same(first, again)


def does_otherwise(world: World) -> bool:
    """Whether it is a gymnasium environment that does not repeat itself.

    No other is asked: it may be a machine, which is not moved to find out.
    """
    from envs.gymnasium_world import GymnasiumWorld

    return isinstance(world, GymnasiumWorld) and not repeats_itself(world)


def _is_same(one: Array, other: Array) -> bool:
    return bool(np.allclose(one, other, rtol=1e-6, atol=1e-9))


def _require_same(world: World, recorded: Array) -> None:
    """A world in which the same seed and actions lead elsewhere has no start to come back to."""
    found = world.state()
    if not _is_same(found, recorded):
        raise WorldError(
            f"expected {world.spec.world} to do the same again after the same seed and actions, "
            f"got the state {found} for {recorded}: draw what is random from the generator of its "
            "reset alone (in gymnasium: self.np_random)"
        )
