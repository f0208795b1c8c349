"""Writes an exported controller and proves that it computes what torch does."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.control.mpc import MPCConfig
from agent.errors import MachineError, UserError
from agent.export.graphs import Graph, graphs_of
from agent.export.onnx_model import SCHEMA, OnnxModel, file_name
from agent.extras import require
from agent.files.bundle import require_replaceable, write_bundle
from agent.model.predictor import ResidualPredictor
from agent.model.sight import SIGHT_FILE
from agent.model.world_model import WorldModel
from agent.settings import to_dict
from envs import WorldSpec, can_be_posed
from planners import GaussNewtonPlanner

AGREEMENT = 1e-4  # of float32 sums taken in another order, relative to the largest output


def export_controller(
    model: WorldModel,
    directory: Path,
    facts: Mapping[str, Any],
    control: MPCConfig | None = None,
    planner: GaussNewtonPlanner | None = None,
) -> float:
    """Write the controller that ``model``, ``control`` and ``planner`` make to ``directory``.

    Returns the largest difference between a graph's output and torch's on random inputs, relative
    to the largest output. ``facts`` (JSON values) say where the model came from.

    Raises:
        UserError: if the model is of a kind that cannot be exported, or something else lies there.
        MachineError: if onnx or onnxruntime are missing, or disagree with torch.
    """
    _require_kind(model)
    require("onnxruntime")
    require("onnx")  # torch.onnx.export imports it at its end
    control, planner = control or MPCConfig(), planner or GaussNewtonPlanner()
    graphs = graphs_of(model, control.horizon)
    files = {file_name(name): graph.to_onnx() for name, graph in graphs.items()}
    config = {
        "schema": SCHEMA,
        "world": model.spec.to_json(),
        "context": model.context,
        "action_block": model.config.action_block,
        "control": to_dict(control),
        "planner": to_dict(planner),
        "facts": dict(facts),
    }
    files["config.json"] = json.dumps(config, indent=2).encode()
    files["README.md"] = _card(model.spec).encode()
    if model.sight is not None:
        files[SIGHT_FILE] = model.sight.to_bytes()
    require_replaceable(directory, files)
    with tempfile.TemporaryDirectory() as place:  # what is there is not replaced by what differs
        write_bundle(Path(place) / "tried", files)
        apart = float(np.max([_apart(Path(place) / "tried", graphs, count) for count in (1, 2)]))
    if not apart <= AGREEMENT:  # NaN is no agreement
        raise MachineError(f"onnxruntime differs from torch by {apart:.1e}: nothing was written")
    write_bundle(directory, files)
    return apart


def _require_kind(model: WorldModel) -> None:
    if not isinstance(model.predictor, ResidualPredictor):
        raise UserError(
            "expected a world model with the residual predictor, got "
            f"{type(model.predictor).__name__}: only the former can be exported"
        )


def _apart(directory: Path, graphs: Mapping[str, Graph], episodes: int) -> float:
    """The largest difference on random inputs of so many ``episodes``; NaN if there is any."""
    exported, draw = OnnxModel(directory), torch.Generator().manual_seed(0)
    found = []
    for name, graph in graphs.items():
        inputs = {key: _random(value[:episodes], draw) for key, value in graph.inputs.items()}
        with torch.no_grad():
            expected = graph.module(*inputs.values())
        expected = expected if isinstance(expected, tuple) else (expected,)
        given = exported.run(name, **{key: value.numpy() for key, value in inputs.items()})
        for ours, theirs in zip(expected, given, strict=True):
            largest = max(1.0, float(ours.abs().max()))
            found.append(np.abs(ours.numpy() - theirs).max() / largest)
    return float(np.max(found))


def _random(like: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    if like.dtype == torch.uint8:
        return torch.randint(0, 256, like.shape, generator=draw, dtype=torch.uint8)
    return torch.rand(like.shape, generator=draw) * 2 - 1


def _card(spec: WorldSpec) -> str:
    height, width = spec.image_size
    program = "`python -m agent.export THIS_DIRECTORY --goal-seed 7`"
    seen = f"\nSee it steer the simulated world: {program}.\n" if can_be_posed(spec.world) else ""
    return f"""# Goal-image controller of {spec.world}, without torch

Needs numpy and onnxruntime. {spec.action_dim} numbers in [-1, 1] every {spec.step_s:g} s from
frames {height} px high and {width} wide (`{spec.look}`) and a goal picture of the same size.

    from agent import ExportedAgent

    agent = ExportedAgent.load("THIS_DIRECTORY", tick_ms=20.0)
    action = agent.act(camera_picture, goal_picture)  # once a tick

`agent.held` says why an action was zero: the picture is none the model knows, or the world did not
follow. `import agent` comes from `pip install --no-deps` of the same wheel.
{seen}"""
