"""Writes an exported controller and proves that it computes what torch does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.control.mpc import MPCConfig
from agent.deploy.graphs import Graphs, file_name, require_onnxruntime
from agent.deploy.settings import SCHEMA, DeploySettings
from agent.errors import MachineError, UserError
from agent.export.graphs import Graph, graphs_of
from agent.model.bundle import write_bundle
from agent.model.predictor import ResidualPredictor
from agent.model.world_model import WorldModel
from planners import GaussNewtonConfig

AGREEMENT = 1e-4  # of float32 sums taken in another order, relative to the largest output


def export_controller(
    model: WorldModel,
    directory: Path,
    facts: Mapping[str, Any],
    control: MPCConfig | None = None,
    planner: GaussNewtonConfig | None = None,
) -> float:
    """Write the controller that ``model``, ``control`` and ``planner`` make to ``directory``.

    Returns the largest difference between a graph's output and torch's on random inputs, relative
    to the largest output. ``facts`` (JSON values) say where the model came from.

    Raises:
        UserError: if the model is of a kind that cannot be exported, or something else lies there.
        MachineError: if onnx or onnxruntime are missing, or disagree with torch.
    """
    _require_kind(model, control or MPCConfig())
    _require_tools()
    settings = settings_of(model, control or MPCConfig(), planner or GaussNewtonConfig())
    graphs = graphs_of(model, settings.horizon)
    files = {file_name(name): graph.to_onnx() for name, graph in graphs.items()}
    config = {"schema": SCHEMA, "settings": settings.to_json(), "facts": dict(facts)}
    files["config.json"] = json.dumps(config, indent=2).encode()
    files["README.md"] = _card(settings).encode()
    write_bundle(directory, files)
    return _require_agreement(directory, graphs)


def settings_of(
    model: WorldModel, control: MPCConfig, planner: GaussNewtonConfig
) -> DeploySettings:
    """All numbers of a controller in one place."""
    world = model.config
    return DeploySettings(
        image_size=world.encoder.image_size,
        latent_dim=model.latent_dim,
        context=model.context,
        torque_dim=world.torque_dim,
        action_block=world.action_block,
        action_repeat=world.action_repeat,
        physics_dt_s=world.physics_dt_s,
        render_profile=world.render_profile,
        goal_directions=model.goal_metric.shape[1],
        horizon=control.horizon,
        drift_gain=control.drift_gain,
        surprise_limit=control.surprise_limit,
        effort=control.cost.effort,
        change=control.cost.change,
        iterations=planner.iterations,
        dampings=planner.dampings,
        random_starts=planner.random_starts,
        start_correlation=planner.start_correlation,
    )


def _require_kind(model: WorldModel, control: MPCConfig) -> None:
    if not isinstance(model.predictor, ResidualPredictor):
        raise UserError(
            "expected a world model with the residual predictor, got "
            f"{type(model.predictor).__name__}: only the former can be exported"
        )
    cost = control.cost
    if control.delay_ticks or cost.speed or cost.shape != "summed":
        raise UserError(
            "expected a controller with delay_ticks=0, speed=0 and shape='summed', got "
            f"{control.delay_ticks}, {cost.speed} and {cost.shape!r}: the rest is not exported"
        )


def _require_tools() -> None:
    require_onnxruntime()
    try:
        import onnx  # noqa: F401  torch.onnx.export imports it at its end
    except ImportError as error:
        raise MachineError(
            "onnx is not installed: python -m pip install 'lejepa-agent[export]'"
        ) from error


def _require_agreement(directory: Path, graphs: Mapping[str, Graph]) -> float:
    exported, draw = Graphs(directory), torch.Generator().manual_seed(0)
    worst = 0.0
    for name, graph in graphs.items():
        inputs = {key: _random(value, draw) for key, value in graph.inputs.items()}
        with torch.no_grad():
            expected = graph.module(*inputs.values())
        expected = expected if isinstance(expected, tuple) else (expected,)
        found = exported.run(name, **{key: value.numpy() for key, value in inputs.items()})
        for ours, theirs in zip(expected, found, strict=True):
            difference = np.abs(ours.numpy() - theirs).max() / max(1.0, float(ours.abs().max()))
            worst = max(worst, float(difference))
    if not worst <= AGREEMENT:  # NaN is no agreement
        raise MachineError(f"onnxruntime differs from torch by {worst:.1e}: do not use {directory}")
    return worst


def _random(like: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    if like.dtype == torch.uint8:
        return torch.randint(0, 256, like.shape, generator=draw, dtype=torch.uint8)
    return torch.rand(like.shape, generator=draw) * 2 - 1


def _card(settings: DeploySettings) -> str:
    return f"""# Goal-image controller of Reacher, without torch

Needs numpy and onnxruntime. One torque pair every {settings.control_dt_s:.2f} s from frames of
{settings.image_size} px (`{settings.render_profile}`) and a goal picture of the same size.

    from agent.deploy.controller import OnnxController

    controller = OnnxController(directory)
    controller.reset([observation], seeds=[0])
    torques = controller.act([observation])

See it steer the simulated arm: `python -m agent.deploy THIS_DIRECTORY --goal-seed 7`.
"""
