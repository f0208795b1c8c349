"""Errors of the envs room: what was expected, what was got, what to do."""


class GLError(RuntimeError):
    """This machine cannot render (no OpenGL, or a library OpenCV needs is missing)."""


class WorldError(ValueError):
    """A world that does not exist, cannot be made, or does not keep the contract."""


class SpecError(WorldError):
    """Two things that belong to different worlds, or a spec that makes no sense."""


class ProfileError(WorldError):
    """A look or image size that does not exist."""


class GoalImageError(ValueError):
    """A user's goal picture cannot be a goal: wrong file, shape, colours or content."""


class PoseError(ValueError):
    """A pose or state the world cannot take."""
