"""A point in a box: a world in numpy, for tests that need neither simulator nor OpenGL."""

from __future__ import annotations

import numpy as np

from envs import Behaviour, Column, WorldSpec

FRAME_SHAPE = (16, 24)


class Box:
    """Actions push a point about; with ``wall`` an episode ends when it hits that far out."""

    actions, known, wall = 3, 3, 0.5

    def __init__(self, look: str = "plain", image_size: int | tuple[int, int] = FRAME_SHAPE):
        size = (image_size, image_size) if isinstance(image_size, int) else image_size
        columns = tuple(Column(f"x{i}", "m", low=-1.0, high=1.0) for i in range(self.known))
        self.spec = WorldSpec("box", look, size, self.actions, 0.1, columns)
        self.at = np.zeros(self.actions)

    def reset(self, rng, state=None):
        start = rng.uniform(-0.4, 0.4, self.actions)
        self.at = start if state is None else np.array(state)

    def step(self, action):
        self.at = self.at + 0.05 * action
        return bool(np.abs(self.at).max() > self.wall)

    def frame(self):
        """A hash of the state as noise: frames of different states differ everywhere."""
        seed = np.frombuffer(self.at.tobytes(), np.uint32)
        return np.random.default_rng(seed).integers(0, 256, self.spec.frame_shape, np.uint8)

    def state(self):
        return self.at[: self.known].copy()

    def close(self):
        pass


class EndlessBox(Box):
    wall = np.inf


class DrawnBox(EndlessBox):
    """It knows what draws it."""

    pencil = "2B"

    def drawn_with(self):
        return {"pencil": self.pencil}


class BlindBox(Box):
    """No state is known, and there is one action."""

    actions, known = 1, 0


class FiveBox(Box):
    actions, known = 5, 2


def draw_forward(rng, ticks, action_dim):
    """A user's behaviour as a function."""
    return lambda world, t: np.ones(action_dim, np.float32)


FORWARD = Behaviour("anything", draw_forward)
NUMBER = 3
