"""One's own gymnasium environment as a world: nothing else has to be written.

    python run_agent.py collect --world examples/own_gymnasium_world.py:Pendulum --out data/pendulum
    python run_agent.py train --data data/pendulum --out runs/pendulum
    python run_agent.py evaluate --checkpoint runs/pendulum --protocol hindsight --episodes 50 \
        --world examples/own_gymnasium_world.py:Pendulum

A torque turns a weighted rod; the picture is drawn with numpy. ``state_columns`` says what the
observation means and when a goal is reached; without it there are frames and actions alone. A file
is code, so it is not opened because a checkpoint names it: say --world again.
"""

import gymnasium
import numpy as np
from gymnasium import spaces

from envs import Column

STEP_S, SIDE_PX = 0.05, 64
GRAVITY_PER_S2, PUSH_PER_S2, FRICTION_PER_S = 10.0, 15.0, 0.5


class Pendulum(gymnasium.Env):
    """A rod that hangs: its angle from below [rad] and how fast it turns [rad/s]."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}
    state_columns = (Column("angle", "rad", 2 * np.pi, tolerance=0.1), Column("speed", "rad/s"))

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float64)

    def reset(self, *, seed=None, options=None):
        """Hanging somewhere, at rest."""
        super().reset(seed=seed)
        self._state = np.array([self.np_random.uniform(-np.pi, np.pi), 0.0])
        return self._state.copy(), {}

    def step(self, action):
        """One tick, in five small steps."""
        angle, speed = self._state
        for _ in range(5):
            pull = PUSH_PER_S2 * float(action[0]) - GRAVITY_PER_S2 * np.sin(angle)
            speed += STEP_S / 5 * (pull - FRICTION_PER_S * speed)
            angle += STEP_S / 5 * speed
        self._state = np.array([angle, speed])
        return self._state.copy(), 0.0, False, False, {}

    def render(self):
        """The rod, white on blue, its edges soft."""
        y, x = (np.mgrid[:SIDE_PX, :SIDE_PX] - SIDE_PX / 2 + 0.5) / (SIDE_PX / 2)
        along = np.array([np.sin(self._state[0]), np.cos(self._state[0])])
        reach = np.clip(x * along[0] + y * along[1], 0.0, 0.8)
        away = np.hypot(x - reach * along[0], y - reach * along[1])
        shade = np.clip((0.12 - away) * SIDE_PX / 2, 0.0, 1.0)[..., None]
        return (shade * 255 + (1 - shade) * np.array([30, 40, 80])).astype(np.uint8)
