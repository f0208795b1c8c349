"""What is printed never ends the work: what cannot be shown is replaced, or left out.

A reader may leave (``| head``), a disk behind ``>`` may be full, a terminal may not know a letter.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Literal, TextIO

_failures: dict[str, tuple[object, OSError]] = {}  # by name: who takes nothing more, and why


class PatientStream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr``, whichever that is now; once it fails, it swallows."""

    def __init__(self, name: Literal["stdout", "stderr"]) -> None:
        self._name = name

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream, and of a closed one UTF-8."""
        return getattr(self._stream(), "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Whether a person is looking."""
        stream = self._stream()
        return stream is not None and stream.isatty()

    def fileno(self) -> int:
        """The descriptor below."""
        stream = self._stream()
        if stream is None:
            raise OSError(f"{self._name} is closed")
        return int(stream.fileno())

    def write(self, text: str, /) -> int:
        """Write and flush; what cannot be encoded becomes an escape such as ``\\u2026``."""
        stream = self._stream()
        if stream is None or _failures.get(self._name, (None,))[0] is stream:
            return len(text)
        known = text.encode(self.encoding, "backslashreplace").decode(self.encoding)
        try:
            stream.write(known)
            stream.flush()
        except OSError as error:
            _failures[self._name] = (stream, error)
            _leave(stream)
        return len(text)

    def _stream(self) -> TextIO | None:
        found = getattr(sys, self._name)
        stream: TextIO | None = getattr(found, "rich_proxied_file", found)
        return stream


def lost_output() -> OSError | None:
    """Why results could not be shown to the end; None if they were, or nobody wanted the rest."""
    stream, error = _failures.get("stdout", (None, None))
    return None if isinstance(error, BrokenPipeError) or stream is not sys.stdout else error


def _leave(stream: TextIO) -> None:
    """Let nothing more be written, at the interpreter's end either."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # no descriptor below, as in a test
        return
