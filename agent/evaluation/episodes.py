"""Plays episodes of a protocol with any controller, many in lock step.

A controller may carry six more attributes than ``Controller`` asks for; each is checked or used
when present: ``needs_pixels`` (False spares the rendering), ``image_size`` [px],
``render_profile`` and ``action_repeat``, the world it was made for, ``protocols``, the only
ones it can play, and ``fault``, which stops everything once it is not None.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np

from agent.errors import ModelFaultError, UserError
from agent.evaluation.protocols import EpisodeSpec, Protocol
from agent.evaluation.verdict import judge
from agent.interfaces import Array, Controller, EpisodeResult, GoalObservation, Image
from envs import ACTION_REPEAT, TORQUE_DIM, ReacherSimulator, Renderer

DEFAULT_IMAGE_SIZE = 64

Progress = Callable[[int, int], None]
"""Called after every control tick with the episodes done (rounded down) and their total."""


def evaluate(
    controller: Controller,
    protocol: Protocol,
    episodes: int,
    seed: int,
    render_profile: str = "fast",
    batch: int = 25,
    timed_episodes: int = 2,
    progress: Progress | None = None,
) -> list[EpisodeResult]:
    """Results of the first ``episodes`` tasks of ``protocol``, in their order.

    The first ``timed_episodes`` run alone and only they carry ``decision_ms``, the wall time of
    each ``controller.act``; the others run ``batch`` at a time.

    Raises:
        UserError: for a controller made for another world, one that returns torques of the wrong
            shape, outside the box or not finite, and for numbers that make no sense.
    """
    _check_fit(controller, protocol, render_profile)
    if batch < 1 or timed_episodes < 0:
        raise UserError(
            f"expected batch >= 1 and timed_episodes >= 0, got {batch} and {timed_episodes}"
        )
    specs = protocol.episodes(episodes, seed)
    results: list[EpisodeResult] = []
    with _Arena(controller, protocol, render_profile) as arena:
        for group in _groups(specs, batch, timed_episodes):
            timed = len(results) < timed_episodes
            tick = _counting(progress, len(results), len(group), episodes)
            results += arena.play(group, timed, tick)
    return results


def _groups(specs: list[EpisodeSpec], batch: int, timed: int) -> list[list[EpisodeSpec]]:
    alone, rest = specs[:timed], specs[timed:]
    together = [rest[first : first + batch] for first in range(0, len(rest), batch)]
    return [[spec] for spec in alone] + together


def _counting(
    progress: Progress | None, before: int, under_way: int, total: int
) -> Callable[[float], None]:
    """Turns the share of one group that is done into episodes of all."""

    def tick(share: float) -> None:
        if progress is not None:
            progress(before + int(share * under_way), total)

    return tick


def _check_fit(controller: Controller, protocol: Protocol, render_profile: str) -> None:
    for what, ours in (("render_profile", render_profile), ("action_repeat", ACTION_REPEAT)):
        theirs = getattr(controller, what, None)
        if theirs is not None and theirs != ours:
            raise UserError(
                f"controller '{controller.name}' was made for {what} {theirs!r}, but this "
                f"evaluation has {what} {ours!r}: use the same for both"
            )
    playable = getattr(controller, "protocols", None)
    if playable is not None and protocol.name not in playable:
        raise UserError(
            f"controller '{controller.name}' knows only the task of {', '.join(playable)}, but "
            f"this is protocol '{protocol.name}': ask for another protocol, or give a controller "
            "trained for this one"
        )


class _Arena:
    """Simulators, one an episode, and the camera, kept from one group of episodes to the next."""

    def __init__(self, controller: Controller, protocol: Protocol, render_profile: str) -> None:
        self._controller = controller
        self._protocol = protocol
        self._simulators = [ReacherSimulator()]
        self._renderer: Renderer | None = None
        size = getattr(controller, "image_size", DEFAULT_IMAGE_SIZE)
        self._no_pixels = np.zeros((size, size, 3), np.uint8)
        if getattr(controller, "needs_pixels", True):
            self._renderer = Renderer(self._simulators[0], render_profile, size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._renderer is not None:
            self._renderer.close()

    def play(
        self, specs: Sequence[EpisodeSpec], timed: bool, progress: Callable[[float], None]
    ) -> list[EpisodeResult]:
        """E episodes from start to the end of the budget, success or not."""
        simulators = self._reset(specs)
        goals = np.stack([spec.goal_qpos_rad for spec in specs])  # (E, 2)
        goal_pixels = [self._draw(goal) for goal in goals]
        path = np.empty((self._protocol.budget_steps, ACTION_REPEAT, len(specs), TORQUE_DIM))
        decision_ms = []
        for step in range(len(path)):
            observations = self._observe(simulators, goals, goal_pixels)
            if step == 0:
                self._controller.reset(observations, [spec.seed for spec in specs])
            torques, spent_ms = self._decide(observations, step)
            decision_ms.append(spent_ms)
            for index, simulator in enumerate(simulators):
                path[step, :, index] = simulator.step(torques[index])
            self._stop_at_fault(step)
            progress((step + 1) / len(path))
        kept_ms = tuple(decision_ms) if timed else ()
        return [
            judge(self._protocol, spec, path[:, :, index], kept_ms)
            for index, spec in enumerate(specs)
        ]

    def _stop_at_fault(self, step: int) -> None:
        """The motors have had their zero torque; what comes after means nothing."""
        fault = getattr(self._controller, "fault", None)
        if fault is not None:
            raise ModelFaultError(f"controller '{self._controller.name}', step {step}: {fault}")

    def _decide(self, observations: list[GoalObservation], step: int) -> tuple[Array, float]:
        """Torques (E, 2), and the wall time they took [ms]."""
        before_s = time.perf_counter()
        torques = self._controller.act(observations)
        spent_ms = 1e3 * (time.perf_counter() - before_s)
        return _checked_torques(torques, len(observations), self._controller.name, step), spent_ms

    def _reset(self, specs: Sequence[EpisodeSpec]) -> list[ReacherSimulator]:
        while len(self._simulators) < len(specs):
            self._simulators.append(ReacherSimulator())
        simulators = self._simulators[: len(specs)]
        for simulator, spec in zip(simulators, specs, strict=True):
            simulator.reset(spec.start_qpos_rad, spec.start_qvel_rad_s)
        return simulators

    def _observe(
        self, simulators: list[ReacherSimulator], goals: Array, goal_pixels: list[Image]
    ) -> list[GoalObservation]:
        return [
            GoalObservation(
                pixels=self._draw(simulator.qpos_rad),
                goal_pixels=picture,
                state=np.concatenate([simulator.qpos_rad, simulator.qvel_rad_s]),
                goal_state=np.concatenate([goal, np.zeros(TORQUE_DIM)]),
            )
            for simulator, goal, picture in zip(simulators, goals, goal_pixels, strict=True)
        ]

    def _draw(self, qpos_rad: Array) -> Image:
        return self._no_pixels if self._renderer is None else self._renderer.render_pose(qpos_rad)


def _checked_torques(torques: Any, episodes: int, name: str, step: int) -> Array:
    given = np.asarray(torques, dtype=np.float64)
    if given.shape != (episodes, TORQUE_DIM):
        raise UserError(
            f"expected torques ({episodes}, {TORQUE_DIM}) from controller '{name}', got shape "
            f"{given.shape}"
        )
    if not (np.abs(given) <= 1.0).all():  # NaN compares false
        raise UserError(
            f"expected torques in [-1, 1] from controller '{name}', got {given.min()} to "
            f"{given.max()} at step {step}"
        )
    return given
