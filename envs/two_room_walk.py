"""``walk``: how the two rooms are recorded, to one random place after the other."""

from __future__ import annotations

import numpy as np

from envs.base import Array, FloatArray, World
from envs.behaviours import Behaviour, Policy
from envs.two_room_geometry import DOOR_PX, STEP_PX, WALL_PX, sample_place

WALK_NOISE = 0.4  # of the largest step: 2 px


def draw_walk(rng: np.random.Generator, ticks: int, action_dim: int) -> Policy:
    """The policy ``walk``: to random places one after the other, through the door, with noise."""
    places = [sample_place(rng) for _ in range(ticks // 10 + 1)]
    noise = rng.normal(0.0, WALK_NOISE, (ticks, action_dim))

    def act(world: World, tick: int) -> FloatArray:
        here = world.state()
        if len(places) > 1 and np.linalg.norm(places[0] - here) < STEP_PX:
            del places[0]
        step = (_next_stop(here, places[0]) - here) / STEP_PX
        step /= max(1.0, float(np.linalg.norm(step)))
        action: FloatArray = np.clip(step + noise[tick], -1.0, 1.0).astype(np.float32)
        return action

    return act


def _next_stop(here: Array, goal: Array) -> Array:
    """Where to head for: the goal, or the door, or its far side, if the goal lies beyond."""
    wall, door = sum(WALL_PX) / 2, sum(DOOR_PX) / 2
    if (here[0] < wall) == (goal[0] < wall) and not WALL_PX[0] < here[0] < WALL_PX[1]:
        return goal
    side = 1.0 if goal[0] > wall else -1.0
    lined_up = abs(here[1] - door) < 0.6 * (DOOR_PX[1] - door)
    near, far = wall - side * 2 * STEP_PX, wall + side * 2 * STEP_PX
    return np.array([far if lined_up else near, door])


WALK = Behaviour("walk", draw_walk)
