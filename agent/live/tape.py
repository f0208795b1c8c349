"""The last seconds, kept to make a film of."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.interfaces import Image
from agent.live.moment import Moment
from agent.reporting.video import beside_goal, write_video

SECONDS = 10.0


class Tape:
    """Remembers moments ``step_s`` apart."""

    def __init__(self, step_s: float) -> None:
        self._rate = 1.0 / step_s
        self._shown: deque[tuple[Image, Image, str]] = deque(maxlen=max(1, round(SECONDS / step_s)))

    def add(self, moment: Moment) -> None:
        """One more."""
        caption = f"{moment.tick / self._rate:4.2f} s\n{moment.words}"
        self._shown.append((moment.frame, moment.goal_frame, caption))

    def film(self) -> bytes:
        """A WebM of what is remembered: what it saw beside the goal."""
        frames = [beside_goal(*shown) for shown in list(self._shown)]
        with TemporaryDirectory(prefix="live-") as place:
            return write_video(Path(place) / "live.webm", frames, self._rate).read_bytes()
