"""The world model: encoder, predictor, and a metric for distances to a goal embedding.

(Balestriero & LeCun 2025, arXiv:2511.08544; Maes et al. 2026, arXiv:2603.19312.) No decoder, no
reward, no state enters it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from agent.model.encoder import EncoderConfig
from agent.model.head import GoalHead, HeadConfig
from agent.model.predictor import PredictorConfig
from agent.model.registry import (
    AnyEncoderConfig,
    AnyPredictorConfig,
    make_encoder,
    make_predictor,
)


@dataclass(frozen=True)
class WorldModelConfig:
    """Everything needed to rebuild the network and to know which world it belongs to.

    ``action_block`` K env steps pass in one model step; ``action_repeat`` physics steps of
    ``physics_dt_s`` seconds pass in one env step. ``render_profile`` is the one it was
    trained on; frames of another profile mean nothing to it. ``goal_directions`` of the
    embedding at most enter the distance to a goal as commute time, beside ``plain_share`` of the
    plain distance.
    """

    encoder: AnyEncoderConfig = field(default_factory=EncoderConfig)
    predictor: AnyPredictorConfig = field(default_factory=PredictorConfig)
    head: HeadConfig = field(default_factory=lambda: HeadConfig(width=0))
    torque_dim: int = 2
    action_block: int = 2
    goal_directions: int = 8
    plain_share: float = 0.0
    action_repeat: int = 2
    physics_dt_s: float = 0.02
    render_profile: str = "fast"

    def __post_init__(self) -> None:
        if self.action_block < 1:
            raise ValueError(f"expected action_block >= 1, got {self.action_block}")
        if not self.plain_share >= 0:
            raise ValueError(f"expected plain_share >= 0, got {self.plain_share}")

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
    """Encoder, predictor, goal metric and, if the settings have one, action head.

    ``goal_metric`` (D, W): the planner measures ‖(z − z_goal)·goal_metric‖². It is made of
    identities until :func:`agent.model.metric.goal_metric` has been fitted to rollouts.
    """

    goal_metric: Tensor

    def __init__(self, config: WorldModelConfig) -> None:
        super().__init__()
        self.config = config
        latent_dim = config.encoder.latent_dim
        self.encoder = make_encoder(config.encoder)
        self.predictor = make_predictor(config.predictor, latent_dim, config.action_width)
        self.head = self._make_head()
        identity = torch.eye(latent_dim)
        plain = identity if config.plain_share else identity[:, :0]
        self.register_buffer("goal_metric", torch.cat([identity[:, : self.commuting], plain], 1))

    def _make_head(self) -> GoalHead | None:
        if not self.config.head.width:
            return None
        return GoalHead(self.config.head, self.context, self.latent_dim, self.config.action_width)

    @property
    def commuting(self) -> int:
        """Directions of the embedding in which the goal metric measures commute time."""
        return min(self.config.goal_directions, self.latent_dim)

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
