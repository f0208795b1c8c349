"""Errors a user can meet, one class per exit code of the command line."""


class UserError(ValueError):
    """The user asked for something that cannot be done; exit code 2."""


class UnfitError(UserError):
    """Recordings and settings that do not go together, on any machine, at any time."""


class DamagedDataError(RuntimeError):
    """A dataset or checkpoint on disk is not what its manifest says; exit code 3."""


class MachineError(RuntimeError):
    """The machine lacks something (GL, disk space, a library); exit code 4."""


LOST_WORKER = (  # why a process that this one started can be gone: none of them can tell
    "often for lack of memory (then ask for fewer --workers), or because a script of one's own "
    "starts it without `if __name__ == '__main__':` in a file"
)


class ModelFaultError(RuntimeError):
    """A model gave numbers that are not finite; no action followed from them; exit code 3."""
