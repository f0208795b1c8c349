"""What is exported of a world model, as modules that torch can trace.

Shapes: see ``agent/interfaces.py``; M goal directions, P = H*K*A numbers of a plan. E and N stay
free, the horizon H becomes part of the graph.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from agent.export.onnx_model import EPISODES
from agent.model.folded_measure import FoldedMeasure
from agent.model.world_model import WorldModel

OPSET = 17  # the first with LayerNormalization as one operator


class Offsets(nn.Module):
    """How far from the goals plans come, in the goal metric, at every model step."""

    def __init__(self, model: WorldModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, embeddings: Tensor, past: Tensor, drift: Tensor, goals: Tensor, plans: Tensor
    ) -> Tensor:
        """(E, N, H, M) of plans (E, N, H, K*A)."""
        predicted = self.model.stepping().roll(embeddings, past, plans, drift)
        measure = FoldedMeasure(self.model)
        return measure(predicted) - measure(goals)[:, None, None]


class Slopes(nn.Module):
    """The same for one plan an episode, and the slope by its numbers."""

    def __init__(self, model: WorldModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, embeddings: Tensor, past: Tensor, drift: Tensor, goals: Tensor, plan: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(E, H, M) and (E, P, H, M) of plans (E, H, K*A)."""
        measure, step = FoldedMeasure(self.model), self.model.stepping()
        predicted = step.roll(embeddings, past, plan[:, None], drift)[:, 0]
        slopes = step.slopes(embeddings, past, plan, predicted)
        offsets = measure(predicted) - measure(goals)[:, None]
        return offsets, measure.slopes(predicted, slopes).transpose(1, 2)


@dataclass(frozen=True)
class Graph:
    """A module, example inputs by name, and which of their axes stay free."""

    module: nn.Module
    inputs: Mapping[str, Tensor]
    outputs: tuple[str, ...]
    free_axes: Mapping[str, Mapping[int, str]]

    def to_onnx(self) -> bytes:
        """The graph as a file's content."""
        with tempfile.TemporaryDirectory() as place, torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what tracing fixes (H, L, K*A) is meant to be fixed
            file = Path(place) / "graph.onnx"
            torch.onnx.export(
                self.module.eval(), tuple(self.inputs.values()), file, dynamo=False,
                input_names=list(self.inputs), output_names=list(self.outputs),
                dynamic_axes={name: dict(axes) for name, axes in self.free_axes.items()},
                opset_version=OPSET,
            )  # fmt: skip
            return file.read_bytes()


def graphs_of(model: WorldModel, horizon: int) -> dict[str, Graph]:
    """Every graph the controller needs, by name."""
    latent, width = model.latent_dim, model.action_width
    embeddings = torch.zeros(2, model.context, latent)
    blocks = torch.zeros(2, model.context, width)
    frames = torch.zeros(2, *model.spec.frame_shape, dtype=torch.uint8)
    situation = {
        "embeddings": embeddings,
        "past": blocks[:, 1:],
        "drift": torch.zeros(2, latent),
        "goals": torch.zeros(2, latent),
    }
    plans = torch.zeros(2, 3, horizon, width)
    return {
        "encode": _graph(model.encoder, {"frames": frames}, ("embeddings",)),
        "predict": _graph(
            model.predictor, {"embeddings": embeddings, "blocks": blocks}, ("following",)
        ),
        "offsets": _graph(Offsets(model), {**situation, "plans": plans}, ("offsets",)),
        "slopes": _graph(Slopes(model), {**situation, "plan": plans[:, 0]}, ("offsets", "slopes")),
    }


def _graph(module: nn.Module, inputs: Mapping[str, Tensor], outputs: tuple[str, ...]) -> Graph:
    free = {name: {0: EPISODES} for name in (*inputs, *outputs)}
    if "plans" in inputs:
        for name in ("plans", *outputs):
            free[name][1] = "candidates"
    return Graph(module, inputs, outputs, free)
