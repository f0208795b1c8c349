"""Attacks by data sets: manifests, headers and HDF5 files."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from agent.data.store import RolloutStore
from benchmarks.faults.hostile import Attack, Room, must_be_refused
from benchmarks.faults.specimens import specimen_made

HEADER, MANIFEST, FIRST = "dataset.json", "manifest.jsonl", "shards/shard-00000.h5"
Change = Callable[[Room], None]


def _read_whole(place: Path) -> Any:
    return RolloutStore.open(place).load()


def _read_from_disk(place: Path) -> Any:
    found = RolloutStore.open(place).load(0)
    return found.pixels[np.arange(len(found.pixels))]


def _changed(read: Callable[[Path], Any], change: Change) -> Attack:
    """A data set with something changed."""

    def attack(room: Room) -> Callable[[], Any]:
        if not (room.given / HEADER).exists():
            specimen_made("data set, in memory", room.given)
            change(room)
        return must_be_refused(lambda: read(room.given))

    return attack


def _line(**values: Any) -> Change:
    """The first line of the manifest says something else; a name may need the room's."""

    def change(room: Room) -> None:
        path = room.given / MANIFEST
        first, *rest = path.read_text().splitlines()
        record = {**json.loads(first), **values}
        record["shard"] = record["shard"].format(room=room.path)
        path.write_text("\n".join([json.dumps(record), *rest, ""]))

    return change


def _shard(write: Callable[[Any, Room], None], column: str) -> Change:
    """The first shard is written anew in one ``column``, with the right sum."""

    def change(room: Room) -> None:
        path = room.given / FIRST
        with h5py.File(path, "a") as file:
            del file[column]
            write(file, room)
        content = path.read_bytes()
        _line(size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())(room)

    return change


def _other_file(room: Room) -> str:
    """An HDF5 file outside, that is right in all but its place."""
    path = room.path / "outside.h5"
    path.write_bytes((room.given / "shards/shard-00001.h5").read_bytes())
    return str(path)


def _outer_link(file: Any, room: Room) -> None:
    file["pixels"] = h5py.ExternalLink(_other_file(room), "/pixels")


def _outer_storage(file: Any, room: Room) -> None:
    rows = len(file["action"])
    raw = room.path / "raw"
    raw.write_bytes(bytes(rows * 32 * 32 * 3))
    file.create_dataset(
        "pixels", (rows, 32, 32, 3), np.uint8, external=[(str(raw), 0, h5py.h5f.UNLIMITED)]
    )


def _virtual(file: Any, room: Room) -> None:
    shape = (len(file["action"]), 32, 32, 3)
    layout = h5py.VirtualLayout(shape, np.uint8)
    layout[...] = h5py.VirtualSource(_other_file(room), "pixels", shape)
    file.create_virtual_dataset("pixels", layout)


def _outer_states(file: Any, room: Room) -> None:
    raw = room.path / "raw"
    rows = len(file["action"])
    raw.write_bytes(np.full((rows, 2), 50.0).tobytes())
    file.create_dataset("state", (rows, 2), np.float64, external=[(str(raw), 0, rows * 16)])


def _loop(file: Any, room: Room) -> None:
    file["pixels"] = h5py.SoftLink("/pixels")


def _huge(column: str, width: tuple[int, ...], kind: Any) -> Callable[[Any, Room], None]:
    def write(file: Any, room: Room) -> None:
        chunk = (1, *width)
        file.create_dataset(column, (10**11, *width), kind, chunks=chunk, compression="gzip")

    return write


def _bomb(file: Any, room: Room) -> None:
    """Every frame's chunk inflates to 4 GB."""
    rows = len(file["action"])
    pixels = file.create_dataset(
        "pixels", (rows, 32, 32, 3), np.uint8, chunks=(1, 32, 32, 3), compression="gzip",
        compression_opts=1, fletcher32=True,
    )  # fmt: skip
    packer, block = zlib.compressobj(9), bytes(2**24)
    packed = b"".join([*(packer.compress(block) for _ in range(256)), packer.flush()])
    pixels.id.write_direct_chunk((0, 0, 0, 0), packed)


def _objects(file: Any, room: Room) -> None:
    file.create_dataset("ep_len", data=["cos\nmkdir\n"] * 2, dtype=h5py.string_dtype())


def _header(**values: Any) -> Change:
    def change(room: Room) -> None:
        path = room.given / HEADER
        header = {**json.loads(path.read_bytes()), **values}
        header.pop("content_sha256", None)
        path.write_text(json.dumps(header))
        lines = [json.loads(line) for line in (room.given / MANIFEST).read_text().splitlines()]
        text = "".join(json.dumps({**line, "settings": ""}) + "\n" for line in lines)
        (room.given / MANIFEST).write_text(text)

    return change


def _deep_header(room: Room) -> None:
    (room.given / HEADER).write_text("[" * 10**6 + "]" * 10**6)


def _linked_shard(room: Room) -> None:
    outside = room.path / "outside.h5"
    (room.given / FIRST).rename(outside)
    (room.given / FIRST).symlink_to(outside)


SPEC = {"world": "two-room", "look": "fast", "step_s": 0.1, "action_dim": 2, "state": []}
ATTACKS: dict[str, Attack] = {
    "data set: a shard named ../…": _changed(_read_whole, _line(shard="../../outside.h5")),
    "data set: a shard named /…": _changed(_read_whole, _line(shard="{room}/secret")),
    "data set: a shard that is a link out": _changed(_read_whole, _linked_shard),
    "data set: 10^12 rows": _changed(_read_whole, _line(rows=10**12)),
    "data set: 10^12 rows, from disk": _changed(_read_from_disk, _line(rows=10**12)),
    "data set: frames of 1 TB": _changed(
        _read_whole, _header(spec={**SPEC, "image_size": [10**6, 10**6]})
    ),
    "header: nested a million deep": _changed(_read_whole, _deep_header),
    "HDF5: frames by an external link": _changed(_read_whole, _shard(_outer_link, "pixels")),
    "HDF5: frames by an external link, from disk": _changed(
        _read_from_disk, _shard(_outer_link, "pixels")
    ),
    "HDF5: frames in external storage": _changed(_read_from_disk, _shard(_outer_storage, "pixels")),
    "HDF5: states in external storage": _changed(_read_whole, _shard(_outer_states, "state")),
    "HDF5: frames of a virtual data set": _changed(_read_from_disk, _shard(_virtual, "pixels")),
    "HDF5: a link to itself": _changed(_read_whole, _shard(_loop, "pixels")),
    "HDF5: 10^11 actions declared": _changed(
        _read_whole, _shard(_huge("action", (2,), np.float32), "action")
    ),
    "HDF5: 10^11 lengths declared": _changed(
        _read_whole, _shard(_huge("ep_len", (), np.int64), "ep_len")
    ),
    "HDF5: a frame that inflates to 4 GB": _changed(_read_whole, _shard(_bomb, "pixels")),
    "HDF5: a frame that inflates to 4 GB, from disk": _changed(
        _read_from_disk, _shard(_bomb, "pixels")
    ),
    "HDF5: objects in place of numbers": _changed(_read_whole, _shard(_objects, "ep_len")),
}
