"""What may be wrong with the camera: noise, light, colour, and a picture that hangs."""

from __future__ import annotations

import numpy as np

from agent.interfaces import Image
from agent.live.controls import Controlled, Value
from envs import Dial

DIALS = (
    Dial("noise", "camera noise, of 255", 0, 80, 0, 1),
    Dial("light", "light ×", 0.2, 2.0, 1.0, 0.05),
    Dial("warmth", "colour, blue to red", -1.0, 1.0, 0.0, 0.05),
    Dial("hangs", "the camera hangs", 0, 1, 0, 1),
)


class Lens(Controlled):
    """Between the camera and the controller."""

    controls = DIALS

    def __init__(self, rng: np.random.Generator) -> None:
        self._values = {dial.name: dial.usual for dial in DIALS}
        self._rng = rng
        self._last: Image | None = None

    def set(self, name: str, value: Value) -> None:
        """See :class:`agent.live.controls.Controlled`."""
        self._values[name] = float(value)

    def look(self, frame: Image) -> Image:
        """What arrives of ``frame``, uint8 (h, w, 3)."""
        if self._values["hangs"] and self._last is not None:
            return self._last
        self._last = self._disturbed(frame)
        return self._last

    def _disturbed(self, frame: Image) -> Image:
        dials = ("noise", "light", "warmth")
        noise, light, warmth = (float(self._values[name]) for name in dials)
        if not noise and light == 1 and not warmth:
            return frame
        shares = light * np.array([1 + 0.5 * warmth, 1.0, 1 - 0.5 * warmth])
        pixels = frame * shares + (self._rng.normal(0, noise, frame.shape) if noise else 0.0)
        disturbed: Image = np.clip(pixels + 0.5, 0, 255).astype(np.uint8)
        return disturbed
