"""Planners by name, and a user's own planners and controllers, FILE.py:NAME."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import UserError
from agent.settings import nearest

if TYPE_CHECKING:
    from agent.interfaces import Controller
    from envs import WorldSpec
    from planners import Planner

_PARTS = ("name", "needs", "reset", "act")


def require_known(what: str, name: str, known: Collection[str]) -> None:
    """UserError with the nearest name if ``name`` is neither ``known`` nor ``FILE.py:NAME``."""
    if name not in known and ".py:" not in name:
        raise UserError(
            f"unknown {what} {name!r}{nearest(name, known) or '.'} Expected one of "
            f"{', '.join(known)}, or FILE.py:NAME"
        )


def planner_named(name: str) -> Planner:
    """The planner of that name, or a user's own class or function, called without arguments.

    Raises:
        UserError: if that lacks something.
    """
    from planners import PLANNERS, SEARCHED

    if name in PLANNERS:
        return PLANNERS[name]()
    from envs import require_call

    kind = _users_own(name)
    require_call(kind, name)
    made: Planner = kind()
    if not callable(getattr(made, "plan", None)):
        raise UserError(f"{name} is no planner: it lacks plan(); see planners.Planner")
    require_call(made.plan, f"plan() of {name}", *SEARCHED)
    return made


def own_controller(name: str, checkpoint: Path | None, spec: WorldSpec) -> Controller:
    """A user's class or function, called with the world's spec, and a checkpoint if one is named.

    Raises:
        UserError: if it lacks something.
    """
    from envs import require_call

    kind = _users_own(name)
    given = {"spec": spec} if checkpoint is None else {"spec": spec, "checkpoint": checkpoint}
    require_call(kind, name, *given)
    made: Any = kind(*given.values())
    missing = [part for part in _PARTS if not hasattr(made, part)]
    if missing:
        raise UserError(
            f"{name} is no controller: it lacks {', '.join(missing)}; see agent.interfaces"
        )
    controller: Controller = made
    return controller


def called(name: str) -> str:
    """What a user's own FILE.py:NAME goes by: the ``name`` that it has, or NAME."""
    own = getattr(_users_own(name), "name", None)
    return own if isinstance(own, str) and own else name.rpartition(":")[2]


def _users_own(name: str) -> Callable[..., Any]:
    """The class or function FILE.py:NAME."""
    from envs import load_user_module

    file, _, attribute = name.rpartition(":")
    kind = getattr(load_user_module(Path(file)), attribute, None)
    if not callable(kind):
        raise UserError(f"expected a class or function {attribute!r} in {file}, got none")
    made: Callable[..., Any] = kind
    return made
