"""``anywhere``: from any state of rest to any other one, for worlds that can be posed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from envs.base import Posable, World
from envs.errors import WorldError
from envs.tasks import Episode, judge_by_tolerance, random_streams

NAME = "anywhere"
BUDGET_S = 4.0  # of worlds that do not say otherwise


@runtime_checkable
class Crossed(Protocol):
    """A world that says how long the longest way from one state of rest to another takes."""

    @property
    def crossing_s(self) -> float:
        """Seconds in which anything is reached from anywhere, for the budget of ``anywhere``."""


@dataclass(frozen=True)
class Anywhere:
    """Start and goal are drawn by the world's own ``sample_state``."""

    budget_steps: int
    name: str = NAME

    @property
    def about(self) -> str:
        """What is asked, in words."""
        return (
            "From rest in any state to any other one, both drawn at random. Budget "
            f"{self.budget_steps} steps. Within tolerance by the world's own measure."
        )

    def episode(self, world: World, seed: int, index: int) -> Episode:
        """See :meth:`envs.tasks.Task.episode`; ``world`` must be posable."""
        if not isinstance(world, Posable):
            raise WorldError(
                f"expected a world that can be posed for {self.name!r}, got {world.spec.world}: "
                "take 'hindsight', which needs none"
            )
        rng, own_seed = random_streams("any-pose", seed, index)
        start, goal = world.sample_state(rng), world.sample_state(rng)
        return Episode(own_seed, goal, start)

    judge = staticmethod(judge_by_tolerance)
