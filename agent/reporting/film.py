"""One episode on film: a controller steers the arm to a goal picture, and every tick is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agent.interfaces import Array, Controller, GoalObservation, Image
from agent.reporting.video import PANEL_PX, beside_goal
from envs import ACTION_REPEAT, PHYSICS_DT_S, ReacherSimulator, Renderer, angle_error_rad

TICK_S = PHYSICS_DT_S * ACTION_REPEAT
FRAMES_PER_S = 1.0 / TICK_S


@dataclass(frozen=True)
class Goal:
    """What to reach: ``pixels`` (h, w, 3) as the controller sees it, ``picture`` for people.

    ``qpos_rad`` (2,) is NaN where only a picture is known.
    """

    pixels: Image
    picture: Image
    qpos_rad: Array


@dataclass(frozen=True)
class Film:
    """T+1 frames and errors of T control ticks.

    ``frames`` RGB, scene beside goal; ``qpos_rad`` (T+1, 2); ``errors_rad`` (T+1,) the larger
    joint error modulo 2π, NaN where the goal's pose is unknown; ``pixels`` the last frame as the
    controller saw it; ``decision_ms`` (T,).
    """

    frames: list[Image]
    qpos_rad: Array
    errors_rad: Array
    pixels: Image
    decision_ms: Array


class Studio:
    """A simulator with two cameras: the controller's, and a larger one for people."""

    def __init__(self, render_profile: str, image_size: int) -> None:
        self.simulator = ReacherSimulator()
        self._eye = Renderer(self.simulator, render_profile, image_size)
        self._camera = Renderer(self.simulator, render_profile, PANEL_PX)

    def goal_at(self, qpos_rad: Array) -> Goal:
        """The goal of a known pose (2,)."""
        return Goal(self._eye.render_pose(qpos_rad), self._camera.render_pose(qpos_rad), qpos_rad)

    def film(
        self,
        controller: Controller,
        start_qpos_rad: Array,
        goal: Goal,
        ticks: int,
        seed: int = 0,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Film:
        """From rest at a pose, ``ticks`` control ticks towards ``goal``."""
        self.simulator.reset(start_qpos_rad)
        observation = self._observe(goal)
        controller.reset([observation], [seed])
        reel = _Reel(goal)
        self._shoot(reel)
        for tick in range(ticks):
            start_s = time.perf_counter()
            torque = controller.act([observation])[0]
            reel.decision_ms.append(1e3 * (time.perf_counter() - start_s))
            self.simulator.step(torque)
            observation = self._observe(goal)
            self._shoot(reel)
            progress(tick + 1, ticks)
        return reel.finish(observation.pixels)

    def _observe(self, goal: Goal) -> GoalObservation:
        state = np.concatenate([self.simulator.qpos_rad, self.simulator.qvel_rad_s])
        goal_state = np.concatenate([goal.qpos_rad, np.zeros(2)])
        return GoalObservation(self._eye.render(), goal.pixels, state, goal_state)

    def _shoot(self, reel: _Reel) -> None:
        reel.add(self._camera.render(), self.simulator.qpos_rad)

    def close(self) -> None:
        """Give the cameras back."""
        self._eye.close()
        self._camera.close()


class _Reel:
    """A film in the making."""

    def __init__(self, goal: Goal) -> None:
        self._goal = goal
        self._frames: list[Image] = []
        self._qpos_rad: list[Array] = []
        self._errors_rad: list[float] = []
        self.decision_ms: list[float] = []

    def add(self, scene: Image, qpos_rad: Array) -> None:
        error_rad = float(angle_error_rad(qpos_rad, self._goal.qpos_rad).max())
        caption = f"{len(self._frames) * TICK_S:4.2f} s"
        if np.isfinite(error_rad):
            caption += f"   error {error_rad:5.3f} rad"
        self._frames.append(beside_goal(scene, self._goal.picture, caption))
        self._qpos_rad.append(qpos_rad)
        self._errors_rad.append(error_rad)

    def finish(self, pixels: Image) -> Film:
        errors, decisions = np.array(self._errors_rad), np.array(self.decision_ms)
        return Film(self._frames, np.array(self._qpos_rad), errors, pixels, decisions)
