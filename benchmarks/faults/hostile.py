"""Files made to do harm, given to their readers: each is refused, and nothing else happens.

The harm that is looked for: code that runs, memory beyond a limit, a reader that never ends, a file
outside that is read or written, text that is not text any more where it is shown.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.commands.calling import LEAST_ADDRESSES_GB
from agent.commands.failures import DAMAGED, USER
from benchmarks.faults.forks import Ended, forked, limit_memory

MEMORY_MB = 1000
PATIENCE_S = 20.0
SECRET = "what nobody was to read"


@dataclass(frozen=True)
class Room:
    """Where an attack is made: ``given`` is the stranger's, ``secret`` and ``ran`` are outside.

    ``secret`` is a file of the user's; code of the attack would make ``ran``.
    """

    path: Path

    @property
    def given(self) -> Path:
        """The stranger's folder."""
        return self.path / "given"

    @property
    def secret(self) -> Path:
        """A file outside it."""
        return self.path / "secret"

    @property
    def ran(self) -> Path:
        """Is there where code ran."""
        return self.path / "ran"


class TouchedError(AssertionError):
    """A reader gave what it should have refused."""


Attack = Callable[[Room], Callable[[], Any]]
"""Writes its files, and gives the reading of them."""


class Payload:
    """Unpickled, it makes the file ``ran``."""

    def __init__(self, room: Room) -> None:
        self._ran = str(room.ran)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self._ran,)


def attack(name: str) -> dict[str, Any]:
    """Try the attack ``name``; a row of results."""
    with tempfile.TemporaryDirectory() as place:
        room = Room(Path(place))
        room.given.mkdir()
        room.secret.write_text(SECRET)
        made = forked(lambda: attacks()[name](room) and None)
        assert made.finished, made.said
        ended = forked(
            lambda: attacks()[name](room)(),
            [limit_memory(MEMORY_MB, LEAST_ADDRESSES_GB)],
            patience_s=PATIENCE_S,
        )
        wrong = _harm(room, ended)
    outcome = "harmless text" if ended.code == 0 else "refused"
    return {
        "file": name, "outcome": "not refused" if wrong else outcome,
        "seconds": round(ended.seconds, 2), "said": ended.last_line.replace(place, "…")[:200],
        "wrong": [text.replace(place, "…") for text in wrong],
    }  # fmt: skip


def names() -> tuple[str, ...]:
    """Every attack."""
    return tuple(attacks())


def attacks() -> dict[str, Attack]:
    """Every attack by name."""
    from benchmarks.faults.hostile_checkpoints import ATTACKS as ON_CHECKPOINTS
    from benchmarks.faults.hostile_data import ATTACKS as ON_DATA
    from benchmarks.faults.hostile_texts import ATTACKS as ON_TEXTS

    return {**ON_CHECKPOINTS, **ON_DATA, **ON_TEXTS}


def _harm(room: Room, ended: Ended) -> list[str]:
    found = []
    if room.ran.exists():
        found.append("code ran")
    if room.secret.read_text() != SECRET:
        found.append("a file outside was written")
    if SECRET in ended.said:
        found.append("a file outside was read")
    if ended.timed_out:
        found.append(f"no end within {PATIENCE_S:g} s")
    elif ended.signal:
        found.append(f"signal {ended.signal}")
    elif ended.code not in (0, USER, DAMAGED):
        found.append(f"exit code {ended.code}: {ended.last_line[:200]}")
    return found


def must_be_refused(read: Callable[[], Any]) -> Callable[[], Any]:
    """The reading, for which giving anything is wrong."""

    def reading() -> None:
        given = read()
        raise TouchedError(f"expected a refusal, got {type(given).__name__}")

    return reading


def must_be_text(page: str, text: str) -> None:
    """Raise where ``text`` stands on ``page`` as it is."""
    if text in page:
        raise TouchedError(f"{text!r} stands on the page as it is")
