"""One episode played for people: with a film, and with words on how it ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agent.control.goal_picture import ending
from agent.control.model import Model
from agent.evaluation.play import Arena, Moment, Trial
from agent.evaluation.statistics import in_digits, in_ms
from agent.interfaces import Array, Controller, Decision, Image
from agent.reporting.film import Camera, Reel
from envs import (
    HELD_S,
    Posable,
    Verdict,
    distance_to_goal,
    goal_unit,
    judge_by_tolerance,
    stepped,
    worst_error,
)

if TYPE_CHECKING:
    from envs import Episode, World, WorldSpec


@dataclass(frozen=True)
class Steered:
    """How one episode went: ``frames`` of the film, ``path`` (T, S), what was seen in the last
    ``HELD_S``, what was decided each tick; whether the world ended it before its time.
    """

    trial: Trial
    frames: list[Image]
    path: Array
    last_frames: list[Image]
    decisions: list[Decision]
    ended_early: bool


@dataclass(frozen=True)
class _OneEpisode:
    """A task of exactly that; see :class:`envs.Task`."""

    budget_steps: int
    name: str = "control"
    about: str = "One episode, as it was asked for."

    def episode(self, world: World, seed: int, index: int) -> Episode:
        raise NotImplementedError("the episode is given")

    def judge(self, world: WorldSpec, path: Array, start: Array, episode: Episode) -> Verdict:
        if world.goal_columns and np.isfinite(episode.goal).all():
            return judge_by_tolerance(world, path, start, episode)
        return Verdict(episode.seed, False, False, False, None, float("nan"), "")


def steer(
    controller: Controller,
    make_world: Callable[[], World],
    episode: Episode,
    ticks: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    make_large: Callable[[int], World] | None = None,
) -> Steered:
    """Play ``episode`` for ``ticks`` control ticks.

    ``make_large`` makes a world of so many pixels a side to film with; None for no film.
    """
    states: list[Array] = []
    decisions: list[Decision] = []

    def watch(moment: Moment) -> None:
        states.append(moment.after[0])
        decisions.append(moment.decision)
        if moment.frames is not None:
            seen.append(moment.frames[0])
        if reel is not None and moment.frames is not None:
            reel.add(moment.frames[0], moment.states[0])
        progress(moment.tick + 1, ticks)

    task = _OneEpisode(ticks)
    with ExitStack() as opened:
        arena = opened.enter_context(closing(Arena(controller, task, make_world, watch)))
        seen: deque[Image] = deque(maxlen=1 + round(HELD_S / arena.world.spec.step_s))
        known = episode.goal if np.isfinite(episode.goal).all() and len(episode.goal) else None
        picture = episode.goal_picture(arena.world)
        reel = None
        if make_large is not None:
            camera = opened.enter_context(closing(Camera(arena.world, make_large)))
            reel = Reel(arena.world.spec, camera, picture, known)
        trial = arena.play([episode])[0]
        seen.append(arena.world.frame())
        if reel is not None:
            reel.add(seen[-1], arena.world.state())
    film, early = reel.frames if reel else [], len(states) < ticks
    return Steered(trial, film, np.array(states), list(seen), decisions, early)


def left_alone(world: World, goal: Array) -> dict[str, str]:
    """What becomes of a goal (S,) that nobody steers to stay there, where that is to leave it.

    A pose in the air falls, and is not held by whoever reaches it. Nothing of one that stands, of a
    world that cannot be posed, or where the goal's state is not known.
    """
    spec = world.spec
    if not (spec.goal_columns and isinstance(world, Posable) and np.isfinite(goal).all()):
        return {}
    world.reset(np.random.default_rng(0), goal)
    for _ in range(round(HELD_S / spec.step_s)):
        stepped(world, np.zeros(spec.action_dim))
    away = float(distance_to_goal(spec, world.state(), goal))
    return {} if away < 1 else {
        "the goal does not stand": f"left alone for {HELD_S} s it is {away:.3g} tolerances off"
    }  # fmt: skip


def outcome(
    steered: Steered, episode: Episode, spec: WorldSpec, tick_ms: float | None, model: Model
) -> dict[str, str]:
    """What to say about it; errors only where the goal's state is known."""
    facts: dict[str, str] = {}
    if steered.ended_early:
        facts["the world ended it"] = f"after {len(steered.path) * spec.step_s:.2f} s"
    if spec.state:
        facts["ended in"] = _named(spec, steered.path[-1])
    if spec.goal_columns and np.isfinite(episode.goal).all():
        verdict, unit = steered.trial.verdict, goal_unit(spec)
        final = steered.path[-1]
        facts["goal"] = _named(spec, episode.goal)
        error = float(worst_error(spec, final, episode.goal))
        facts["final error"] = f"{in_digits(error, 3)} {unit}"
        if verdict.solved_at_start:
            facts["began within tolerance"] = (
                "yes: another goal would ask for more (--goal-state, --goal-image)"
            )
        arrived = bool(distance_to_goal(spec, final, episode.goal) < 1)
        facts["within tolerance at the end"] = "yes" if arrived else "no"
        steps = verdict.steps_to_success
        facts["first within it"] = "never" if steps is None else f"{steps * spec.step_s:.2f} s"
        facts[f"held for the last {HELD_S} s"] = "yes" if verdict.held else "no"
    if episode.goal_frame is not None:
        facts |= _by_pictures(steered, episode.goal_frame, model)
    p50, p95 = np.percentile(steered.trial.decision_ms, [50, 95])
    facts["decision [ms]"] = f"{in_ms(p50)} median, {in_ms(p95)} p95"
    if tick_ms is not None:
        late, ticks = sum(one.late for one in steered.decisions), len(steered.path)
        facts["late ticks"] = f"{late} of {ticks} took longer than {tick_ms:g} ms"
    held = [reason for one in steered.decisions for reason in one.held if reason]
    if held:
        held_s, reasons = len(held) * spec.step_s, dict.fromkeys(held)
        facts["held"] = f"{held_s:.2f} s: {'; '.join(reasons)}"
    return facts


def _by_pictures(steered: Steered, goal: Image, model: Model) -> dict[str, str]:
    """How it ended, where a picture is all that is known of the goal."""
    first, last = steered.last_frames[0], steered.last_frames[-1]
    difference = np.abs(last.astype(float) - goal).mean()
    facts = {"difference from the goal picture": f"{difference:.2f} of 255"}
    end = ending(model, first, last, goal)
    if end is None:
        return facts
    apart = f"{in_digits(end.apart, 2)} of the distance between neighbouring training frames"
    facts["arrived, as the model sees it"] = f"{'yes' if end.arrived else 'no'}, {apart}"
    facts["at the end"] = "resting" if end.resting else "still moving"
    return facts


def _named(spec: WorldSpec, state: Array) -> str:
    """The numbers that a goal is about, with their names."""
    shown = spec.goal_columns or tuple(range(len(spec.state)))
    named = ((spec.state[i], state[i]) for i in shown)
    return ", ".join(f"{column.name} {value:.3g} {column.unit}".strip() for column, value in named)
