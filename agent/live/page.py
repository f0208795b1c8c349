"""The page: what a session shows, and what visitors ask of it. It knows viser, and no world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from agent.extras import require
from agent.interfaces import Image
from agent.live.moment import TRACES, Moment, Opening
from agent.live.page_scene import PageScene
from agent.live.wishes import Wish
from envs import import_opencv

PICTURE_PX = 256
TITLE = "lejepa-agent live"


class Page:
    """A server on ``host`` and ``port`` that shows moments; ``ask`` gets what visitors want.

    Raises:
        MachineError: if viser is not installed.
    """

    def __init__(self, host: str, port: int, ask: Callable[[Wish], bool]) -> None:
        viser: Any = require("viser")
        self._server = viser.ViserServer(host=host, port=port, label=TITLE, verbose=False)
        self._server.gui.configure_theme(show_logo=False, show_share_button=False)
        self._ask = ask
        self._scene: PageScene | None = None

    def open(self, opening: Opening) -> None:
        """Build what the session of ``opening`` needs."""
        if opening.view is not None:
            self._scene = PageScene(self._server, opening, self._ask)
        gui = self._server.gui
        empty = np.zeros((PICTURE_PX, PICTURE_PX, 3), np.uint8)
        self._camera = gui.add_image(empty, label="what it sees")
        self._goal = gui.add_image(empty, label="the goal")
        self._words = gui.add_markdown("")
        uplot: Any = require("viser.uplot")
        series = tuple(
            uplot.Series(label=name, stroke=colour, width=2)
            for name, colour in (
                ("s", ""),
                ("metric", "#c33"),
                ("plain", "#36c"),
                ("truth", "#393"),
            )
        )
        nothing = tuple(np.zeros(1) for _ in series)
        self._plot = gui.add_uplot(nothing, series, title="distance to the goal", aspect=1.6)

    def show(self, moment: Moment) -> None:
        """Bring the page up to ``moment``."""
        with self._server.atomic():
            if self._scene is not None:
                self._scene.show(moment)
            self._camera.image = enlarged(moment.frame)
            self._goal.image = enlarged(moment.goal_frame)
            self._plot.data = tuple(np.asarray(moment.traces[:, i], np.float64) for i in range(4))
            self._words.content = moment.refusal[1] if moment.refusal else moment.words

    def close(self) -> None:
        """Stop serving."""
        self._server.stop()


def enlarged(picture: Image) -> Image:
    """Each pixel of (h, w, 3) as a square, at least :data:`PICTURE_PX` high."""
    cv2 = import_opencv()
    times = max(1, round(PICTURE_PX / picture.shape[0]))
    size = (times * picture.shape[1], times * picture.shape[0])
    large: Image = cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)
    return large


assert TRACES[:4] == ("time", "metric", "plain", "truth")
