"""A world model small enough to export in a moment."""

from __future__ import annotations

import torch
from torch import nn

from agent.control.goal_cost import GoalCostConfig
from agent.control.mpc import MPCConfig
from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from envs import WorldSpec
from planners import GaussNewtonPlanner

SIZE = 16
SPEC = WorldSpec("reacher", "fast", (SIZE, SIZE), 2, 0.04)
# With lighter terms or damping float32's rounding, which differs, reaches the fifth digit.
CONTROL = MPCConfig(horizon=4, surprise_limit=3.0, cost=GoalCostConfig(effort=0.1, change=0.3))
PLANNER = GaussNewtonPlanner(random_starts=5, iterations=2, dampings=(1e-2, 1e-1, 1.0))


def make_model(context: int = 3, spec: WorldSpec = SPEC) -> WorldModel:
    """Random weights and BatchNorm statistics: nothing starts at zero."""
    config = WorldModelConfig(
        EncoderConfig(latent_dim=5, channels=(4, 4, 8), hidden=16),
        PredictorConfig(context=context, width=16, blocks=2),
        goal_directions=3,
    )
    model, draw = WorldModel(config, spec), torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                noise = 0.3 * torch.randn(value.shape, generator=draw)
                positive = name.endswith(("running_var", "pixel_std"))
                value.copy_(0.5 + noise.abs() if positive else noise)
        model.encoder.pixel_std.mul_(100)
        # A fresh network's LayerNorms scale by 1; without that actions would hardly matter.
        for module in model.modules():
            if isinstance(module, nn.LayerNorm):
                module.weight.add_(1.0)
    return model.eval()
