"""Who steers, where several look: the first to come, until they leave or another takes over."""

from __future__ import annotations

import threading


class Pilots:
    """Visitors by number, in the order they came; may be asked on any thread."""

    def __init__(self) -> None:
        self._present: list[int] = []
        self._steering: int | None = None
        self._lock = threading.Lock()

    def come(self, visitor: int) -> None:
        """One more looks; alone, they steer."""
        with self._lock:
            self._present.append(visitor)
            if self._steering is None:
                self._steering = visitor

    def leave(self, visitor: int) -> None:
        """One less; the one who has looked longest steers where nobody would."""
        with self._lock:
            if visitor in self._present:
                self._present.remove(visitor)
            if self._steering == visitor:
                self._steering = self._present[0] if self._present else None

    def take_over(self, visitor: int) -> None:
        """From now on they steer."""
        with self._lock:
            self._steering = visitor

    def steers(self, visitor: int) -> bool:
        """Whether what they want counts."""
        return visitor == self._steering

    @property
    def somebody_looks(self) -> bool:
        """Whether there is any visitor."""
        return bool(self._present)

    @property
    def words(self) -> str:
        """Who looks, and who steers."""
        with self._lock:
            count, steering = len(self._present), self._steering
        if steering is None:
            return "nobody steers"
        looking = "" if count < 2 else f", {count} look on"
        return f"visitor {steering} steers{looking}"
