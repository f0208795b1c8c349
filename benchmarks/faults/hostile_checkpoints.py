"""Attacks by checkpoints, training states, policies and exported networks."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.export.onnx_model import GRAPHS, OnnxModel, file_name
from agent.model.checkpoint import load_checkpoint
from agent.rivals.actor import ACTORS
from benchmarks.faults.hostile import Attack, Payload, Room, must_be_refused
from benchmarks.faults.jobs import command
from benchmarks.faults.specimens import specimen_made

CONFIG, WEIGHTS, SUMS = "config.json", "model.safetensors", "manifest.json"
Change = Callable[[dict[str, bytes], Room], Mapping[str, bytes]]


def _changed(kind: str, read: Callable[[Path], Any], change: Change) -> Attack:
    """A bundle of that kind with files changed, whose sums are right."""

    def attack(room: Room) -> Callable[[], Any]:
        if not (room.given / SUMS).exists():
            specimen_made(kind, room.given)
            names = json.loads((room.given / SUMS).read_bytes())["files"]
            files = {name: (room.given / name).read_bytes() for name in names}
            files.update(change(dict(files), room))
            _write(room.given, files)
        return must_be_refused(lambda: read(room.given))

    return attack


def _write(place: Path, files: Mapping[str, bytes]) -> None:
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    for name, content in files.items():
        (place / name).write_bytes(content)
    (place / SUMS).write_text(json.dumps({"files": sums}))


def _with_sums(change: Callable[[dict[str, str], Room], None]) -> Attack:
    """A checkpoint whose manifest or files are laid out otherwise."""

    def attack(room: Room) -> Callable[[], Any]:
        if not (room.given / SUMS).exists():
            specimen_made("checkpoint", room.given)
            sums = json.loads((room.given / SUMS).read_bytes())["files"]
            change(sums, room)
            (room.given / SUMS).write_text(json.dumps({"files": sums}))
        return must_be_refused(lambda: load_checkpoint(room.given))

    return attack


def _names_outside(name: Callable[[Room], str]) -> Attack:
    def change(sums: dict[str, str], room: Room) -> None:
        content = (room.given / CONFIG).read_bytes()
        target = room.given / name(room)  # an absolute name leaves the folder as well
        target.write_bytes(content) if target != room.secret else None
        sums[name(room)] = hashlib.sha256(target.read_bytes()).hexdigest()

    return _with_sums(change)


def _link(sums: dict[str, str], room: Room) -> None:
    (room.given / "README.md").unlink()
    (room.given / "README.md").symlink_to(room.secret)
    sums["README.md"] = hashlib.sha256(room.secret.read_bytes()).hexdigest()


def _pipe(sums: dict[str, str], room: Room) -> None:
    (room.given / CONFIG).unlink()
    os.mkfifo(room.given / CONFIG)


def _huge_file(sums: dict[str, str], room: Room) -> None:
    os.truncate(room.given / WEIGHTS, 100 * 2**30)


def _pickled(name: str) -> Change:
    return lambda files, room: {name: pickle.dumps(Payload(room))}


def _header(words: bytes, length: int | None = None) -> Change:
    said = len(words) if length is None else length
    return lambda files, room: {WEIGHTS: struct.pack("<Q", said) + words}


def _config(name: str, value: Any) -> Change:
    def change(files: dict[str, bytes], room: Room) -> Mapping[str, bytes]:
        config = json.loads(files[CONFIG])
        *rooms, last = name.split(".")
        inner = config
        for part in rooms:
            inner = inner[part]
        inner[last] = value
        return {CONFIG: json.dumps(config).encode()}

    return change


def _deep(name: str) -> Change:
    return lambda files, room: {name: b'{"a":' + b"[" * 10**6 + b"]" * 10**6 + b"}"}


def _tensor(shape: list[int], offsets: list[int]) -> bytes:
    named = {"goal_metric": {"dtype": "F32", "shape": shape, "data_offsets": offsets}}
    return json.dumps(named).encode()


def _evaluated(world: str) -> Attack:
    """A checkpoint of a world that is a file of code, or a module to import."""

    def attack(room: Room) -> Callable[[], Any]:
        code = f"import os; os.mkdir({str(room.ran)!r})"
        (room.given.parent / "strange.py").write_text(code)
        name = world.format(room.given.parent / "strange.py")
        _changed("checkpoint", load_checkpoint, _config("world.world", name))(room)
        words = ("--checkpoint", str(room.given), "--episodes", "1", "--no-floors")
        return lambda: command("evaluate", *words)

    return attack


def _graph(make: Callable[[Any], bytes]) -> Change:
    def change(files: dict[str, bytes], room: Room) -> Mapping[str, bytes]:
        import onnx

        return {file_name(GRAPHS[0]): make(onnx)}

    return change


def _outer_weights(onnx: Any) -> bytes:
    """A graph whose numbers lie in a file outside."""
    helper, kind = onnx.helper, onnx.TensorProto.UINT8
    tensor = helper.make_tensor("w", kind, [8], bytes(8), raw=True)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    return _model(onnx, [helper.make_node("Identity", ["w"], ["out"])], [tensor], [8], kind)


def _bomb(onnx: Any) -> bytes:
    """A graph that fills a constant of 4 TB while it is loaded."""
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    shape = helper.make_tensor("s", onnx.TensorProto.INT64, [1], [10**12])
    nodes = [
        helper.make_node("ConstantOfShape", ["s"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["out"], keepdims=1),
    ]
    return _model(onnx, nodes, [shape], [1], floats)


def _model(onnx: Any, nodes: list[Any], tensors: list[Any], shape: list[int], kind: int) -> bytes:
    helper = onnx.helper
    out = helper.make_tensor_value_info("out", kind, shape)
    graph = helper.make_graph(nodes, "g", [], [out], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(made.SerializeToString())


def _run_graph(place: Path) -> Any:
    return OnnxModel(place).run(GRAPHS[0])


MODEL = "checkpoint"
ATTACKS: dict[str, Attack] = {
    "checkpoint: a file named ../…": _names_outside(lambda room: "../outside"),
    "checkpoint: a file named /…": _names_outside(lambda room: str(room.secret)),
    "checkpoint: a link to a file outside": _with_sums(_link),
    "checkpoint: a pipe in place of a file": _with_sums(_pipe),
    "checkpoint: a file of 100 GB": _with_sums(_huge_file),
    "checkpoint: weights are a pickle": _changed(MODEL, load_checkpoint, _pickled(WEIGHTS)),
    "policy: weights are a pickle": _changed("policy", ACTORS.load, _pickled(WEIGHTS)),
    "weights: a header of 2^63 bytes": _changed(MODEL, load_checkpoint, _header(b"{}", 2**63)),
    "weights: a tensor of 4 PB": _changed(
        MODEL, load_checkpoint, _header(_tensor([10**15], [0, 4 * 10**15]))
    ),
    "weights: a tensor outside the file": _changed(
        MODEL, load_checkpoint, _header(_tensor([4], [10**6, 10**6 + 16]))
    ),
    "config: nested a million deep": _changed(MODEL, load_checkpoint, _deep(CONFIG)),
    "config: an embedding of 10^12": _changed(
        MODEL, load_checkpoint, _config("model.encoder.latent_dim", 10**12)
    ),
    "config: layers of 10^6 channels": _changed(
        MODEL, load_checkpoint, _config("model.encoder.channels", [10**6] * 3)
    ),
    "config: 10^9 blocks": _changed(
        MODEL, load_checkpoint, _config("model.predictor.blocks", 10**9)
    ),
    "config: a context of 10^9": _changed(
        MODEL, load_checkpoint, _config("model.predictor.context", 10**9)
    ),
    "config: actions of 10^9 numbers": _changed(
        MODEL, load_checkpoint, _config("world.action_dim", 10**9)
    ),
    "config: the world is a file of code": _evaluated("{}:World"),
    "config: the world is a module to import": _evaluated("gym:strange:World-v0"),
    "policy: layers of 10^9": _changed("policy", ACTORS.load, _config("actor.hidden", [10**9] * 2)),
    "exported: numbers in a file outside": _changed(
        "exported networks", _run_graph, _graph(_outer_weights)
    ),
    "exported: a constant of 4 TB": _changed("exported networks", _run_graph, _graph(_bomb)),
}
