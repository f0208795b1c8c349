"""Whether a goal picture shows the world of a model, and whether it was reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.control.model import Model
from agent.errors import UserError
from agent.interfaces import FloatArray, Image


def require_known_picture(pixels: Image, model: Model) -> None:
    """Refuse a picture (h, w, 3) that is like none that ``model`` learned from.

    A model without sight refuses nothing.

    Raises:
        UserError: naming how strange it is, and swapped colours where that explains it.
    """
    strange = _strangeness(pixels, model)
    if strange <= 1:
        return
    swapped = np.ascontiguousarray(pixels[..., ::-1])
    why = (
        "its red and blue are swapped"
        if _strangeness(swapped, model) <= 1
        else "another look, light or camera, or no picture of this world"
    )
    raise UserError(
        f"expected a goal picture like the model's training frames (look {model.spec.look!r}), got "
        f"one that is {strange:.1f} times as strange as they get: {why}; {_way_out(model)}"
    )


def _way_out(model: Model) -> str:
    if model.spec.is_recording:
        return (
            "take a frame of the recordings that it was trained, or last calibrated, on (`dataset "
            "frame`), or train on frames like this one"
        )
    return "make one with `control --goal-state ... --save-goal`, or train on frames like this one"


def _strangeness(pixels: Image, model: Model) -> float:
    if model.sight is None:
        return 0.0
    frames = pixels[None]
    return float(model.sight.look(frames, model.encode(frames))[0][0])


@dataclass(frozen=True)
class Ending:
    """How far the last picture is from the goal's, and from one a little earlier.

    Both in units of the distance between neighbouring training frames.
    """

    apart: float
    moved: float

    @property
    def arrived(self) -> bool:
        """The two pictures are nearer than neighbouring training frames."""
        return self.apart < 1.0

    @property
    def resting(self) -> bool:
        """It hardly changes."""
        return self.moved < 0.5


def ending(model: Model, before: Image, last: Image, goal: Image) -> Ending | None:
    """How an episode ended, from pictures (h, w, 3) alone; None for a model without sight."""
    if model.sight is None:
        return None
    then, now, aim = model.encode(np.stack([before, last, goal]))
    unit = _spacing(model.sight.embeddings)
    return Ending(_length(now - aim) / unit, _length(now - then) / unit)


def _spacing(embeddings: FloatArray) -> float:
    """The median distance from one of ``embeddings`` (N, D) to its nearest."""
    some = embeddings[:: max(1, len(embeddings) // 256)].astype(np.float64)
    apart = (np.square(embeddings - one).sum(1) for one in some)  # a row at a time takes no room
    least = [np.where(squares > 0, squares, np.inf).min() for squares in apart]
    return float(np.sqrt(np.median(least)))


def _length(offset: FloatArray) -> float:
    return float(np.linalg.norm(offset.astype(np.float64)))
