"""Plays episodes of a task with any controller, many in lock step: the one loop of the program."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from agent.control.asking import asked, checked, needs_of
from agent.errors import UserError
from agent.interfaces import Array, Controller, Decision, Goals, Image, Seen
from envs import (
    Episode,
    Task,
    Verdict,
    World,
    WorldSpec,
    checked_frame,
    episodes_of,
    passed_through,
    require_finite,
    stepped,
)

Progress = Callable[[int, int], None]
"""Called after every control tick with the episodes done (rounded down) and their total."""


@dataclass(frozen=True)
class Moment:
    """One control tick of E episodes: what was seen and decided, and where it led.

    ``frames`` (E, h, w, 3) and ``states`` (E, S) before the tick, ``after`` (E, S) at its end;
    frames are None where the controller needs none.
    """

    tick: int
    frames: Image | None
    states: Array
    after: Array
    decision: Decision


@dataclass(frozen=True)
class Trial:
    """An episode's verdict, and the wall time [ms] of each decision where it was played alone.

    ``ended_early``: the world ended it before its time.
    """

    verdict: Verdict
    decision_ms: tuple[float, ...] = ()
    ended_early: bool = False


class Arena:
    """Worlds, one an episode, kept from one group of episodes to the next, until it is closed.

    ``make_world`` makes one more world; all are alike. ``watch`` is told of every tick. UserError
    for a controller made for another world or task.
    """

    def __init__(
        self,
        controller: Controller,
        task: Task,
        make_world: Callable[[], World],
        watch: Callable[[Moment], None] = lambda moment: None,
    ) -> None:
        self._controller, self._task, self._watch = controller, task, watch
        self._make_world = make_world
        self._worlds = [make_world()]
        try:
            if task.budget_steps < 1:
                raise UserError(
                    f"expected a budget of 1 step or more of task {task.name!r}, got "
                    f"{task.budget_steps}"
                )
            require_fit(controller, task.name, self.world.spec)
        except BaseException:
            self.close()
            raise

    @property
    def world(self) -> World:
        """One of the worlds, for drawing tasks and goals."""
        return self._worlds[0]

    def play(
        self,
        episodes: Sequence[Episode],
        progress: Callable[[float], None] = lambda share: None,
    ) -> list[Trial]:
        """E episodes from start to the end of the budget, success or not.

        An episode that the world ends itself is judged on what there was of it. WorldError for a
        state that is not finite.
        """
        worlds = self._begin(episodes)
        starts = [world.state() for world in worlds]
        require_finite(self.world.spec, np.stack(starts), tick=0)
        self._controller.reset(self._goals(episodes), [episode.seed for episode in episodes])
        paths: list[list[Array]] = [[] for _ in episodes]
        ended, spent_ms = [False] * len(episodes), []
        for tick in range(self._task.budget_steps):
            seen, states = self._see(worlds, tick)
            before_s = time.perf_counter()
            decision = asked(self._controller, seen)
            spent_ms.append(1e3 * (time.perf_counter() - before_s))
            shape = (len(episodes), self.world.spec.action_dim)
            actions = checked(decision, self._controller.name, shape, tick)
            for index, world in enumerate(worlds):
                if not ended[index]:
                    ended[index] = stepped(world, actions[index])
                    paths[index].append(passed_through(world))
                    require_finite(world.spec, paths[index][-1], tick + 1)
            after = np.stack([world.state() for world in worlds])
            self._watch(Moment(tick, seen.pixels, states, after, decision))
            if all(ended):
                break
            progress((tick + 1) / self._task.budget_steps)
        progress(1.0)
        times = tuple(spent_ms) if len(episodes) == 1 else ()
        went = zip(paths, starts, episodes, strict=True)
        budget = self._task.budget_steps
        return [Trial(self._judged(*one), times, len(one[0]) < budget) for one in went]

    def _judged(self, path: list[Array], start: Array, episode: Episode) -> Verdict:
        """By the task; a tick of fewer moments than another ends with its last one repeated."""
        most = max(len(tick) for tick in path)
        whole = np.stack([tick[np.minimum(np.arange(most), len(tick) - 1)] for tick in path])
        verdict = self._task.judge(self.world.spec, whole, start, episode)
        if not isinstance(verdict, Verdict):
            raise UserError(f"expected a Verdict of task {self._task.name!r}, got {verdict!r}")
        return verdict

    def close(self) -> None:
        """Close every world."""
        for world in self._worlds:
            world.close()

    def _begin(self, episodes: Sequence[Episode]) -> list[World]:
        while len(self._worlds) < len(episodes):
            self._worlds.append(self._make_world())
        worlds = self._worlds[: len(episodes)]
        for world, episode in zip(worlds, episodes, strict=True):
            episode.begin(world)
        return worlds

    def _goals(self, episodes: Sequence[Episode]) -> Goals:
        needs = self._controller.needs
        pixels = [e.goal_picture(self.world) for e in episodes] if needs.pixels else None
        states = np.stack([episode.goal for episode in episodes]) if needs.state else None
        return Goals(None if pixels is None else np.stack(pixels), states)

    def _see(self, worlds: Sequence[World], tick: int) -> tuple[Seen, Array]:
        needs, states = self._controller.needs, np.stack([world.state() for world in worlds])
        pixels = np.stack([checked_frame(w, tick) for w in worlds]) if needs.pixels else None
        return Seen(pixels, states if needs.state else None), states


def evaluate(
    controller: Controller,
    task: Task,
    make_world: Callable[[], World],
    episodes: int,
    seed: int,
    batch: int = 25,
    timed_episodes: int = 2,
    progress: Progress = lambda done, total: None,
) -> list[Trial]:
    """The trials of the first ``episodes`` of ``task``, in their order.

    The first ``timed_episodes`` run alone and only they carry ``decision_ms``; the others run
    ``batch`` at a time.

    Raises:
        UserError: for a controller made for another world, one that returns actions of the wrong
            shape, outside the box or not finite, and for numbers that make no sense.
    """
    trials: list[Trial] = []
    groups = groups_of(episodes, batch, timed_episodes)
    with closing(Arena(controller, task, make_world)) as arena:
        for group in groups:
            counting = _counting(progress, len(trials), len(group), episodes)
            trials += arena.play(episodes_of(task, arena.world, group, seed), counting)
    return timed(trials, timed_episodes)


def groups_of(episodes: int, batch: int, timed_episodes: int) -> list[range]:
    """Which episodes are played together: the timed ones alone, the others ``batch`` at a time.

    UserError for numbers that make no sense.
    """
    if episodes < 1 or batch < 1 or timed_episodes < 0:
        raise UserError(
            "expected episodes >= 1, batch >= 1 and timed_episodes >= 0, got "
            f"{episodes}, {batch} and {timed_episodes}"
        )
    alone = min(timed_episodes, episodes)
    together = range(alone, episodes, batch)
    return [range(n, n + 1) for n in range(alone)] + [
        range(first, min(first + batch, episodes)) for first in together
    ]


def timed(trials: list[Trial], timed_episodes: int) -> list[Trial]:
    """``trials``, of which only the first keep the time of their decisions."""
    untimed = [replace(trial, decision_ms=()) for trial in trials[timed_episodes:]]
    return trials[:timed_episodes] + untimed


def require_fit(controller: Controller, task: str, spec: WorldSpec) -> None:
    """Refuse a controller that was made for another world or task.

    How frames are drawn matters only to a controller that is shown them.

    Raises:
        UserError: for another task, naming what to do, and for needs that are none.
        SpecError: for another world, naming what differs and what to do.
    """
    needs = needs_of(controller)
    made_for = needs.spec
    if made_for is not None:
        if not needs.pixels:
            spec = replace(spec, look=made_for.look, image_size=made_for.image_size)
        made_for.require_same(spec, f"the world that controller {controller.name!r} shall act in")
    if needs.tasks is not None and task not in needs.tasks:
        raise UserError(
            f"controller {controller.name!r} knows only the task of {', '.join(needs.tasks)}, but "
            f"this is {task!r}: ask for another protocol, or give a controller trained for this one"
        )


def _counting(
    progress: Progress, before: int, under_way: int, total: int
) -> Callable[[float], None]:
    """Turns the share of one group that is done into episodes of all."""
    return lambda share: progress(before + int(share * under_way), total)
