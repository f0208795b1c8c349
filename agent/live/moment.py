"""What a session shows: values alone, sent from its process to the page's."""

from __future__ import annotations

from dataclasses import dataclass

from agent.interfaces import Array, FloatArray, Image
from agent.live.controls import Group, Value
from envs import Part, Placed, Staged, View, World, goal_unit

DISTANCES = ("metric", "plain", "truth")
DOUBTS = ("surprise", "drift")


@dataclass(frozen=True)
class Glimpse:
    """A world before the model is loaded: what never changes of it, and its first sight.

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


@dataclass(frozen=True)
class Opening:
    """What can be done in a session: its controls, and its gallery's pictures side by side."""

    groups: tuple[Group, ...]
    gallery: Image


@dataclass(frozen=True)
class Ghost:
    """A pose shown beside the true one: where its parts are, and its grips (G, 3)."""

    placed: Placed
    grips: Array


@dataclass(frozen=True)
class Imagined:
    """``pictures`` uint8 (C, h, w, 3) nearest to what it expects after ``times_s`` (C,), none
    where nothing is planned; ``points`` (H, G, 3) where it expects the grips, H = 0 where no state
    says so.
    """

    times_s: Array
    pictures: Image
    points: Array


@dataclass(frozen=True)
class Moment:
    """One control tick, number ``tick``; ``late_ticks`` of ``due_ticks`` were not done in time.

    ``frame`` and ``goal_frame`` uint8 (h, w, 3) as the controller sees them; ``body``, ``goal`` and
    ``rival`` where the parts are, None where the world has no scene, a picture is all that is known
    of the goal, or nobody is beside it. ``imagined`` is None where it is as it was.
    ``traces`` (N, C) are the last ticks, newest last.
    ``values`` say where the controls stand, ``words`` what goes on, ``command`` what repeats it,
    ``refusals`` which visitor's wish was not granted, and why. ``goal_version`` acts since
    ``goal_at_s``, by the monotonic clock.
    """

    tick: int
    late_ticks: int
    due_ticks: int
    frame: Image
    goal_frame: Image
    body: Placed | None
    goal: Ghost | None
    rival: Placed | None
    imagined: Imagined | None
    traces: FloatArray
    values: dict[str, Value]
    words: str
    command: str
    refusals: tuple[tuple[int, str], ...] = ()
    goal_version: int = 0
    goal_at_s: float = 0.0


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
