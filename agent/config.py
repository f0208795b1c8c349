"""The settings of an experiment: frozen, nested, checked when built, written before a run.

Presets are functions, so that none can be changed by accident.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from agent.errors import UserError
from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.world_model import WorldModelConfig
from agent.training.settings import TrainingConfig

T = TypeVar("T")


@dataclass(frozen=True)
class ExperimentConfig:
    """A world model and how it is trained."""

    model: WorldModelConfig = field(default_factory=WorldModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)


def reacher_cpu() -> ExperimentConfig:
    """The default: trained on two CPU cores in about eight minutes."""
    return ExperimentConfig()


def tiny() -> ExperimentConfig:
    """Seconds, not minutes: proves that everything runs, and learns next to nothing."""
    return ExperimentConfig(
        model=WorldModelConfig(
            encoder=EncoderConfig(latent_dim=8, channels=(8, 8, 16), hidden=32),
            predictor=PredictorConfig(width=32, blocks=1),
        ),
        training=TrainingConfig(
            steps=40, batch=8, sigreg_weight=0.1, diagnose_every=20, save_every=20
        ),
    )


PRESETS: Mapping[str, Callable[[], ExperimentConfig]] = {"reacher-cpu": reacher_cpu, "tiny": tiny}


def preset(name: str) -> ExperimentConfig:
    """The preset called ``name``.

    Raises:
        UserError: if there is none; the message names the nearest.
    """
    if name not in PRESETS:
        raise UserError(
            f"expected a preset of {sorted(PRESETS)}, got {name!r}{_nearest(name, PRESETS)}"
        )
    return PRESETS[name]()


def to_dict(config: Any) -> dict[str, Any]:
    """Plain nested dictionaries, ready for JSON."""
    return dataclasses.asdict(config)


def from_dict(kind: type[T], values: Mapping[str, Any]) -> T:
    """Rebuild a frozen config from :func:`to_dict`'s output.

    Raises:
        UserError: on an unknown key (naming the nearest) or a value the config refuses.
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{kind.__name__}: expected named settings, got {values!r}")
    hints = typing.get_type_hints(kind)
    for key in values:
        if key not in hints:
            raise UserError(f"unknown setting {key!r} of {kind.__name__}{_nearest(key, hints)}")
    try:
        return kind(**{key: _rebuild(hints[key], value) for key, value in values.items()})
    except UserError:
        raise
    except (TypeError, ValueError) as error:
        raise UserError(f"{kind.__name__}: {error}") from error


def _rebuild(hint: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_dict(hint, value)
    if typing.get_origin(hint) is tuple:
        return tuple(value)
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return value
    rebuilt = hint(value)
    if rebuilt != value:  # int(3.7) would be a silent 3
        raise ValueError(f"expected a setting of type {hint.__name__}, got {value!r}")
    return rebuilt


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
