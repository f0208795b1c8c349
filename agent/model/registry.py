"""Every kind of encoder and predictor, chosen by the type of its settings.

On file the settings carry a ``kind``; those without one are of the first kind, which had no other
beside it. To add a kind is to add its settings and its class here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from agent.model.encoder import ConvEncoder, EncoderConfig
from agent.model.predictor import PredictorConfig, ResidualPredictor
from agent.model.transformer import TransformerConfig, TransformerPredictor
from agent.model.vit import ViTConfig, ViTEncoder

AnyEncoderConfig = EncoderConfig | ViTConfig
AnyPredictorConfig = PredictorConfig | TransformerConfig
AnyEncoder = ConvEncoder | ViTEncoder
AnyPredictor = ResidualPredictor | TransformerPredictor
T = TypeVar("T")


def make_encoder(config: AnyEncoderConfig) -> AnyEncoder:
    """The untrained encoder that ``config`` is for."""
    return ViTEncoder(config) if isinstance(config, ViTConfig) else ConvEncoder(config)


def make_predictor(config: AnyPredictorConfig, latent_dim: int, action_width: int) -> AnyPredictor:
    """The untrained predictor that ``config`` is for."""
    if isinstance(config, TransformerConfig):
        return TransformerPredictor(config, latent_dim, action_width)
    return ResidualPredictor(config, latent_dim, action_width)


def encoder_config(values: Mapping[str, Any]) -> AnyEncoderConfig:
    """Settings of an encoder as a file has them.

    Raises:
        KeyError, TypeError, ValueError: if they are not of this version.
    """
    if values.get("kind") == ViTConfig.kind:
        return _rebuild(ViTConfig, values)
    return _rebuild(EncoderConfig, values)


def predictor_config(values: Mapping[str, Any]) -> AnyPredictorConfig:
    """Settings of a predictor as a file has them; errors as :func:`encoder_config`."""
    if values.get("kind") == TransformerConfig.kind:
        return _rebuild(TransformerConfig, values)
    return _rebuild(PredictorConfig, values)


def _rebuild(kind: type[T], values: Mapping[str, Any]) -> T:
    """JSON knows lists only: what the settings want as a tuple is made one."""
    rebuilt = dict(values)
    for field in fields(kind):  # type: ignore[arg-type]
        if str(field.type).startswith("tuple"):
            rebuilt[field.name] = tuple(rebuilt[field.name])
    return kind(**rebuilt)
