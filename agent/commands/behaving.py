"""Behaviours by name for ``collect``: those of a world, a user's own, and a checkpoint of ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agent.data.worker import named_behaviour
from agent.files.bundle import CHECKPOINT, has_bundle
from agent.interfaces import FloatArray, Goals, Seen
from envs import Behaviour, Policy, Posable, World, WorldError

NEW_GOAL_TICKS = 50
NOISE = 0.2  # of the actions, so that the data hold more than what the model already does


def find_behaviour(name: str, world: World) -> Behaviour:
    """The behaviour of that name; a directory with a checkpoint is one as well.

    Raises:
        WorldError: if there is none, or the checkpoint cannot act in ``world``.
    """
    place = Path(name)
    for directory in (place, place / CHECKPOINT):
        if has_bundle(directory):
            return _steered(directory, world)
    return named_behaviour(name, world)


def _steered(checkpoint: Path, world: World) -> Behaviour:
    """Steers to one random goal after the other, with noise, as the world model can."""
    import torch

    from agent.control.mpc import WorldModelController
    from agent.control.torch_model import TorchModel
    from agent.model.checkpoint import load_checkpoint

    if not isinstance(world, Posable):
        raise WorldError(f"expected a world that can be posed, got {world.spec.world}")
    torch.set_num_threads(1)
    model = load_checkpoint(checkpoint)
    model.spec.require_same(world.spec, "the world to record")
    controller = WorldModelController(TorchModel(model))

    def draw_policy(rng: np.random.Generator, ticks: int, action_dim: int) -> Policy:
        count = -(-ticks // NEW_GOAL_TICKS)
        goals = [world.picture(world.sample_state(rng)) for _ in range(count)]
        noise = NOISE * rng.standard_normal((ticks, action_dim))
        seed = int(rng.integers(2**32))

        def act(acting: World, tick: int) -> FloatArray:
            goal = Goals(pixels=goals[tick // NEW_GOAL_TICKS][None])
            if tick == 0:
                controller.reset(goal, [seed])
            elif tick % NEW_GOAL_TICKS == 0:
                controller.aim(goal)
            decided = controller.act(Seen(pixels=acting.frame()[None])).actions[0]
            sent = np.asarray(np.clip(decided + noise[tick], -1.0, 1.0), np.float32)
            controller.recall(sent[None])
            return sent

        return act

    return Behaviour(str(checkpoint), draw_policy)
