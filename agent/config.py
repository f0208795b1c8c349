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
from agent.model.head import HeadConfig
from agent.model.predictor import PredictorConfig
from agent.model.transformer import TransformerConfig
from agent.model.vit import ViTConfig
from agent.model.world_model import WorldModelConfig
from agent.training.settings import HeadTraining, TrainingConfig

T = TypeVar("T")


@dataclass(frozen=True)
class ExperimentConfig:
    """A world model, how it is trained, and how its action head, if it has one, is taught."""

    model: WorldModelConfig = field(default_factory=WorldModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    head: HeadTraining = field(default_factory=HeadTraining)


def reacher_cpu() -> ExperimentConfig:
    """The default: trained on two CPU cores in about eight minutes."""
    return ExperimentConfig(
        model=WorldModelConfig(
            predictor=PredictorConfig(width=256), head=HeadConfig(), plain_share=0.1
        ),
        training=TrainingConfig(steps=3500),
    )


def tiny() -> ExperimentConfig:
    """Seconds, not minutes: proves that everything runs, and learns next to nothing."""
    return ExperimentConfig(
        model=WorldModelConfig(
            encoder=EncoderConfig(latent_dim=8, channels=(8, 8, 16), hidden=32),
            predictor=PredictorConfig(width=32, blocks=1),
            head=HeadConfig(width=32, blocks=1),
            plain_share=0.1,
        ),
        training=TrainingConfig(
            steps=40, batch=8, sigreg_weight=0.1, diagnose_every=20, save_every=20
        ),
        head=HeadTraining(steps=20, batch=8, horizon=3),
    )


def vicreg() -> ExperimentConfig:
    """The default with VICReg's variance and covariance terms in place of SIGReg."""
    ours = reacher_cpu()
    training = dataclasses.replace(ours.training, regulariser="vicreg", sigreg_weight=1.0)
    return dataclasses.replace(ours, training=training)


def lewm() -> ExperimentConfig:
    """LeWorldModel's recipe (Maes et al. 2026, arXiv:2603.19312) on our data, at 64 px.

    Only patches are ours: 8 px, as a CPU would need weeks for 256 patches a frame. Steps are ten
    passes over 400 episodes, as many passes as the paper's.
    """
    return _lewm(ViTConfig())


def lewm_224() -> ExperimentConfig:
    """The same with the paper's frames and patches; for data collected at 224 px."""
    return _lewm(ViTConfig(image_size=224, patch_size=14))


def _lewm(encoder: ViTConfig) -> ExperimentConfig:
    return ExperimentConfig(
        model=WorldModelConfig(encoder, TransformerConfig(), action_block=5),
        training=TrainingConfig(
            steps=5500, batch=128, window_frames=4, multi_step=False,
            optimiser="adamw", learning_rate=5e-5, weight_decay=1e-3, gradient_clip=1.0,
            regulariser="sigreg-per-step", sigreg_weight=0.09, sigreg_directions=1024,
            diagnose_every=1100, save_every=100,
        ),
    )  # fmt: skip


def lewm_tiny() -> ExperimentConfig:
    """LeWorldModel's recipe with next to no weights: seconds, to see that it runs.

    SIGReg weighs more: its pull against collapse grows with the batch, and this one is small.
    """
    encoder = ViTConfig(latent_dim=8, patch_size=16, width=24, depth=1, projector_width=32)
    predictor = TransformerConfig(
        width=24, depth=1, heads=2, head_width=12, hidden=32, projector_width=32
    )
    config = _lewm(encoder)
    return ExperimentConfig(
        model=dataclasses.replace(config.model, predictor=predictor),
        training=dataclasses.replace(
            config.training, steps=40, batch=32, learning_rate=3e-3,
            sigreg_weight=0.5, sigreg_directions=64, diagnose_every=20, save_every=20,
        ),
    )  # fmt: skip


PRESETS: Mapping[str, Callable[[], ExperimentConfig]] = {
    "reacher-cpu": reacher_cpu,
    "tiny": tiny,
    "vicreg": vicreg,
    "lewm": lewm,
    "lewm-224": lewm_224,
    "lewm-tiny": lewm_tiny,
}


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
        kinds = [kind for kind in typing.get_args(hint) if dataclasses.is_dataclass(kind)]
        return from_dict(_kind_of(kinds, value), value) if kinds else value
    rebuilt = hint(value)
    if rebuilt != value:  # int(3.7) would be a silent 3
        raise ValueError(f"expected a setting of type {hint.__name__}, got {value!r}")
    return rebuilt


def _kind_of(kinds: list[Any], values: Any) -> Any:
    """The settings class whose ``kind`` is in ``values``; the first one has none."""
    named = {getattr(kind, "kind", None): kind for kind in kinds}
    wanted = values.get("kind") if isinstance(values, Mapping) else None
    if wanted not in named:
        known = {str(name): kind for name, kind in named.items() if name}
        raise UserError(
            f"expected no kind or one of {sorted(known)}, got {wanted!r}"
            f"{_nearest(str(wanted), known)}"
        )
    return named[wanted]


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
