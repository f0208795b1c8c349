"""The world model: encoder, predictor, and a metric for distances to a goal embedding.

(Balestriero & LeCun 2025, arXiv:2511.08544; Maes et al. 2026, arXiv:2603.19312.) No decoder, no
reward, no state enters it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from agent.model.encoder import ConvEncoder, EncoderConfig
from agent.model.predictor import PredictorConfig, ResidualPredictor


@dataclass(frozen=True)
class WorldModelConfig:
    """Everything needed to rebuild the network and to know which world it belongs to.

    ``action_block`` K env steps pass in one model step; ``action_repeat`` physics steps of
    ``physics_dt_s`` seconds pass in one env step. ``render_profile`` is the one it was
    trained on; frames of another profile mean nothing to it. ``goal_directions`` M of the
    embedding at most enter the distance to a goal.
    """

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    predictor: PredictorConfig = field(default_factory=PredictorConfig)
    torque_dim: int = 2
    action_block: int = 2
    goal_directions: int = 8
    action_repeat: int = 2
    physics_dt_s: float = 0.02
    render_profile: str = "fast"

    def __post_init__(self) -> None:
        if self.action_block < 1:
            raise ValueError(f"expected action_block >= 1, got {self.action_block}")

    @property
    def action_width(self) -> int:
        """K*A, numbers in one torque block."""
        return self.action_block * self.torque_dim

    @property
    def control_dt_s(self) -> float:
        """Seconds between control ticks, one env step."""
        return self.action_repeat * self.physics_dt_s

    @property
    def model_step_s(self) -> float:
        """Seconds one prediction reaches ahead."""
        return self.action_block * self.control_dt_s


class WorldModel(nn.Module):
    """Encoder, predictor and goal metric under one roof.

    ``goal_metric`` (D, M): the planner measures ‖(z − z_goal)·goal_metric‖². It is the identity
    until :func:`agent.model.metric.commute_time_metric` has been fitted to rollouts.
    """

    goal_metric: Tensor

    def __init__(self, config: WorldModelConfig) -> None:
        super().__init__()
        self.config = config
        latent_dim = config.encoder.latent_dim
        self.encoder = ConvEncoder(config.encoder)
        self.predictor = ResidualPredictor(config.predictor, latent_dim, config.action_width)
        kept = min(config.goal_directions, latent_dim)
        self.register_buffer("goal_metric", torch.eye(latent_dim)[:, :kept].clone())

    @property
    def latent_dim(self) -> int:
        """D."""
        return self.config.encoder.latent_dim

    @property
    def context(self) -> int:
        """L, embeddings the predictor reads."""
        return self.config.predictor.context

    def encode(self, frames: Tensor) -> Tensor:
        """Embeddings (..., D) of ``frames`` uint8 (..., h, w, 3)."""
        embeddings: Tensor = self.encoder(frames)
        return embeddings

    def rollout(
        self,
        embeddings: Tensor,
        past: Tensor,
        candidates: Tensor,
        drift: Tensor | None = None,
    ) -> Tensor:
        """Predicted embeddings (E, N, H, D), one a model step.

        Args:
            embeddings: (E, L, D), the last one is now.
            past: (E, L-1, K*A), torque blocks between them.
            candidates: (E, N, H, K*A), torque blocks from now on.
            drift: (E, D), added to every prediction; none by default.
        """
        count = candidates.shape[1]
        window = embeddings[:, None].expand(-1, count, -1, -1)  # (E, N, L, D)
        torques = past[:, None].expand(-1, count, -1, -1)  # (E, N, L-1, K*A)
        predicted = []
        for step in range(candidates.shape[2]):
            torques = torch.cat([torques, candidates[:, :, step : step + 1]], 2)
            following = self.predictor(window, torques)  # (E, N, D)
            if drift is not None:
                following = following + drift[:, None]
            predicted.append(following)
            window = torch.cat([window[:, :, 1:], following[:, :, None]], 2)
            torques = torques[:, :, 1:]
        return torch.stack(predicted, 2)
