"""The settings of an experiment: frozen, nested, checked when built, written before a run.

Presets are functions, so that none can be changed by accident.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.errors import UserError
from agent.model.encoder import EncoderConfig
from agent.model.head import HeadConfig
from agent.model.predictor import PredictorConfig
from agent.model.transformer import TransformerConfig
from agent.model.vit import ViTConfig
from agent.model.world_model import WorldModelConfig
from agent.settings import flat, nearest, with_changes
from agent.training.settings import HeadTraining, TrainingConfig

CONFIG_NAME = "config.toml"  # beside a run


@dataclass(frozen=True)
class ExperimentConfig:
    """A world model, how it is trained, and how its action head, if it has one, is taught."""

    model: WorldModelConfig = field(default_factory=WorldModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    head: HeadTraining = field(default_factory=HeadTraining)


def changed(base: ExperimentConfig, changes: Mapping[str, Any]) -> ExperimentConfig:
    """``base`` with ``changes`` by dotted name; the head's steps follow those of the training.

    Unless they are among the changes: a tenth of the steps is a tenth of the head's as well.

    Raises:
        UserError: on an unknown setting or a value that makes no sense.
    """
    config = with_changes(base, changes)
    if not base.head.steps or {name.replace("-", "_") for name in changes} & {"head.steps"}:
        return config
    share = config.training.steps / base.training.steps
    return with_changes(config, {"head.steps": max(1, round(base.head.steps * share))})


def as_toml(config: ExperimentConfig, named: str) -> str:
    """``config``, made from the preset ``named``, for people and for ``train --config``.

    Steps of the head that only follow those of the training stand as a remark: read back and
    changed, they follow again.
    """
    follows = changed(preset(named), {"training.steps": config.training.steps}).head.steps
    lines = [f"preset = {toml_value(named)}"]
    split = ((*name.rpartition("."), value) for name, value in flat(config))
    for table, entries in itertools.groupby(split, key=lambda entry: entry[0]):
        lines += ["", f"[{table}]"]
        for _, _, name, value in entries:
            said = f"{name} = {toml_value(value)}"
            follower = follows and (table, name, value) == ("head", "steps", follows)
            lines.append(f"# {said}, along with training.steps" if follower else said)
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:
    """As TOML has it: a text, a number, a truth value or a list of them."""
    if isinstance(value, float):
        return repr(value)  # TOML says inf as Python
    # TOML has neither JSON's two escapes for one character nor a bare delete.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def require_going_on(config: ExperimentConfig, changes: Mapping[str, Any]) -> None:
    """Refuse, of ``changes`` by dotted name, what :func:`going_on` would take back.

    Raises:
        UserError: naming it.
    """
    names = {name.replace("-", "_") for name in changes}
    if "training.warm_start" in names and config.training.warm_start:
        raise UserError(
            "expected no warm start for what is trained further, as it has had its own: leave out "
            "training.warm_start"
        )
    if network := sorted(name for name in names if name.split(".")[0] == "model"):
        raise UserError(
            f"expected the network of the checkpoint to go on from, got {network[0]}: leave out "
            "what begins with model, or train anew"
        )


def going_on(config: ExperimentConfig, network: WorldModelConfig) -> ExperimentConfig:
    """``config`` for a model of that ``network``, which has had its warm start."""
    training = dataclasses.replace(config.training, warm_start=0.0)
    return dataclasses.replace(config, model=network, training=training)


def idle_among(
    configs: Sequence[ExperimentConfig], given: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Settings among those ``given`` by dotted name that nothing reads in any of ``configs``; each
    with why in the first, which ends the sentence "it does nothing …".
    """
    words = sorted({name.replace("-", "_") for name in given})
    idle = [dict(_idle(config)) for config in configs]
    for name, why in idle[0].items() if idle else ():
        if all(name in others for others in idle):
            yield from ((one, why) for one in words if one == name or one.startswith(f"{name}."))


def _idle(config: ExperimentConfig) -> Iterator[tuple[str, str]]:
    """Settings, or whole tables of them, that nothing reads; and why."""
    training = config.training
    if training.optimiser == "adamw":
        yield "training.matrix_learning_rate", "with --training.optimiser adamw"
    else:
        yield "training.weight_decay", f"with --training.optimiser {training.optimiser}"
    if training.regulariser == "vicreg":
        yield "training.sigreg_directions", "with --training.regulariser vicreg"
    if not training.sigreg_weight:
        yield "training.sigreg_directions", "with --training.sigreg-weight 0"
    if not training.warm_start:
        yield "training.warm_start_lags", "without a warm start"
    if not training.settling:
        yield "training.settling_frames", "without steps of settling"
    if not config.model.head.width:
        yield "head", "for a model without an action head (--model.head.width 0)"
    elif not config.head.steps:
        names = ("batch", "horizon", "learning_rate", "effort", "change")
        yield from ((f"head.{name}", "for a head that is not taught") for name in names)


def default() -> ExperimentConfig:
    """One for all worlds: trained on two CPU cores in two to three minutes, its action head in one.

    300 steps of warm start, 900 of both networks, 600 of settling.
    """
    return ExperimentConfig(
        model=WorldModelConfig(
            predictor=PredictorConfig(width=128), head=HeadConfig(), plain_share=0.1, bent=128
        ),
        training=TrainingConfig(steps=1800, warm_start=1 / 6, sigreg_fade=0.1, settling=1 / 3),
    )


def brisk() -> ExperimentConfig:
    """The default with half its steps of both networks, and windows of five frames for eight."""
    ours = default()
    training = dataclasses.replace(
        ours.training, steps=1350, window_frames=5, settling_frames=8,
        warm_start=300 / 1350, settling=600 / 1350,
    )  # fmt: skip
    return dataclasses.replace(ours, training=training)


def tiny() -> ExperimentConfig:
    """Seconds, not minutes: proves that everything runs, and learns next to nothing."""
    return ExperimentConfig(
        model=WorldModelConfig(
            encoder=EncoderConfig(latent_dim=8, channels=(8, 8, 16), hidden=32),
            predictor=PredictorConfig(width=32, blocks=1),
            head=HeadConfig(width=32, blocks=1),
            plain_share=0.1,
            bent=16,
        ),
        training=TrainingConfig(
            steps=40, batch=8, sigreg_weight=0.1, diagnose_every=20, save_every=20
        ),
        head=HeadTraining(steps=20, batch=8, horizon=3),
    )


def vicreg() -> ExperimentConfig:
    """The default with VICReg's variance and covariance terms in place of SIGReg."""
    ours = default()
    training = dataclasses.replace(ours.training, regulariser="vicreg", sigreg_weight=1.0)
    return dataclasses.replace(ours, training=training)


def lewm() -> ExperimentConfig:
    """LeWorldModel's recipe (Maes et al. 2026, arXiv:2603.19312) on our data, at 64 px.

    Only patches are ours: 8 px, as a CPU would need weeks for 256 patches a frame. Steps are ten
    passes over 400 episodes, as many passes as the paper's.
    """
    return _lewm(ViTConfig())


def lewm_224() -> ExperimentConfig:
    """The same with the paper's patches; for data collected at 224 px."""
    return _lewm(ViTConfig(patch_size=14))


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
    "default": default,
    "brisk": brisk,
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
            f"expected a preset of {sorted(PRESETS)}, got {name!r}{nearest(name, PRESETS)}"
        )
    return PRESETS[name]()
