"""Text that any file can hold."""

from __future__ import annotations

_CONTROL = {*range(32), 127} - {9, 10, 13}  # neither HTML nor a font has these
_REPLACED = dict.fromkeys(_CONTROL, "\N{REPLACEMENT CHARACTER}")


def writable(text: str) -> str:
    """``text`` with control characters and lone surrogates replaced by marks.

    A path holds a lone surrogate for each byte that is no UTF-8; no file in UTF-8 can.
    """
    return text.encode("utf-8", "replace").decode("utf-8").translate(_REPLACED)
