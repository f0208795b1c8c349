"""The controls on the page: sliders, switches, choices and buttons, as the session declares them.

What a visitor changes goes to the session as a wish; where the session says a control stands
elsewhere, as after a refusal, it is put back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from agent.live.controls import Button, Choice, Control, Value
from agent.live.moment import Opening
from agent.live.wishes import Press, Set, Wish
from envs import Dial

PATIENCE_S = 0.6  # after a visitor's change, before the session's word counts again


class PageControls:
    """Draws the groups of an opening with ``gui``, each in a tab but the first, which is on top."""

    def __init__(self, gui: Any, opening: Opening, ask: Callable[[Wish], bool]) -> None:
        self._gui, self._ask = gui, ask
        self._handles: dict[str, Any] = {}
        self._touched_s: dict[str, float] = {}
        first, *others = opening.groups
        self._draw(first.controls)
        tabs = gui.add_tab_group()
        for group in others:
            with tabs.add_tab(group.title):
                self._draw(group.controls)
        self.tabs = tabs

    def show(self, values: Mapping[str, Value]) -> None:
        """Put every control where it stands, unless a visitor just moved it."""
        now_s = time.monotonic()
        for name, value in values.items():
            handle = self._handles.get(name)
            touched_s = self._touched_s.get(name, 0.0)
            if handle is not None and now_s - touched_s > PATIENCE_S:
                shown = type(handle.value)(value)
                if handle.value != shown:
                    handle.value = shown

    def _draw(self, controls: tuple[Control, ...]) -> None:
        buttons = [c for c in controls if isinstance(c, Button)]
        for control in controls:
            if isinstance(control, Dial):
                self._watch(control.name, self._dial(control))
            elif isinstance(control, Choice):
                made = self._gui.add_dropdown(control.about, control.options)
                self._watch(control.name, made)
        for button in buttons:
            self._button(button)

    def _dial(self, dial: Dial) -> Any:
        if dial.is_switch:
            return self._gui.add_checkbox(dial.about, bool(dial.usual))
        return self._gui.add_slider(dial.about, dial.low, dial.high, dial.step, dial.usual)

    def _watch(self, name: str, handle: Any) -> None:
        self._handles[name] = handle

        @handle.on_update  # type: ignore[untyped-decorator]
        async def _(event: Any) -> None:
            if event.client_id is None:  # it was put there by us
                return
            value = handle.value
            wish = Set(event.client_id, name, value if isinstance(value, str) else float(value))
            granted = self._ask(wish)
            self._touched_s[name] = time.monotonic() if granted else 0.0

    def _button(self, button: Button) -> None:
        handle = self._gui.add_button(button.about)

        @handle.on_click  # type: ignore[untyped-decorator]
        async def _(event: Any) -> None:
            if event.client_id is not None:
                self._ask(Press(event.client_id, button.name))
