"""The page: what a session shows, and what visitors ask of it. It knows viser, and no world."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agent.interfaces import Image
from agent.live.moment import Glimpse, Moment, Opening
from agent.live.page_controls import PageControls
from agent.live.page_mind import PageMind, scaled
from agent.live.page_scene import PageScene, light
from agent.live.pilots import Pilots
from agent.live.server import started
from agent.live.wishes import Drop, Wish
from agent.reporting.video import beside_goal, write_video

GALLERY_PX = 40
WORDS_EVERY, COMMAND_EVERY = 6, 25  # moments: for a browser a text is dear
NOTICE_S = 8.0
ARRIVE_S = 0.2  # what words take to a page that is connected
MOURN_S = 3.0  # a page that has just lost its connection takes a second to come back
FILM_S = 10.0
OPENING = "**lejepa-agent live**\n\nThe model is being loaded …"


class Page:
    """A server on ``host`` and ``port`` that shows moments; ``ask`` gets what the pilot wants.

    Raises:
        UserError: if nothing can be served there.
        MachineError: if viser is not installed.
    """

    def __init__(self, host: str, port: int, ask: Callable[[Wish], bool]) -> None:
        self._viser = started(host, port, self._notify)
        self.port: int = self._viser.get_port()
        self._to_session = ask
        self.pilots = Pilots()
        self._scene: PageScene | None = None
        self._shown = 0
        self._viser.gui.configure_theme(show_logo=False, show_share_button=False)
        self._status = self._viser.gui.add_markdown(OPENING)
        light(self._viser.scene)
        self._watch_visitors()

    def begin(self, glimpse: Glimpse) -> None:
        """Show a world, while its model is being loaded."""
        self._glimpse, self._tape = glimpse, _Tape(glimpse.step_s)
        with self._viser.atomic():
            self._mind = PageMind(self._viser.gui, glimpse)
            if glimpse.view is not None:
                self._scene = PageScene(self._viser, glimpse, self._ask)

    def open(self, opening: Opening) -> None:
        """Build what the session of ``opening`` needs; the world's glimpse came before."""
        gui = self._viser.gui
        with self._viser.atomic():
            self._take_over = gui.add_button("take over", hint="one visitor steers, all may look")
            self._take_over.on_click(lambda event: self.pilots.take_over(event.client_id))
            self._controls = PageControls(gui, opening, self._ask)
            self._draw_files(opening)
            gui.main_panel.dock_right()

    def show(self, moment: Moment) -> None:
        """Bring the page up to ``moment``."""
        with self._viser.atomic():
            if self._scene is not None:
                self._scene.show(moment)
            self._mind.show(moment)
            self._controls.show(moment.values)
            self._shown += 1
            if self._shown % WORDS_EVERY == 1:
                self._status.content = f"{_headline(moment, self._glimpse)}\n\n{self.pilots.words}"
            if self._shown % COMMAND_EVERY == 1:
                self._command.content = f"Repeat it: `{moment.command}`"
        self._tape.add(moment)
        for visitor, reason in moment.refusals:
            self._notify(visitor, reason)

    def say(self, text: str, for_s: float = ARRIVE_S) -> None:
        """The last words to all who look, and to all who come within ``for_s`` seconds."""
        self._status.content = text
        self._viser.flush()
        time.sleep(for_s)

    def close(self) -> None:
        """Stop serving."""
        self._viser.stop()

    def _watch_visitors(self) -> None:
        @self._viser.on_client_connect  # type: ignore[untyped-decorator]
        async def _(client: Any) -> None:
            self.pilots.come(client.client_id)

        @self._viser.on_client_disconnect  # type: ignore[untyped-decorator]
        async def _(client: Any) -> None:
            self.pilots.leave(client.client_id)

    def _ask(self, wish: Wish) -> bool:
        if not self.pilots.steers(wish.of):
            self._notify(wish.of, f"{self.pilots.words}: press “take over” first")
            return False
        if self._to_session(wish):
            return True
        self._notify(wish.of, "too much at once: this was left out")
        return False

    def _draw_files(self, opening: Opening) -> None:
        gui = self._viser.gui
        with self._controls.tabs.add_tab("files"):
            gui.add_image(scaled(opening.gallery, GALLERY_PX), label="gallery, from 1")
            dropped = gui.add_upload_button("a picture as the goal", mime_type="image/*")
            film = gui.add_button("film of the last seconds")
            self._command = gui.add_markdown("")

        @dropped.on_upload  # type: ignore[untyped-decorator]
        async def _(event: Any) -> None:
            self._ask(Drop(event.client_id, dropped.value.name, dropped.value.content))

        @film.on_click  # type: ignore[untyped-decorator]
        def _(event: Any) -> None:
            event.client.send_file_download("live.webm", self._tape.film())

    def _notify(self, visitor: int, reason: str) -> None:
        """Tell one visitor, or all where it is nobody's doing."""
        for number, client in self._viser.get_clients().items():
            if visitor in (number, -1):
                client.add_notification("Not done", reason, auto_close_seconds=NOTICE_S)


class _Tape:
    """The last seconds, moments ``step_s`` apart, kept to make a film of."""

    def __init__(self, step_s: float) -> None:
        self._rate = 1.0 / step_s
        self._shown: deque[tuple[Image, Image, str]] = deque(maxlen=max(1, round(FILM_S / step_s)))
        self._tick = -1

    def add(self, moment: Moment) -> None:
        """One more: as many frames as ticks have passed since the last, none while it is paused."""
        passed, self._tick = moment.tick - self._tick, moment.tick
        caption = f"{moment.tick / self._rate:4.2f} s\n{moment.words}"
        shown = (moment.frame, moment.goal_frame, caption)
        self._shown.extend([shown] * min(passed, self._shown.maxlen or passed))

    def film(self) -> bytes:
        """A WebM of what is remembered: what it saw beside the goal."""
        frames = [beside_goal(*shown) for shown in list(self._shown)]
        with TemporaryDirectory(prefix="live-") as place:
            return write_video(Path(place) / "live.webm", frames, self._rate).read_bytes()


def _headline(moment: Moment, glimpse: Glimpse) -> str:
    share = moment.late_ticks / max(1, moment.due_ticks)
    return (
        f"**{moment.words}**\n\n{glimpse.world}, tick {moment.tick}, "
        f"{moment.late_ticks} of {moment.due_ticks} late ({100 * share:.1f} %)"
    )
