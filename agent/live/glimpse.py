"""A world before the model is loaded: what never changes of it, and its first sight."""

from __future__ import annotations

from dataclasses import dataclass

from agent.interfaces import Image
from agent.live.moment import DISTANCES, DOUBTS
from envs import Part, Placed, Staged, View, World, goal_unit


@dataclass(frozen=True)
class Glimpse:
    """Values alone, sent from the session's process to the page's before all else.

    ``parts``, ``grips`` and ``view`` of the world's scene, empty and None where it has none;
    ``step_s`` its control tick; ``unit`` that of the true distance to the goal, "" where no state
    tells it; ``traced`` what the columns of a moment's traces are; ``frame`` uint8 (h, w, 3) and
    ``body`` the first that is seen of it.
    """

    world: str
    step_s: float
    parts: tuple[Part, ...]
    grips: tuple[str, ...]
    view: View | None
    unit: str
    traced: tuple[str, ...]
    frame: Image
    body: Placed | None


def glimpse_of(world: World) -> Glimpse:
    """What ``world`` shows now."""
    spec, scene = world.spec, world.scene() if isinstance(world, Staged) else None
    return Glimpse(
        spec.world, spec.step_s, scene.parts if scene else (), scene.grips if scene else (),
        scene.view if scene else None, goal_unit(spec) if spec.goal_columns else "",
        traced(world), world.frame(), scene.place(world.state()) if scene else None,
    )  # fmt: skip


def traced(world: World) -> tuple[str, ...]:
    """What the columns of a moment's traces are."""
    actions = (f"action {i + 1}" for i in range(world.spec.action_dim))
    return ("time", *DISTANCES, *DOUBTS, "tick ms", *actions)
