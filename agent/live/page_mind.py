"""What it sees, what it imagines, and how it fares, as pictures and curves in a panel."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle
from typing import Any

import numpy as np

from agent.extras import require
from agent.interfaces import FloatArray, Image
from agent.live.moment import DISTANCES, DOUBTS, Glimpse, Imagined, Moment
from envs import import_opencv

WIDTH_PX, PICTURE_PX, STRIP_PX = 380, 176, 88
CURVES_EVERY = 10  # moments; pictures of the camera come with every second
UNKNOWN = 225  # how grey a goal is that is not known yet
COLOURS = ("#c0392b", "#2f6fb5", "#2e8b57", "#b07d2b", "#7d4fa8", "#3aa6a6", "#777777")
LEAST = 1e-4  # of what is shown on a logarithmic scale


class PageMind:
    """A panel at the left edge of the page."""

    def __init__(self, gui: Any, glimpse: Glimpse) -> None:
        self._gui, self._glimpse, self._count = gui, glimpse, 0
        panel = gui.add_panel()
        with panel.add_tab("sees and imagines"):
            self._seen = _side_by_side([glimpse.frame, np.full_like(glimpse.frame, UNKNOWN)])
            self._sees = gui.add_image(self._seen, label="what it sees | the goal", format="jpeg")
            self._imagines = gui.add_image(
                np.zeros((STRIP_PX, 4 * STRIP_PX, 3), np.uint8), label="what it imagines",
                format="jpeg", visible=False,
            )  # fmt: skip
            self._curves = self._draw_curves()
        panel.dock_left()
        panel.set_width(WIDTH_PX)

    def show(self, moment: Moment) -> None:
        """Bring the panel up to ``moment``; some of it only with every few of them."""
        self._count += 1
        if self._count % 2:
            self._show_seen([moment.frame, moment.goal_frame])
        if moment.imagined is not None:
            self._show_imagined(moment.imagined)
        for number, (names, curve) in enumerate(self._curves):
            if (self._count + number) % CURVES_EVERY == 0:
                curve.data = self._data(names, moment.traces)

    def _show_seen(self, pair: Iterable[Image]) -> None:
        seen = _side_by_side(pair)
        if not np.array_equal(seen, self._seen):
            self._seen = seen
            self._sees.image = seen

    def _show_imagined(self, imagined: Imagined) -> None:
        self._imagines.visible = len(imagined.pictures) > 0
        if not self._imagines.visible:
            return
        self._imagines.image = _side_by_side(imagined.pictures, STRIP_PX)
        ahead = ", ".join(f"{time_s:.2f}" for time_s in imagined.times_s)
        self._imagines.label = f"what it imagines, in {ahead} s"

    def _draw_curves(self) -> list[tuple[tuple[str, ...], Any]]:
        actions = tuple(name for name in self._glimpse.traced if name.startswith("action"))
        distances = DISTANCES if self._glimpse.unit else DISTANCES[:-1]
        return [
            (distances, self._curve("how far the goal is", distances, logarithmic=True)),
            (actions, self._curve("actions", actions, limits=(-1.05, 1.05))),
            (DOUBTS, self._curve("surprise and drift", DOUBTS, logarithmic=True)),
            (("tick ms",), self._curve("time of a tick [ms]", ("tick ms",))),
        ]

    def _curve(
        self, title: str, names: tuple[str, ...], logarithmic: bool = False,
        limits: tuple[float, float] | None = None,
    ) -> Any:  # fmt: skip
        uplot: Any = require("viser.uplot")
        lines = [
            uplot.Series(label=self._label(name), stroke=colour, width=1.5)
            for name, colour in zip(names, cycle(COLOURS), strict=False)
        ]
        scale: dict[str, Any] = {"distr": 3, "log": 10} if logarithmic else {"auto": True}
        if limits is not None:
            scale = {"auto": False, "range": limits}
        nothing = tuple(np.full(2, LEAST) for _ in (*names, "time"))
        return self._gui.add_uplot(
            nothing, (uplot.Series(label="s"), *lines), title=title, height=120,
            scales={"x": {"time": False}, "y": scale},
        )  # fmt: skip

    def _label(self, name: str) -> str:
        return f"truth [{self._glimpse.unit}]" if name == "truth" else name

    def _data(self, names: tuple[str, ...], traces: FloatArray) -> tuple[Any, ...]:
        columns = [self._glimpse.traced.index(name) for name in ("time", *names)]
        rows = traces[:, columns].astype(np.float64)
        if set(names) <= {*DISTANCES, *DOUBTS}:
            rows[:, 1:] = np.maximum(rows[:, 1:], LEAST)  # NaN stays
        return tuple(np.ascontiguousarray(column) for column in rows.T)


def _side_by_side(pictures: Iterable[Image], height_px: int = PICTURE_PX) -> Image:
    return np.concatenate([scaled(picture, height_px) for picture in pictures], 1)


def scaled(picture: Image, height_px: int) -> Image:
    """A picture (h, w, 3) that high; pixels stay squares where it grows."""
    cv2 = import_opencv()
    height, width = picture.shape[:2]
    how = cv2.INTER_NEAREST if height < height_px else cv2.INTER_AREA
    size = (max(1, round(width * height_px / height)), height_px)
    result: Image = cv2.resize(picture, size, interpolation=how)
    return result
