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
from agent.model.folded_encoder import encoding
from agent.model.folded_measure import FoldedMeasure
from agent.model.world_model import WorldModel

OPSET = 17  # the first with LayerNormalization as one operator


class Embeddings(nn.Module):
    """Of pictures."""

    def __init__(self, model: WorldModel) -> None:
        super().__init__()
        self.encode = encoding(model.encoder)

    def forward(self, frames: Tensor) -> Tensor:
        """(E, D) of frames uint8 (E, h, w, 3)."""
        return self.encode(frames)


class Offsets(nn.Module):
    """How far from the goals plans come, in the goal metric, at every model step, and where."""

    def __init__(self, model: WorldModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, embeddings: Tensor, past: Tensor, drift: Tensor, goals: Tensor, plans: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(E, N, H, M) and (E, N, H, D) of plans (E, N, H, K*A)."""
        predicted = self.model.stepping().roll(embeddings, past, plans, drift)
        measure = FoldedMeasure(self.model)
        return measure(predicted) - measure(goals)[:, None, None], predicted


class Slopes(nn.Module):
    """Of the offsets of one plan an episode by its numbers, where what it leads to is known.

    (That is asked of :class:`Offsets`, whose weights then lie in the cache for the trials.)
    """

    def __init__(self, model: WorldModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, embeddings: Tensor, past: Tensor, plan: Tensor, predicted: Tensor) -> Tensor:
        """(E, P, H, M) of plans (E, H, K*A) that lead to embeddings (E, H, D)."""
        slopes = self.model.stepping().slopes(embeddings, past, plan, predicted)
        return FoldedMeasure(self.model).slopes(predicted, slopes).transpose(1, 2)


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
    plans, ahead = torch.zeros(2, 3, horizon, width), torch.zeros(2, horizon, latent)
    known = {"embeddings": embeddings, "past": blocks[:, 1:]}
    situation = {**known, "drift": torch.zeros(2, latent), "goals": torch.zeros(2, latent)}
    along = {**known, "plan": plans[:, 0], "predicted": ahead}
    return {
        "encode": _graph(Embeddings(model), {"frames": frames}, ("embeddings",)),
        "predict": _graph(
            model.predictor, {"embeddings": embeddings, "blocks": blocks}, ("following",)
        ),
        "offsets": _graph(Offsets(model), {**situation, "plans": plans}, ("offsets", "predicted")),
        "slopes": _graph(Slopes(model), along, ("slopes",)),
    }


def _graph(module: nn.Module, inputs: Mapping[str, Tensor], outputs: tuple[str, ...]) -> Graph:
    free = {name: {0: EPISODES} for name in (*inputs, *outputs)}
    if "plans" in inputs:
        for name in ("plans", *outputs):
            free[name][1] = "candidates"
    return Graph(module, inputs, outputs, free)
