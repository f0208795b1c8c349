"""What is asked of a controller: where an episode starts, where it should go, when it got there.

A task belongs to no controller and sees none: it gives episodes, the loop plays them, and from the
states that were passed through the task says how each one went.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from envs.base import Array, FloatArray, Image, Posable, World, WorldSpec
from envs.errors import WorldError
from envs.goals import distance_to_goal, goal_unit, worst_error

HELD_S = 0.4


@dataclass(frozen=True)
class Episode:
    """One trial: a start, and a goal to be reached from there.

    ``seed`` is the random stream the controller may draw from; ``world_seed`` the one the world's
    reset draws from. It starts in ``start`` (S,) where the world can be posed, or where recorded
    actions ``replay`` (k, A) lead. ``goal`` (S,) is the state to reach; ``goal_frame`` its picture,
    where it was recorded and is not drawn from the state.
    """

    seed: int
    goal: Array
    start: Array | None = None
    world_seed: int = 0
    replay: FloatArray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    goal_frame: Image | None = None

    def begin(self, world: World) -> None:
        """Bring ``world`` to the start."""
        world.reset(np.random.default_rng(self.world_seed), self.start)
        for action in self.replay:
            world.step(action.copy())

    def goal_picture(self, world: World) -> Image:
        """The goal as the world's camera sees it.

        Raises:
            WorldError: if it was not recorded, and the world cannot be posed.
        """
        if self.goal_frame is not None:
            return self.goal_frame
        if not isinstance(world, Posable):
            raise WorldError(
                f"expected a goal picture, or a world that can be posed, got {world.spec.world}"
            )
        return world.picture(self.goal)


@dataclass(frozen=True)
class Verdict:
    """How one episode went.

    ``first_touch``: within tolerance at any time; ``held``: within it for the whole last 0.4 s of
    the budget; ``steps_to_success`` to the first touch (None if never); ``final_error`` the largest
    one at the end, in ``unit``; ``episode_return`` where the task pays a reward.
    """

    seed: int
    solved_at_start: bool
    first_touch: bool
    held: bool
    steps_to_success: int | None
    final_error: float
    unit: str
    episode_return: float | None = None


class Task(Protocol):
    """Episodes and their verdicts; ``name`` is how the command line knows it."""

    @property
    def name(self) -> str:
        """As ``evaluate --protocol`` takes it."""

    @property
    def budget_steps(self) -> int:
        """Control ticks of an episode."""

    @property
    def about(self) -> str:
        """What is asked and what counts, in a few sentences for people."""

    def episode(self, world: World, seed: int, index: int) -> Episode:
        """The episode of that ``index``, which depends on the task, ``seed`` and it alone.

        ``world`` may be left at any state.

        Raises:
            WorldError: if ``world`` lacks what the task needs.
        """

    def judge(self, world: WorldSpec, path: Array, start: Array, episode: Episode) -> Verdict:
        """How it went, from the states ``path`` (T, R, S) passed through in each of T ticks.

        ``start`` (S,) is the state it began in. T is below the budget where the world ended the
        episode; R moments are looked at within a tick.
        """


def random_streams(stream: str, seed: int, index: int) -> tuple[np.random.Generator, int]:
    """What episode ``index`` is drawn from, and the seed its controller may draw from.

    Both depend on the name of the stream, ``seed`` and ``index`` alone; no data set uses them.
    """
    key = zlib.crc32(f"lejepa-agent/evaluation/{stream}".encode())
    task, own = np.random.SeedSequence(seed, spawn_key=(key, index)).spawn(2)
    return np.random.default_rng(task), int(own.generate_state(1)[0])


def episodes_of(task: Task, world: World, numbers: range, seed: int) -> list[Episode]:
    """The episodes of ``task`` of those ``numbers``.

    Raises:
        WorldError: as :meth:`Task.episode`, for no episode, a negative seed, and shapes that do
            not fit ``world``.
    """
    if not numbers or seed < 0:
        raise WorldError(f"expected episodes >= 1 and seed >= 0, got {len(numbers)} and {seed}")
    return [_checked(task, world.spec, task.episode(world, seed, index)) for index in numbers]


def _checked(task: Task, spec: WorldSpec, episode: Episode) -> Episode:
    """What a user's task gave, of the shapes that the world's spec says."""
    if not isinstance(episode, Episode):
        raise WorldError(f"expected an Episode of task {task.name!r}, got {episode!r}")
    state = (len(spec.state),)
    for what, given in (("a goal", episode.goal), ("a start", episode.start)):
        if given is not None and np.shape(given) != state:
            raise WorldError(
                f"expected {what} {state} of task {task.name!r} in {spec.world}, got "
                f"{np.shape(given)}"
            )
    return episode


@runtime_checkable
class OffersTasks(Protocol):
    """A world with tasks of its own."""

    @property
    def tasks(self) -> Mapping[str, Task]:
        """By name."""


def judged(
    spec: WorldSpec,
    inside: np.ndarray,
    solved_at_start: bool,
    final_error: float,
    seed: int,
    episode_return: float | None = None,
) -> Verdict:
    """The verdict from whether each moment (T, R) was ``inside`` the tolerance.

    What is held is held to the end of the episode, which is earlier where the world ended it.
    """
    touched = np.flatnonzero(inside.any(-1))
    steps = 0 if solved_at_start else int(touched[0]) + 1 if len(touched) else None
    last = max(1, round(HELD_S / spec.step_s))
    return Verdict(
        seed=seed,
        solved_at_start=solved_at_start,
        first_touch=steps is not None,
        held=bool(len(inside) and inside[-last:].all()),
        steps_to_success=steps,
        final_error=final_error,
        unit=goal_unit(spec),
        episode_return=episode_return,
    )


def judge_by_tolerance(spec: WorldSpec, path: Array, start: Array, episode: Episode) -> Verdict:
    """The verdict by the tolerances of the world's own state columns; see :meth:`Task.judge`."""
    inside = distance_to_goal(spec, path, episode.goal) < 1.0  # (T, R)
    last = path[-1, -1] if len(path) else start
    solved = bool(distance_to_goal(spec, start, episode.goal) < 1.0)
    return judged(spec, inside, solved, float(worst_error(spec, last, episode.goal)), episode.seed)
