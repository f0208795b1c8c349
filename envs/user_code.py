"""A user's own Python file: loaded once, and its failures told with their own line."""

from __future__ import annotations

import inspect
import os
import pickle
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from envs.errors import WorldError

_PREFIX = "lejepa_agent_user_"
_CODE = "__code_of_lejepa_agent__"
_TOLD = "failure_in_user_code"  # an attribute of an error that came from another process
_FOLDERS: list[str] = []  # of users' files, put into sys.path here
_KNOWN_EVERYWHERE = ("builtins", "agent", "envs", "planners")


def load_user_module(path: Path) -> Any:
    """A user's Python file, run once as it is; ``WorldError`` with their own line where it fails.

    It may import what lies beside it, after what is installed.
    """
    key = f"{_PREFIX}{path.stem}"
    file, code = str(path.resolve()), _content(path)
    known = sys.modules.get(key)
    if known is not None and (known.__file__, getattr(known, _CODE)) == (file, code):
        return known
    module = ModuleType(key)
    module.__file__, module.__dict__[_CODE] = file, code
    sys.modules[key] = module
    _import_beside(path.resolve().parent)
    try:  # compiled anew: bytecode kept beside it may be older than a file just written
        exec(compile(code, file, "exec"), module.__dict__)
    except Exception as error:
        del sys.modules[key]
        raise WorldError(f"{path} failed to load{their_line(error, path)}: {error!r}") from error
    return module


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WorldError(f"{path} cannot be read: {error}") from error


def _import_beside(folder: Path) -> None:
    """Let a file import what lies in ``folder``: after what is installed, and before what lies
    beside a file loaded earlier, of which a module of the same name is forgotten here.
    """
    others = [place for place in _FOLDERS if place != str(folder)]
    for name, module in list(sys.modules.items()):
        top, file = name.partition(".")[0], getattr(module, "__file__", None) or ""
        theirs = file.startswith(tuple(f"{place}{os.sep}{top}" for place in others))
        if theirs and any((folder / one).exists() for one in (f"{top}.py", top)):
            del sys.modules[name]
    if str(folder) in sys.path and str(folder) not in _FOLDERS:
        return
    sys.path[:] = [place for place in sys.path if place != str(folder)]
    first = [number for number, place in enumerate(sys.path) if place in others]
    sys.path.insert(min(first, default=len(sys.path)), str(folder))
    if str(folder) not in _FOLDERS:
        _FOLDERS.append(str(folder))


def require_call(function: Callable[..., Any], name: str, *parameters: str) -> None:
    """Refuse what cannot be called with ``parameters``, in their order.

    Raises:
        WorldError: with the parameters that ``name`` has.
    """
    try:
        found = inspect.signature(function)
    except ValueError:  # of what is written in C
        return
    try:
        found.bind(*parameters)
    except TypeError as error:
        raise WorldError(
            f"expected {name} to take ({', '.join(parameters)}), got {found}: {error}"
        ) from error


def takes(made: Callable[..., Any], name: str) -> bool:
    """Whether calling ``made`` may give it an argument by that ``name``."""
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    begin = getattr(made, "__init__", None) if isinstance(made, type) else None
    if getattr(begin, "__module__", "") == "typing":  # that of the contract, which takes nothing
        return False
    try:
        given = inspect.signature(made).parameters.values()
    except ValueError:  # of some that are not written in Python
        return True
    return any(
        one.kind is inspect.Parameter.VAR_KEYWORD or (one.name == name and one.kind in by_name)
        for one in given
    )


def their_line(error: BaseException, path: Path) -> str:
    """Where in the user's own file it happened."""
    own = str(path.resolve())
    if isinstance(error, SyntaxError) and error.lineno:
        return f", line {error.lineno}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == own]
    return f", line {lines[-1]}" if lines else ""


def failure_in_user_code(error: BaseException) -> str | None:
    """What to tell of an ``error`` that passed through a user's own file; None if none did."""
    return getattr(error, _TOLD, None) or _told_by_frames(error)


def fit_to_travel(error: Exception) -> Exception:
    """``error`` as another process may know it, where neither its frames nor a user's file are.

    One that cannot be made again there is a WorldError of the user's own code, else a RuntimeError.
    """
    told = _told_by_frames(error)
    if told is None:
        return error if _travels(error) else RuntimeError(repr(error))
    if type(error).__module__.partition(".")[0] not in _KNOWN_EVERYWHERE:
        return WorldError(told)
    setattr(error, _TOLD, told)
    return error if _travels(error) else WorldError(told)


def _travels(error: Exception) -> bool:
    """Whether another process can make it again: tried here, with bytes from nowhere else."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # of what it was given
        return False
    return True


def _told_by_frames(error: BaseException) -> str | None:
    frames = list(traceback.walk_tb(error.__traceback__))
    theirs = [
        (frame.f_code, line)
        for frame, line in frames
        if str(frame.f_globals.get("__name__", "")).startswith(_PREFIX)
    ]
    if not theirs:
        return None
    code, line = theirs[-1]
    return f"{code.co_filename}, line {line}, in {code.co_name}: {error!r}"
