"""Whether a goal picture shows the world that a model was trained on."""

from __future__ import annotations

import numpy as np

from agent.errors import UserError
from agent.interfaces import Image
from agent.model.world_model import WorldModel

_LARGEST_MEDIAN = 8.0  # of 255; pictures of the model's own look have .02, of the other 24


def require_same_look(pixels: Image, model: WorldModel) -> None:
    """Refuse a picture (h, w, 3) whose ground is not that of the frames ``model`` learned from.

    What moves covers few pixels, so most of a picture should be what the training frames show on
    average. A model that was never trained has no average, and refuses nothing.

    Raises:
        UserError: if most pixels differ.
    """
    usual = model.encoder.pixel_mean.permute(1, 2, 0).cpu().numpy()
    if not usual.any():
        return
    median = float(np.median(np.abs(pixels.astype(np.float32) - usual)))
    if median > _LARGEST_MEDIAN:
        raise UserError(
            f"expected a goal picture drawn as the model's training frames (look "
            f"{model.spec.look!r}), got one whose pixels differ by {median:.0f} of 255 in the "
            "middle: another look, light or camera; make one with `control --goal-state ... "
            "--save-goal`, or train on frames like this one"
        )
