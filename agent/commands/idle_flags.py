"""A flag that would change nothing beside the others is refused by name, never dropped in silence.

A flag counts as given where its value is not the default: at the default there is nothing to drop.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from agent.errors import UserError

if TYPE_CHECKING:
    from agent.config import ExperimentConfig


def refuse_idle(command: Any, names: tuple[str, ...], why: str) -> None:
    """UserError if one of the fields ``names`` of ``command`` was given, which does nothing.

    ``why`` ends the sentence "--flag does nothing …".
    """
    for field in dataclasses.fields(command):
        if field.name in names and is_given(command, field):
            _refuse(field.name, why)


def is_given(command: Any, field: dataclasses.Field[Any]) -> bool:
    """Whether that field of ``command`` is anything but its default."""
    default = field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    return bool(getattr(command, field.name) != default)


def refuse_idle_settings(config: ExperimentConfig, given: Iterable[str]) -> None:
    """UserError if a setting that was ``given`` by dotted name is read by nobody in ``config``."""
    words = {name.replace("-", "_") for name in given}
    for name, why in _idle_settings(config):
        for one in sorted(words):
            if one == name or one.startswith(f"{name}."):
                _refuse(one, why)


def refuse_idle_everywhere(configs: Sequence[ExperimentConfig], given: Iterable[str]) -> None:
    """UserError if a setting that was ``given`` is read by nobody in any of ``configs``."""
    idle = [dict(_idle_settings(config)) for config in configs]
    for name in {} if not idle else idle[0]:
        if all(name in one for one in idle):
            refuse_idle_settings(configs[0], [one for one in given if one == name])


def _idle_settings(config: ExperimentConfig) -> Iterator[tuple[str, str]]:
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


def _refuse(name: str, why: str) -> None:
    flag = f"--{name.replace('_', '-')}"
    raise UserError(f"{flag} does nothing {why}: leave {flag} away")
