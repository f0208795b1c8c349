"""What the controller of an earlier day did on the shipped checkpoint.

With the checkpoint shipped first it was the controller that was written in torch throughout. Where
another is shipped, its actions are recorded anew, from the same frames and noise, by a controller
that has just given those on the one before (it did to 2e-5): ``python tests/former_controller.py``.
So they were when sampled plans came to compete with the first Newton step instead of before it.

``control/former_actions.npz``: 2 episodes, 8 ticks, with ``goals`` uint8 (E, h, w, 3) and, for a
delay of 0 and of 2 ticks each, ``frames`` uint8 (ticks, E, h, w, 3), the ``noise`` (ticks, E, N, H,
K*A) that its planner drew and the ``actions`` (ticks, E, A) that it sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent.control.model import Model
from agent.control.mpc import MPCConfig, WorldModelController
from agent.interfaces import Goals, Seen
from planners import GaussNewtonPlanner, Plan

CHECKPOINT = Path(__file__).parents[1] / "checkpoints" / "reacher"
RECORD = Path(__file__).parent / "control" / "former_actions.npz"

Array = np.ndarray[Any, Any]


@dataclass
class Playback:
    """Plans with noise that was drawn before: one array a call."""

    drawn: Array
    calls: int = 0

    def plan(self, cost: Any, start: Array, bounds: Any, noise: Any, deadline: Any = None) -> Plan:
        """As Gauss-Newton does, from that noise."""
        return GaussNewtonPlanner().plan(cost, start, bounds, self, deadline)

    def normal(self, shape: tuple[int, ...]) -> Array:
        """What was drawn at this call."""
        given: Array = self.drawn[self.calls]
        self.calls += 1
        assert given.shape[1:] == shape
        return given.copy()

    def uniform(self, shape: tuple[int, ...]) -> Array:
        """Was never drawn."""
        raise AssertionError(f"no uniform numbers {shape} were drawn")


def then_and_now(model: Model, delay: int) -> tuple[Array, Array]:
    """Actions (ticks, E, A) that were sent, and those that ``model`` leads to now."""
    record = np.load(RECORD)
    return record[f"actions_{delay}"], actions_of(model, record, delay)


def actions_of(model: Model, record: Mapping[str, Array], delay: int) -> Array:
    """Actions (ticks, E, A) that ``model`` leads to, shown the frames of ``record``."""
    playback = Playback(record[f"noise_{delay}"])
    controller = WorldModelController(model, playback, MPCConfig(delay_ticks=delay))
    goals = record["goals"]
    controller.reset(Goals(pixels=goals), range(len(goals)))
    return np.stack([controller.act(Seen(pixels=f)).actions for f in record[f"frames_{delay}"]])


def record_anew() -> None:
    """Write the actions that the shipped checkpoint leads to now."""
    from agent.control.torch_model import TorchModel
    from agent.model.checkpoint import load_checkpoint

    record, model = dict(np.load(RECORD)), TorchModel(load_checkpoint(CHECKPOINT))
    now = {f"actions_{delay}": actions_of(model, record, delay) for delay in (0, 2)}
    np.savez_compressed(RECORD, **record | now)


if __name__ == "__main__":
    record_anew()
