"""Every kind of encoder and predictor, chosen by the type of its settings.

To add a kind is to add its settings and its class here.
"""

from __future__ import annotations

from agent.model.encoder import ConvEncoder, EncoderConfig
from agent.model.predictor import PredictorConfig, ResidualPredictor
from agent.model.transformer import TransformerConfig, TransformerPredictor
from agent.model.vit import ViTConfig, ViTEncoder

AnyEncoderConfig = EncoderConfig | ViTConfig
AnyPredictorConfig = PredictorConfig | TransformerConfig
AnyEncoder = ConvEncoder | ViTEncoder
AnyPredictor = ResidualPredictor | TransformerPredictor


def make_encoder(config: AnyEncoderConfig, image_size: tuple[int, int]) -> AnyEncoder:
    """The untrained encoder that ``config`` is for, of frames of ``image_size`` (h, w) [px]."""
    if isinstance(config, ViTConfig):
        return ViTEncoder(config, image_size)
    return ConvEncoder(config, image_size)


def make_predictor(config: AnyPredictorConfig, latent_dim: int, action_width: int) -> AnyPredictor:
    """The untrained predictor that ``config`` is for."""
    if isinstance(config, TransformerConfig):
        return TransformerPredictor(config, latent_dim, action_width)
    return ResidualPredictor(config, latent_dim, action_width)
