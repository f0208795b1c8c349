"""What every Reacher goal environment shares: bring both joints to a goal pose, and stay.

One step is one control tick of 0.04 s. The task continues when the goal is reached: success is
reported in ``info`` and rewarded, never a reset, and the time limit is ``truncated``. The reward
is 0 inside the tolerance on both joints modulo 2π, −1 outside.
"""

from __future__ import annotations

import difflib
from abc import abstractmethod
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import ArrayLike, NDArray

from envs.errors import PoseError
from envs.looks import checked_profile
from envs.reacher.angles import angle_error_rad, checked_pose, finite_pair, sample_pose
from envs.reacher.rendering import Image, Renderer
from envs.reacher.simulator import ACTION_REPEAT, PHYSICS_DT_S, TORQUE_DIM, ReacherSimulator

Array = NDArray[np.float64]
FloatArray = NDArray[np.float32]
Observation = dict[str, Any]  # of arrays, as the observation space says

BUDGET_STEPS = 100  # 4 s
TOLERANCE_RAD = 0.05
MAX_VELOCITY_RAD_S = 100.0
RESET_OPTIONS = ("qpos", "qvel", "goal_qpos")


class ReacherGoalEnv(gymnasium.Env[Observation, FloatArray]):
    """What both environments share: a start at rest, a goal pose, a budget of steps.

    ``reset(options=...)`` takes ``qpos`` (2,) [rad], ``qvel`` (2,) [rad/s] and ``goal_qpos`` (2,)
    [rad]; what is absent is drawn (velocities: zero). Actions are torques (2,) in [-1, 1].
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (gymnasium declares it an instance variable)
        "render_modes": ["rgb_array"],
        "render_fps": round(1.0 / (PHYSICS_DT_S * ACTION_REPEAT)),
    }

    def __init__(
        self,
        render_mode: str | None = None,
        render_profile: str = "fast",
        image_size: int = 64,
        budget_steps: int = BUDGET_STEPS,
        tolerance_rad: float = TOLERANCE_RAD,
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"expected render_mode None or 'rgb_array', got {render_mode!r}")
        if budget_steps < 1 or not 0.0 < tolerance_rad < np.pi:
            raise ValueError(
                "expected budget_steps of at least 1 and tolerance_rad between 0 and π, "
                f"got {budget_steps} and {tolerance_rad}"
            )
        checked_profile(render_profile, image_size)  # now, not at the first frame
        self.render_mode = render_mode
        self.render_profile = render_profile
        self.image_size = image_size
        self.budget_steps = budget_steps
        self.tolerance_rad = tolerance_rad
        self.action_space = spaces.Box(-1.0, 1.0, (TORQUE_DIM,), np.float32)
        self.observation_space = self._make_observation_space()
        self._simulator = ReacherSimulator()
        self._renderer: Renderer | None = None
        self._goal_qpos_rad = np.zeros(TORQUE_DIM)
        self._steps_left = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode; see the class for ``options``."""
        super().reset(seed=seed)
        given = _checked_options(options)
        # Always two draws, so that giving one pose does not change the other.
        start, goal = sample_pose(self.np_random), sample_pose(self.np_random)
        self._goal_qpos_rad = checked_pose(given.get("goal_qpos", goal), "goal_qpos")
        self._simulator.reset(
            checked_pose(given.get("qpos", start), "qpos"),
            _checked_velocity(given.get("qvel", (0.0, 0.0))),
        )
        self._steps_left = self.budget_steps
        self._keep_goal()
        observation = self._observe()
        return observation, self._info(self._is_success(observation))

    def step(self, action: ArrayLike) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Apply a torque (2,) for one control tick."""
        if self._steps_left == 0:
            raise ResetNeeded("expected reset() before step(): no episode is under way")
        self._simulator.step(action)
        self._steps_left -= 1
        observation = self._observe()
        success = self._is_success(observation)
        reward = 0.0 if success else -1.0
        return observation, reward, False, self._steps_left == 0, self._info(success)

    def render(self) -> Image | None:
        """The present frame, uint8 (image_size, image_size, 3); None without a render mode."""
        return None if self.render_mode is None else self._open_renderer().render()

    def close(self) -> None:
        """Give back the OpenGL context."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    @abstractmethod
    def _make_observation_space(self) -> spaces.Dict: ...

    @abstractmethod
    def _observe(self) -> Observation: ...

    @abstractmethod
    def _keep_goal(self) -> None:
        """Store what observations say about a new goal; it stays the same for an episode."""

    def _is_success(self, observation: Observation) -> bool:
        return bool((self._error_rad() < self.tolerance_rad).all())

    def _error_rad(self) -> Array:
        return angle_error_rad(self._simulator.qpos_rad, self._goal_qpos_rad)

    def _open_renderer(self) -> Renderer:
        if self._renderer is None:
            self._renderer = Renderer(self._simulator, self.render_profile, self.image_size)
        return self._renderer

    def _info(self, success: bool) -> dict[str, Any]:
        return {
            "state": np.concatenate([self._simulator.qpos_rad, self._simulator.qvel_rad_s]),
            "goal_state": np.concatenate([self._goal_qpos_rad, np.zeros(TORQUE_DIM)]),
            "is_success": success,
            "error_rad": self._error_rad(),
        }


def _checked_options(options: dict[str, Any] | None) -> dict[str, Any]:
    given = options or {}
    for name in given:
        if name not in RESET_OPTIONS:
            near = difflib.get_close_matches(str(name), RESET_OPTIONS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"expected reset options of {RESET_OPTIONS}, got {name!r}{hint}")
    return given


def _checked_velocity(qvel_rad_s: ArrayLike) -> Array:
    velocity = finite_pair(qvel_rad_s, "qvel")
    if np.abs(velocity).max() > MAX_VELOCITY_RAD_S:
        raise PoseError(f"expected qvel within ±{MAX_VELOCITY_RAD_S} rad/s, got {velocity}")
    return velocity
