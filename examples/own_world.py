"""A world from scratch, which can be put into any state: six methods, and two more for goals.

    python run_agent.py collect --world examples/own_world.py:Crane --episodes 100 --out data/crane
    python run_agent.py train --data data/crane --out runs/crane
    python run_agent.py control --checkpoint runs/crane --world examples/own_world.py:Crane \
        --goal-state 0.7 -0.5 --video runs/crane.webm

A trolley runs along a beam and its hook is let down; ``envs/base.py`` has the contract.
"""

import numpy as np

from envs import Column, WorldSpec

SIDES_PX = (48, 64)  # height and width
REACH, STEP_S, PACE_PER_S = 1.0, 0.1, 1.5


class Crane:
    """Trolley and hook, each from -1 to 1; two actions in [-1, 1] move them."""

    def __init__(self) -> None:
        columns = tuple(
            Column(name, "m", low=-REACH, high=REACH, tolerance=0.05)
            for name in ("trolley", "hook")
        )
        # the world is named as --world names it: here by this file
        self.spec = WorldSpec("own_world.py:Crane", "drawn", SIDES_PX, 2, STEP_S, columns)
        self._place = np.zeros(2)

    def reset(self, rng, state=None):
        """Begin an episode, in ``state`` where one is given; what is random comes from ``rng``."""
        self._place = np.array(self.sample_state(rng) if state is None else state, float)

    def step(self, action):
        """One tick; True where it ends the episode, which this world never does."""
        moved = self._place + STEP_S * PACE_PER_S * np.clip(action, -1, 1)
        self._place = np.clip(moved, -REACH, REACH)
        return False

    def frame(self):
        """What the camera sees, uint8 (height, width, 3), a new array each time."""
        return self.picture(self._place)

    def state(self):
        """The true state: for goals, verdicts and probes, never learned from; a new array."""
        return self._place.copy()

    def close(self):
        """Nothing is open."""

    def sample_state(self, rng):
        """Any state at rest, as a start or a goal. Together with ``picture`` it can be posed."""
        return rng.uniform(-REACH, REACH, 2)

    def picture(self, state):
        """What the camera would see in ``state``: trolley, rope and hook, with soft edges."""
        height, width = SIDES_PX
        y, x = np.mgrid[-1.2 : 1.2 : height * 1j, -1.6 : 1.6 : width * 1j]
        trolley, hook = state
        rope = np.hypot(x - trolley, np.maximum(y - hook, 0)) < 0.03
        hanging = np.exp(-((x - trolley) ** 2 + (y - hook) ** 2) / 0.02)
        rider = np.exp(-((x - trolley) ** 2 + (y + 1.1) ** 2) / 0.01)
        light = np.stack([hanging, np.maximum(rider, 0.4 * rope), 0.2 + 0 * x], -1)
        return (255 * np.clip(light, 0, 1)).astype(np.uint8)
