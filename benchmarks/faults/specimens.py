"""Files of every kind this program reads, and what reading them gives, as fingerprints.

A specimen's ``read`` goes through the reader that the commands use and touches all that it would
hand on; equal fingerprints are equal contents. What may be read in part (the episodes of a data
set, the runs of a table) has one each.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.config import tiny
from agent.data.store import RolloutStore
from agent.evaluation.results import FIELDS, read_result
from agent.export.exporting import export_controller
from agent.export.onnx_model import GRAPHS, OnnxModel
from agent.files.json_files import write_json
from agent.model.checkpoint import checkpoint_facts, load_checkpoint, save_checkpoint
from agent.model.world_model import WorldModel
from agent.rivals.actor import ACTORS, Actor, ActorConfig
from agent.training.optimiser import WorldModelOptimiser
from agent.training.state import load_training_state, save_training_state
from benchmarks.campaign.tables import COLUMNS, put_run, read_runs
from benchmarks.faults.forks import forked
from benchmarks.faults.jobs import WORLD, command, without_workers
from envs import WorldSpec, make_world

PEOPLE = ("README.md",)  # for people: no reader takes anything from it


@dataclass(frozen=True)
class Specimen:
    """``make`` writes two alike, but of different contents, for swaps; ``read`` one of them."""

    name: str
    make: Callable[[Path, int], None]
    read: Callable[[Path], list[str]]


def specimens() -> tuple[Specimen, ...]:
    """One of each kind of file."""
    return (
        Specimen("data set, in memory", _make_data, lambda place: _read_data(place, None)),
        Specimen("data set, from disk", _make_data, lambda place: _read_data(place, 0)),
        Specimen("checkpoint", _make_checkpoint, _read_checkpoint),
        Specimen("training state", _make_state, _read_state),
        Specimen("policy", _make_actor, _read_actor),
        Specimen("exported networks", _make_export, _read_export),
        Specimen("result", _make_result, _read_result),
        Specimen("result tables", _make_tables, _read_tables),
    )


def specimen_made(name: str, place: Path) -> None:
    """Write a specimen of that kind to ``place``, in a fork: making some of them takes memory."""
    kind = next(specimen for specimen in specimens() if specimen.name == name)
    made = forked(lambda: kind.make(place, 0))
    assert made.finished, made.said


def _make_data(place: Path, number: int) -> None:
    without_workers()
    words = ("--episodes", "6", "--episodes-per-shard", "2", "--episode-steps", "40")
    words += ("--image-size", "32")
    command("collect", "--out", str(place), *WORLD, *words, "--seed", str(number))


def _read_data(place: Path, memory_bytes: int | None) -> list[str]:
    store = RolloutStore.open(place)
    found = store.load(memory_bytes)
    pixels = found.pixels[np.arange(len(found.pixels))]
    header = json.dumps(store.header.to_json(), sort_keys=True)
    rows = [found.rows(episode) for episode in range(found.count)]
    return [_sha(header), *(_sha(pixels[r], found.action[r], found.state[r]) for r in rows)]


def _spec() -> WorldSpec:
    return make_world("two-room", image_size=32).spec


def _model(number: int) -> WorldModel:
    torch.manual_seed(number)
    config = dataclasses.replace(tiny().model, plain_share=0.1 + number)
    return WorldModel(config, _spec()).eval()


def _make_checkpoint(place: Path, number: int) -> None:
    save_checkpoint(place, _model(number), {"seed": number, "training_s": 1.5})


def _read_checkpoint(place: Path) -> list[str]:
    model, facts = load_checkpoint(place), checkpoint_facts(place)
    said = (repr(model.config), repr(model.spec), json.dumps(facts))
    return [_sha(*said, *_tensors(model.state_dict()))]


def _make_state(place: Path, number: int) -> None:
    model = _model(number)
    optimiser = WorldModelOptimiser(model, tiny().training)
    optimiser.step(torch.stack([p.square().sum() for p in optimiser.parameters]).sum(), 0)
    save_training_state(place, 7 + number, 1.5, model, optimiser, _identity())


def _read_state(place: Path) -> list[str]:
    model = _model(5)
    optimiser = WorldModelOptimiser(model, tiny().training)
    at = load_training_state(place, model, optimiser, _identity())
    return [_sha(str(at), *_tensors(model.state_dict()), *_tensors(optimiser.tensors()))]


def _identity() -> dict[str, Any]:
    return {"training": dataclasses.asdict(tiny().training)}


def _make_actor(place: Path, number: int) -> None:
    torch.manual_seed(number)
    ACTORS.save(place, Actor(ActorConfig((16, 16)), _spec()), {"seed": number})


def _read_actor(place: Path) -> list[str]:
    actor = ACTORS.load(place)
    return [_sha(repr(actor.config), repr(actor.spec), *_tensors(actor.state_dict()))]


def _make_export(place: Path, number: int) -> None:
    export_controller(_model(number), place, {"seed": number})


def _read_export(place: Path) -> list[str]:
    model = OnnxModel(place)
    said = (repr(model.spec), repr(model.control), repr(model.planner))
    return [_sha(*said, str((model.context, model.action_block)), *_outputs(model))]


def _outputs(model: OnnxModel) -> list[np.ndarray[Any, Any]]:
    """What every graph makes of the same inputs."""
    draw, found = np.random.default_rng(0), []
    for name in GRAPHS:
        session = model._sessions[name]
        inputs = {one.name: _input(draw, one.shape, one.type) for one in session.get_inputs()}
        found += session.run(None, inputs)
    return found


def _input(draw: np.random.Generator, shape: list[Any], kind: str) -> np.ndarray[Any, Any]:
    sides = [side if isinstance(side, int) else 2 for side in shape]
    if kind == "tensor(uint8)":
        return draw.integers(0, 256, sides, np.uint8)
    return draw.uniform(-1, 1, sides).astype(np.float32)


def result_of(number: int) -> dict[str, Any]:
    """A result that nobody played."""
    lines = [
        {
            "seed": seed, "solved_at_start": False, "first_touch": True, "held": seed > number,
            "steps_to_success": 7, "final_error": 0.25 * seed, "episode_return": None,
        }
        for seed in range(4)
    ]  # fmt: skip
    figures = {"rate": 0.75, "low": 0.25, "high": 0.875}
    said = dict.fromkeys(FIELDS) | {
        "schema": "lejepa-agent/evaluation/3", "controller": "sac", "world": "two-room",
        "look": "fast", "step_s": 0.1, "protocol": "anywhere", "protocol_definition": "f" * 12,
        "rule": "as it says", "episodes": 4, "seed": 2000, "training_seed": number,
        "solved_at_start": 0, "first_touch": figures, "held": figures, "decision_ms": {"p50": 1.5,
        "p95": 2.5}, "final_error": {"median": 0.375, "p90": 0.7, "unit": "px"},
        "steps_to_success": {"median": 7.0}, "wall_clock_s": 2.5, "command": "python x",
        "hardware": "a machine", "date": "2026-01-02", "commit": "abc", "per_episode": lines,
    }  # fmt: skip
    return said


def _make_result(place: Path, number: int) -> None:
    write_json(place / "result.json", result_of(number))


def _read_result(place: Path) -> list[str]:
    found = read_result(place / "result.json")
    return [_sha(json.dumps({name: found[name] for name in FIELDS}, sort_keys=True))]


def _make_tables(place: Path, number: int) -> None:
    for seed in range(3):
        put_run(place, result_of(number) | {"training_seed": seed, "wall_clock_s": 2.5 + number})


def _read_tables(place: Path) -> list[str]:
    names = {column.partition(".")[0] for column in COLUMNS} | {"per_episode"}
    runs = [{name: run[name] for name in sorted(names)} for run in read_runs(place)]
    return [_sha(json.dumps(run, sort_keys=True)) for run in runs]


def _tensors(named: Mapping[str, torch.Tensor]) -> list[np.ndarray[Any, Any]]:
    return [value.detach().contiguous().numpy() for _, value in sorted(named.items())]


def _sha(*parts: str | np.ndarray[Any, Any]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            whole.update(part.encode())
        else:
            whole.update(f"{part.dtype}{part.shape}".encode())
            whole.update(np.ascontiguousarray(part).tobytes())
    return whole.hexdigest()
