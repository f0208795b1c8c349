"""Errors a user can meet, one class per exit code of the command line."""


class UserError(ValueError):
    """The user asked for something that cannot be done; exit code 2."""


class DamagedDataError(RuntimeError):
    """A dataset or checkpoint on disk is not what its manifest says; exit code 3."""


class MachineError(RuntimeError):
    """The machine lacks something (GL, disk space, a library); exit code 4."""


class ModelFaultError(RuntimeError):
    """A model gave numbers that are not finite; no action followed from them; exit code 3."""
