"""Which files this program wrote, so that nobody else's is written over.

A JSON file names its schema, a page its generator; films and pictures are signed where their
format has room for a note: no player shows it, and every one plays on.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

from agent.errors import UserError

SIGN = b"written by lejepa-agent"
GENERATOR = "lejepa-agent"
_LOOKED_AT_BYTES = 1 << 16  # of the beginning and of the end
_KINDS = {  # how a file begins, and a pattern of what it then holds if it is ours
    ".json": (b"{", rb'"schema": "lejepa-agent/(evaluation|offline|diagnosis)/'),  # results alone
    ".toml": (b'preset = "', rb"\[training"),
    ".jsonl": (b'{"', rb'^\{"(env_steps|step)": \d'),  # reports of a training
    ".html": (b"<!doctype html>", b'content="' + GENERATOR.encode() + b'"'),
    ".png": (b"\x89PNG", SIGN),
    ".gif": (b"GIF8", SIGN),
    ".webm": (b"\x1aE\xdf\xa3", SIGN),
    ".mp4": (b"\0\0\0", SIGN),
}


def is_ours(path: Path, kind: str) -> bool:
    """Whether the file is this program's, of a ``kind`` such as ``.json``; an empty one is.

    Of a kind that this program cannot tell it is somebody's.
    """
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT_BYTES)
        file.seek(max(0, path.stat().st_size - _LOOKED_AT_BYTES))
        end = file.read()
    if not start or kind not in _KINDS:
        return not start
    begins, pattern = _KINDS[kind]
    return start.startswith(begins) and any(re.search(pattern, part) for part in (start, end))


def require_suffix(path: Path, suffixes: Sequence[str], flag: str = "") -> None:
    """UserError, naming the ``flag`` it came with, unless ``path`` ends in one of these."""
    if path.suffix not in suffixes:
        asked = f"{flag}: " if flag else ""
        raise UserError(f"{asked}expected a name in {' or '.join(suffixes)}, got {path}")


def signed(content: bytes, kind: str) -> bytes:
    """``content`` of a film or picture, with :data:`SIGN` in it."""
    if kind == ".png":  # a chunk of text before the last chunk, which is always the same
        chunk = b"tEXtSoftware\0" + SIGN
        framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return content[:-12] + framed + content[-12:]
    if kind == ".webm":  # an element that is void
        return content + b"\xec" + bytes([0x80 | len(SIGN)]) + SIGN
    if kind == ".mp4":  # a box that is free
        return content + struct.pack(">I", 8 + len(SIGN)) + b"free" + SIGN
    comment = b"!\xfe" + bytes([len(SIGN)]) + SIGN + b"\0"  # before the trailer of a GIF
    return content[:-1] + comment + content[-1:]
