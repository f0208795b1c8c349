"""Errors of the envs room: what was expected, what was got, what to do."""


class GLError(RuntimeError):
    """This machine cannot render (no OpenGL, or a library OpenCV needs is missing)."""


class ProfileError(ValueError):
    """A render profile or image size that does not exist."""


class GoalImageError(ValueError):
    """A user's goal picture cannot be a goal: wrong file, shape, colours or content."""


class PoseError(ValueError):
    """A pose or state the arm cannot take."""
