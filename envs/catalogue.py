"""Every world by name, and how a name becomes a world.

``reacher`` and ``two-room`` come with the program; ``dmc:DOMAIN-TASK`` and ``gym:ID`` open those of
dm_control's suite and of gymnasium; ``FILE.py:CLASS`` is a user's own, and so is what an installed
package offers in the entry-point group ``lejepa_agent.worlds``. Behind each may stand what counts
as a goal (:mod:`envs.tolerances`). Nothing is imported before a world is made.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.metadata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envs.base import RECORDING, World
from envs.checking import check_world
from envs.errors import GLError, WorldError
from envs.tolerances import judge_by, tolerances_asked, without_tolerances
from envs.user_code import load_user_module, takes, their_line

ENTRY_POINTS = "lejepa_agent.worlds"
DEFAULT_WORLD = "reacher"


@dataclass(frozen=True)
class Entry:
    """A world that comes with the program: ``home`` is ``package.module:Class``.

    Those that are not ``ours`` are checked when they are opened. ``training_steps`` are enough
    gradient steps to learn it from as many rollouts as ``collect`` records; None: as many as the
    settings say. Not every one ``says_goals``, which is to
    say which numbers of its state are part of one, or ``can_be_posed`` by name.
    """

    home: str
    about: str
    looks: tuple[str, ...]
    ours: bool = True
    training_steps: int | None = None
    says_goals: bool = True
    can_be_posed: bool = True


BUILT_IN: Mapping[str, Entry] = {
    "reacher": Entry(
        "envs.reacher.world:ReacherWorld", "two links in a plane, seen from above", ("fast", "dmc")
    ),
    "two-room": Entry(
        "envs.two_room:TwoRoomWorld",
        "a dot in two rooms with a door",
        ("fast",),
        training_steps=1000,
    ),
    "two-room-swept": Entry(
        "envs.two_room:SweptTwoRoomWorld",
        "the same, and no corner is cut",
        ("fast",),
        training_steps=1000,
    ),
}
PREFIXES: Mapping[str, Entry] = {
    "dmc": Entry(
        "envs.dmc_world:DmcWorld",
        "a task of dm_control's suite",
        ("fast", "dmc"),
    ),
    "gym": Entry(
        "envs.gymnasium_world:open_gymnasium",
        "a gymnasium environment",
        ("own",),
        ours=False,
        says_goals=False,
        can_be_posed=False,
    ),
}


def make_world(
    name: Any, look: str = "", image_size: int | None = None, if_taken: Collection[str] = ()
) -> World:
    """The world called ``name``, drawn in ``look`` at ``image_size`` px; its own choice if absent.

    In place of a name a program may give what it has: a class or a function that makes the world,
    a gymnasium environment, or a world to be checked.

    ``if_taken`` names which of the two are left out where what makes the world, a user's class
    without a choice of them, takes none.

    Raises:
        WorldError: if there is none of that name (the nearest is named), it cannot be made, or what
            was made does not keep the contract.
    """
    chosen: dict[str, Any] = {"look": look} if look else {}
    if image_size is not None:
        chosen["image_size"] = image_size
    if not isinstance(name, (str, Path)):
        return _of(name, chosen)
    name = str(name)
    tolerances, plain = tolerances_asked(name), without_tolerances(name)
    world = _made(plain, chosen, if_taken)
    try:
        if tolerances:
            judge_by(world, tolerances)
    except WorldError:
        world.close()  # or its library complains of a context that was never given back
        raise
    return world


def _of(given: Any, chosen: Mapping[str, Any]) -> World:
    import gymnasium

    from envs.gymnasium_world import GymnasiumWorld

    called = getattr(given, "__qualname__", type(given).__qualname__)
    if isinstance(given, gymnasium.Env):
        return check_world(GymnasiumWorld(given, called, **chosen), called)
    return check_world(_as_maker(given, called)(**chosen) if callable(given) else given, called)


def _made(name: str, chosen: Mapping[str, Any], if_taken: Collection[str]) -> World:
    made, entry = maker_of(name), entry_of(name)
    chosen = {n: value for n, value in chosen.items() if n not in if_taken or takes(made, n)}
    if entry is not None and entry.ours:
        own: World = made(**chosen)
        return own
    try:
        world = made(**chosen)
    except (WorldError, GLError):
        raise
    except Exception as error:
        where = their_line(error, Path(name.partition(":")[0]))
        raise WorldError(
            f"{name} cannot be made with {chosen or 'no arguments'}{where}: {error!r}"
        ) from error
    return check_world(world, name)


def entry_of(name: str) -> Entry | None:
    """What is known of a world before it is made; None of a user's own."""
    name = without_tolerances(name)
    return BUILT_IN.get(name) or PREFIXES.get(name.partition(":")[0])


def names_code(name: str) -> bool:
    """Whether making that world runs a Python file or imports a module that the name chooses.

    A stranger's checkpoint may hold such a name: only a person may say it.
    """
    prefix, _, rest = name.partition(":")
    return prefix.endswith(".py") or (prefix in PREFIXES and ":" in rest)


def opens_by_name(name: str) -> bool:
    """Whether a checkpoint's word is enough to make that world: it is known here, and no code."""
    known = entry_of(name) is not None or without_tolerances(name) in known_worlds()
    return known and not names_code(name)


def can_be_posed(name: str) -> bool:
    """Whether that is a world of the program's own that is sure to take any state."""
    entry = entry_of(name)
    return entry is not None and entry.can_be_posed and not names_code(name)


def known_worlds() -> list[str]:
    """Names of the worlds that come with the program or an installed package."""
    return [*BUILT_IN, *offered_worlds()]


def offered_worlds() -> dict[str, importlib.metadata.EntryPoint]:
    """Worlds of installed packages, by name."""
    return {point.name: point for point in importlib.metadata.entry_points(group=ENTRY_POINTS)}


def maker_of(name: str) -> Callable[..., Any]:
    """What makes worlds of that name; ``WorldError`` if there is none."""
    if name in BUILT_IN:
        return _load(BUILT_IN[name].home)
    prefix, _, rest = name.partition(":")
    if prefix in PREFIXES and rest:
        opener = _load(PREFIXES[prefix].home)
        return lambda **chosen: opener(rest, **chosen)
    if prefix.endswith(".py"):
        return _from_file(Path(prefix), rest)
    offered = offered_worlds()
    if name in offered:
        try:
            return _as_maker(offered[name].load(), name)
        except Exception as error:
            raise WorldError(
                f"{name}, which an installed package offers, cannot be imported: {error!r}"
            ) from error
    raise WorldError(_unknown(name, known_worlds()))


def _load(home: str) -> Callable[..., Any]:
    module, name = home.split(":")
    made: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return made


def _from_file(path: Path, name: str) -> Callable[..., Any]:
    if not path.is_file():
        raise WorldError(f"expected a Python file at {path}, got none")
    if not name:
        raise WorldError(f"expected a class in {path}: name it as {path}:MyWorld")
    module = load_user_module(path)
    made = getattr(module, name, None)
    if not callable(made):
        there = [
            n for n, v in vars(module).items() if isinstance(v, type) and not n.startswith("_")
        ]
        raise WorldError(f"expected a class {name!r} in {path}, got {', '.join(there) or 'none'}")
    return _as_maker(made, f"{path}:{name}")


def _as_maker(made: Any, name: str) -> Callable[..., Any]:
    """What makes the world: ``made`` itself, or a wrapper where it is a gymnasium environment."""
    import gymnasium

    from envs.gymnasium_world import GymnasiumWorld

    if not (isinstance(made, type) and issubclass(made, gymnasium.Env)):
        if isinstance(made, type):
            return made
        return functools.partial(_opened, made, name)

    make_env: Callable[..., gymnasium.Env[Any, Any]] = made
    if not takes(made, "render_mode"):
        raise WorldError(
            f"expected {name} to be made with render_mode='rgb_array', as gymnasium makes its "
            "environments, got one that takes no render_mode: give its __init__ one"
        )

    def wrapped(**chosen: Any) -> GymnasiumWorld:
        return GymnasiumWorld(make_env(render_mode="rgb_array"), name, **chosen)

    return wrapped


def _opened(made: Callable[..., Any], name: str, **chosen: Any) -> Any:
    """What a user's function makes: a world, or a gymnasium environment that becomes one.

    An environment's frames are brought to what was ``chosen``; a world is to have it by itself.
    """
    import gymnasium

    from envs.gymnasium_world import GymnasiumWorld

    given = {**chosen, "render_mode": "rgb_array"}
    found = made(**{key: value for key, value in given.items() if takes(made, key)})
    if isinstance(found, gymnasium.Env):
        return GymnasiumWorld(found, name, **chosen)
    spec = getattr(found, "spec", None)
    size = getattr(spec, "image_size", (None,))[0]
    has = {"look": getattr(spec, "look", None), "image_size": size}
    for key, value in chosen.items():
        if has[key] != value:
            raise WorldError(
                f"expected {name} with {key}={value!r}, got {has[key]!r}: it takes none"
            )
    return found


def _unknown(name: str, known: list[str]) -> str:
    if name.startswith(RECORDING):
        return (
            f"no world stands behind {name}, which are recordings: name one whose frames and "
            "actions mean the same, or steer the real thing with agent.Agent"
        )
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    ways = [*known, *(f"{prefix}:NAME" for prefix in PREFIXES), "FILE.py:CLASS"]
    return f"unknown world {name!r}{hint or '.'} Expected one of: {', '.join(ways)}"
