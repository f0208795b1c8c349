"""The world model: encoder, predictor, and a metric for distances to a goal embedding.

(Balestriero & LeCun 2025, arXiv:2511.08544; Maes et al. 2026, arXiv:2603.19312.) No decoder, no
reward, no state enters it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import torch
from torch import Tensor, nn

from agent.model.encoder import ConvEncoder, EncoderConfig
from agent.model.folded import stepping
from agent.model.head import GoalHead, HeadConfig
from agent.model.predictor import PredictorConfig, ResidualPredictor
from agent.model.rolling import Stepping, roll
from agent.model.sight import Sight
from agent.model.slow_features import SlowFeatures
from agent.model.transformer import TransformerConfig, TransformerPredictor
from agent.model.vit import ViTConfig, ViTEncoder
from envs import WorldSpec

TAUGHT_LATER = ("head.", "slow.")  # how their parameters begin: when encoder and predictor are done


@dataclass(frozen=True)
class WorldModelConfig:
    """The settings of the network; which world it is for is no setting, but a spec of its own.

    ``action_block`` K env steps pass in one model step. ``goal_directions`` of the embedding at
    most enter the distance to a goal as commute time, beside ``plain_share`` of the plain distance.
    With ``bent`` > 0 they are curved functions of the embedding, of that many hidden units.
    """

    encoder: EncoderConfig | ViTConfig = field(default_factory=EncoderConfig)
    predictor: PredictorConfig | TransformerConfig = field(default_factory=PredictorConfig)
    head: HeadConfig = field(default_factory=lambda: HeadConfig(width=0))
    action_block: int = 2
    goal_directions: int = 8
    plain_share: float = 0.0
    bent: int = 0

    @property
    def memory_frames(self) -> int:
        """Frames of an episode that one prediction takes, with the one that it is held against."""
        return self.action_block * self.predictor.context + 1

    def __post_init__(self) -> None:
        if self.action_block < 1:
            raise ValueError(f"expected action_block >= 1, got {self.action_block}")
        if self.goal_directions < 1:
            raise ValueError(f"expected goal_directions >= 1, got {self.goal_directions}")
        if not 0 <= self.plain_share < inf:
            raise ValueError(f"expected plain_share >= 0, got {self.plain_share}")
        if self.bent < 0:
            raise ValueError(f"expected bent >= 0, got {self.bent}")


class WorldModel(nn.Module):
    """Encoder, predictor, goal metric and, if the settings have one, action head.

    ``spec`` is the world whose frames and actions it takes; ``sight``, once learned, what its
    pictures look like. The planner measures ‖measured(z) − measured(z_goal)‖², with measured(z)
    made of z·``goal_metric`` (D, W) and, where the settings ask for them, slow features of z. Both
    are fitted to rollouts: :mod:`agent.model.metric`, :mod:`agent.training.slow_features`.

    Raises:
        ValueError: if the encoder cannot read frames of the world's size.
    """

    goal_metric: Tensor

    def __init__(self, config: WorldModelConfig, spec: WorldSpec) -> None:
        super().__init__()
        self.config, self.spec = config, spec
        self.sight: Sight | None = None
        latent_dim = config.encoder.latent_dim
        self.encoder = _make_encoder(config.encoder, spec.image_size)
        self.predictor = _make_predictor(config.predictor, latent_dim, self.action_width)
        sizes = (self.context, latent_dim, self.action_width)
        self.head = GoalHead(config.head, *sizes) if config.head.width else None
        self.slow = SlowFeatures(latent_dim, config.bent, self.commuting) if config.bent else None
        straight = 0 if config.bent else self.commuting
        metric = torch.zeros(latent_dim, straight + self.plain)  # eye and cat load a compiler
        for part in (metric[:, :straight], metric[:, straight:]):
            part.fill_diagonal_(1.0)
        self.register_buffer("goal_metric", metric)
        self.float()  # whatever the program around it makes of tensors by default

    @property
    def action_width(self) -> int:
        """K*A, numbers in one action block."""
        return self.config.action_block * self.spec.action_dim

    @property
    def model_step_s(self) -> float:
        """Seconds one prediction reaches ahead."""
        return self.config.action_block * self.spec.step_s

    @property
    def commuting(self) -> int:
        """Directions of the embedding in which the goal metric measures commute time."""
        return min(self.config.goal_directions, self.latent_dim)

    @property
    def plain(self) -> int:
        """Directions of the embedding in which the goal metric measures plain distance."""
        return self.latent_dim if self.config.plain_share else 0

    @property
    def measures(self) -> int:
        """M, numbers in which the distance to a goal is measured."""
        curved = 0 if self.slow is None else self.commuting
        return curved + self.goal_metric.shape[1]

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

    def measured(self, embeddings: Tensor) -> Tensor:
        """Coordinates (..., M) of embeddings (..., D) whose distance is that of the planner."""
        straight = embeddings @ self.goal_metric
        return straight if self.slow is None else torch.cat([self.slow(embeddings), straight], -1)

    def ahead(self, embeddings: Tensor, blocks: Tensor) -> Tensor:
        """Predicted embeddings (E, H, D): after embeddings (E, L, D) and all action blocks
        (E, L-1+H, K*A) from the first of them on.
        """
        past = self.context - 1
        return roll(self.predictor, embeddings, blocks[:, :past], blocks[:, None, past:])[:, 0]

    def stepping(self) -> Stepping:
        """The predictor with its weights of now, as planning calls it."""
        return stepping(self.predictor)


def _make_encoder(
    config: EncoderConfig | ViTConfig, image_size: tuple[int, int]
) -> ConvEncoder | ViTEncoder:
    """The untrained encoder that ``config`` is for, of frames of ``image_size`` (h, w) [px]."""
    if isinstance(config, ViTConfig):
        return ViTEncoder(config, image_size)
    return ConvEncoder(config, image_size)


def _make_predictor(
    config: PredictorConfig | TransformerConfig, latent_dim: int, action_width: int
) -> ResidualPredictor | TransformerPredictor:
    """The untrained predictor that ``config`` is for."""
    if isinstance(config, TransformerConfig):
        return TransformerPredictor(config, latent_dim, action_width)
    return ResidualPredictor(config, latent_dim, action_width)
