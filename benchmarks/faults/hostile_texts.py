"""Attacks by texts: results, tables, settings, pictures."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.commands.training_settings import read_settings
from agent.evaluation.results import read_result
from agent.reporting.markup import document, element
from benchmarks.campaign.tables import EPISODES, put_run, read_runs
from benchmarks.faults.hostile import Attack, Room, must_be_refused, must_be_text
from benchmarks.faults.specimens import result_of, specimen_made
from envs import load_goal_image, make_world

SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://x","y")'


def _file(name: str, content: Callable[[], bytes], read: Callable[[Path], Any]) -> Attack:
    """One file, and its reader."""

    def attack(room: Room) -> Callable[[], Any]:
        path = room.given / name
        if not path.exists():
            path.write_bytes(content())
        return must_be_refused(lambda: read(path))

    return attack


def _deep_json() -> bytes:
    return b"[" * 10**6 + b"]" * 10**6


def _long_number() -> bytes:
    return b'{"schema": ' + b"9" * 10**7 + b"}"


def _deep_toml() -> bytes:
    return b"a = " + b"[" * 10**5 + b"]" * 10**5


def _many_tables() -> bytes:
    return b"[" + b".".join([b"a"] * 10**5) + b"]\nb = 1\n"


def _huge_picture() -> bytes:
    """A PNG of 60000 x 60000 px in a few kB."""
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(10**7), 9)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _goal(path: Path) -> Any:
    return load_goal_image(path, make_world("two-room"))


def _inflating_table(room: Room) -> Callable[[], Any]:
    """Episodes that inflate to 4 GB."""
    if not (room.given / EPISODES).exists():
        specimen_made("result tables", room.given)
        packer, block = zlib.compressobj(9, wbits=31), bytes(2**24)
        packed = b"".join([*(packer.compress(block) for _ in range(256)), packer.flush()])
        (room.given / EPISODES).write_bytes(packed)
    return must_be_refused(lambda: read_runs(room.given))


def _long_cell(room: Room) -> Callable[[], Any]:
    if not (room.given / EPISODES).exists():
        specimen_made("result tables", room.given)
        content = gzip.decompress((room.given / EPISODES).read_bytes())
        longer = content + b'"' + b"x" * 10**8
        (room.given / EPISODES).write_bytes(gzip.compress(longer))
    return must_be_refused(lambda: read_runs(room.given))


def _shown_as(text: str) -> Attack:
    """A result with ``text`` as its controller, on a page made of the table."""

    def attack(room: Room) -> Callable[[], Any]:
        put_run(room.given, {**result_of(0), "controller": text})

        def show() -> None:
            (run,) = read_runs(room.given)
            page = document(run["controller"], "", element("td", run["controller"], title=text))
            must_be_text(page, text)

        return show

    return attack


def _formula(room: Room) -> Callable[[], Any]:
    """A cell that a spreadsheet would run."""
    return must_be_refused(lambda: put_run(room.given, {**result_of(0), "controller": FORMULA}))


ATTACKS: dict[str, Attack] = {
    "result: nested a million deep": _file("r.json", _deep_json, read_result),
    "result: a number of 10^7 digits": _file("r.json", _long_number, read_result),
    "tables: episodes that inflate to 4 GB": _inflating_table,
    "tables: a cell of 100 MB": _long_cell,
    "tables: HTML as a controller's name": _shown_as(SCRIPT),
    "tables: a formula as a controller's name": _formula,
    "settings: TOML nested 10^5 deep": _file("c.toml", _deep_toml, read_settings),
    "settings: TOML of 10^5 tables in a row": _file("c.toml", _many_tables, read_settings),
    "goal picture: a PNG of 60000 px a side": _file("g.png", _huge_picture, _goal),
}
