"""A user's own Python file: loaded once, and its failures told with their own line."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from envs.errors import WorldError

_PREFIX = "lejepa_agent_user_"


def load_user_module(path: Path) -> Any:
    """A user's Python file, run once; ``WorldError`` with their own line where it fails."""
    key = f"{_PREFIX}{path.stem}"
    known = sys.modules.get(key)
    if known is not None and getattr(known, "__file__", None) == str(path.resolve()):
        return known
    module = ModuleType(key)
    module.__file__ = str(path.resolve())
    sys.modules[key] = module
    try:  # compiled anew: bytecode kept beside it may be older than a file just written
        exec(compile(path.read_bytes(), module.__file__, "exec"), module.__dict__)
    except Exception as error:
        del sys.modules[key]
        raise WorldError(f"{path} failed to load{their_line(error, path)}: {error!r}") from error
    return module


def their_line(error: BaseException, path: Path) -> str:
    """Where in the user's own file it happened."""
    own = str(path.resolve())
    if isinstance(error, SyntaxError) and error.lineno:
        return f", line {error.lineno}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == own]
    return f", line {lines[-1]}" if lines else ""


def failure_in_user_code(error: BaseException) -> str | None:
    """What to tell of an ``error`` that passed through a user's own file; None if none did."""
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
