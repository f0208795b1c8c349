"""Worlds a user might write, drawn in numpy."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from envs import Column, WorldSpec

TURN_RAD = float(2 * np.pi)


class SlideWorld:
    """One number that moves by the action; the whole of a user's own world."""

    def __init__(self, look: str = "plain", image_size: int = 32) -> None:
        self.spec = WorldSpec(
            "slide", look, (image_size, image_size), 1, 0.05, (Column("x", tolerance=0.1),)
        )
        self._x = 0.0

    def reset(self, rng, state=None):
        self._x = float(rng.uniform(-1, 1)) if state is None else float(state[0])

    def step(self, action):
        if not np.isfinite(action).all():
            raise ValueError("expected a finite action")
        self._x = float(np.clip(self._x + 0.1 * np.clip(action[0], -1, 1), -1, 1))
        return False

    def frame(self):
        pixels = np.zeros(self.spec.frame_shape, np.uint8)
        pixels[:, : 1 + round((self._x + 1) / 2 * (pixels.shape[1] - 1))] = 200
        return pixels

    def state(self):
        return np.array([self._x])

    def close(self):
        pass


class Pendulum(gymnasium.Env[Any, Any]):
    """A pendulum with torques in [-2, 2], drawn as a bright half plane."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}  # noqa: RUF012
    state_columns = (Column("angle", "rad", TURN_RAD, tolerance=0.1), Column("speed", "rad/s"))
    action_space: spaces.Space[Any] = spaces.Box(-2.0, 2.0, (1,), np.float32)
    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)

    def __init__(self, render_mode: str | None = None, ticks: int = 0) -> None:
        self.render_mode, self._ticks_left, self._ticks = render_mode, ticks, ticks
        self._angle = self._speed = 0.0
        self._rows, self._columns = np.mgrid[-1:1:48j, -1:1:96j]

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self._angle, self._speed = self.np_random.uniform(-1, 1, 2)
        self._ticks_left = self._ticks
        return self._observe(), self.told()

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action)
        self._speed += 0.05 * (float(np.ravel(action)[0]) - 3.0 * np.sin(self._angle))
        self._angle += 0.05 * self._speed
        self._ticks_left -= 1
        return self._observe(), 0.0, self._ticks_left == 0, False, self.told()

    def told(self) -> dict[str, Any]:
        return {"state": [self._angle, self._speed]}

    def render(self) -> Any:
        side = self._columns * np.cos(self._angle) + self._rows * np.sin(self._angle)
        return np.repeat((127 + 120 * np.tanh(3 * side)).astype(np.uint8)[..., None], 3, -1)

    def _observe(self) -> Any:
        return np.array([self._angle, self._speed], np.float32)
