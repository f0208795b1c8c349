"""Which failures are expected, and the exit code of each; anything else is a bug of ours.

0 done, 2 the user's mistake, 3 damaged data or checkpoint, or a model that gives NaN, 4 the
machine, 130 interrupted.
"""

from __future__ import annotations

import errno

from agent.errors import DamagedDataError, MachineError, ModelFaultError, UserError
from agent.extras import missing_extra
from agent.files.durable import FULL

DONE, USER, DAMAGED, MACHINE, INTERRUPTED = 0, 2, 3, 4, 130

_MACHINE_ERRNOS = (*FULL, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
_PLACE_ERRNOS = (
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST,
    errno.ENAMETOOLONG, errno.ELOOP,
)  # fmt: skip
_NO_MEMORY = (
    "DefaultCPUAllocator", "can't start new thread", "cannot allocate memory",
    "Cannot allocate memory", "failed to map segment",
)  # fmt: skip


def exit_code_of(error: BaseException) -> int | None:
    """The exit code of an expected failure; None for a bug, which keeps its traceback."""
    from envs import GLError, GoalImageError, PoseError, WorldError, failure_in_user_code

    if isinstance(error, (UserError, WorldError, GoalImageError, PoseError)):
        return USER
    if isinstance(error, (DamagedDataError, ModelFaultError)):
        return DAMAGED
    if isinstance(error, (MachineError, GLError)) or _lacks_memory(error):
        return MACHINE
    if missing_extra(error):
        return MACHINE
    if isinstance(error, OSError) and error.errno in _MACHINE_ERRNOS:
        return MACHINE
    is_place = isinstance(error, OSError) and error.errno in _PLACE_ERRNOS
    return USER if is_place or failure_in_user_code(error) else None


def explain(error: BaseException) -> str:
    """What to tell the user: the library's own words, or ours where it has none."""
    from envs import failure_in_user_code

    if isinstance(error, OSError) and error.errno in FULL:
        return f"the disk is full{_where(error)}. Free some space and run the same command again"
    if isinstance(error, OSError) and error.errno in _PLACE_ERRNOS:
        return f"{error.strerror}{_where(error)}. Name a place you may write to"
    if _lacks_memory(error):
        return f"not enough memory ({error or 'no details'}). Close other programs, or ask for less"
    if type(error).__module__.startswith(("agent.", "envs.", "planners.")):  # written for people
        return str(error)
    return missing_extra(error) or failure_in_user_code(error) or str(error)


def _lacks_memory(error: BaseException) -> bool:
    if isinstance(error, (RuntimeError, ImportError)):  # as torch, Python and the loader tell it
        return any(sign in str(error) for sign in _NO_MEMORY)
    return isinstance(error, MemoryError)


def _where(error: OSError) -> str:
    return f": {error.filename}" if error.filename else ""
