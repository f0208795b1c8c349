"""OpenGL after a fork: Mesa's drawing threads stay behind, and whoever draws waits for them."""

from __future__ import annotations

import os

from envs.errors import GLError
from envs.gl import THREADS_VARIABLE

_draws_on_threads = False
_left_threads_behind = False


def note_drawing() -> None:
    """To be called before this process opens a context: Mesa starts its threads, if any, now."""
    global _draws_on_threads
    _draws_on_threads = os.environ.get(THREADS_VARIABLE, "0") != "0"


def require_own_gl() -> None:
    """``GLError`` in a process that was forked after its parent began to draw on threads."""
    if _left_threads_behind:
        raise GLError(
            "expected a process that may draw, got one forked from a process that had drawn on "
            f"threads ({THREADS_VARIABLE}={os.environ.get(THREADS_VARIABLE)}), which are not in "
            f"the fork. To fix: start it with multiprocessing's 'spawn', or unset "
            f"{THREADS_VARIABLE}"
        )


def _forked() -> None:
    global _left_threads_behind
    _left_threads_behind = _left_threads_behind or _draws_on_threads


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
