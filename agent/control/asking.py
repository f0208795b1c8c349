"""Asking a controller, which may be anybody's: what is not as agreed is told."""

from __future__ import annotations

import numpy as np

from agent.errors import ModelFaultError, UserError
from agent.interfaces import Array, Controller, Decision, Needs, Seen


def needs_of(controller: Controller) -> Needs:
    """What ``controller`` must be shown; UserError if it does not say so."""
    needs = controller.needs
    if not isinstance(needs, Needs):
        raise UserError(
            f"expected needs of controller {controller.name!r} to be an agent.interfaces.Needs, "
            f"got {needs!r}: say for example Needs(pixels=True, state=False)"
        )
    return needs


def asked(controller: Controller, seen: Seen) -> Decision:
    """What ``controller`` decides on what is seen; UserError if that is no decision."""
    decision = controller.act(seen)
    if not isinstance(decision, Decision):
        raise UserError(
            f"expected act() of controller {controller.name!r} to return an "
            f"agent.interfaces.Decision, got {type(decision).__name__}: return Decision(actions)"
        )
    try:
        np.asarray(decision.actions, np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"expected numbers as actions from {controller.name!r}, got {decision.actions!r}"
        ) from error
    return decision


def checked(decision: Decision, name: str, shape: tuple[int, int], tick: int) -> Array:
    """Actions (E, A) = ``shape`` in [-1, 1]; motors get the zeros of a fault, and nothing after it.

    Raises:
        UserError: for other actions, naming who sent them.
        ModelFaultError: for a decision with a fault.
    """
    if decision.fault is not None:
        raise ModelFaultError(f"controller {name!r}, step {tick}: {decision.fault}")
    given, whose = np.asarray(decision.actions, dtype=np.float64), f"{name!r} at step {tick}"
    if given.shape != shape:
        raise UserError(f"expected actions {shape} from {whose}, got shape {given.shape}")
    if not (np.abs(given) <= 1.0).all():  # NaN compares false
        raise UserError(
            f"expected actions in [-1, 1] from {whose}, got {given.min()} to {given.max()}"
        )
    return given
