"""A world model in torch, as a controller knows it: the one place where numpy becomes torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agent.control.model import Situation
from agent.interfaces import FloatArray, Image
from agent.model.folded_encoder import encoding
from agent.model.folded_measure import FoldedMeasure
from agent.model.world_model import WorldModel
from envs import WorldSpec


class TorchModel:
    """``network`` in evaluation mode, on its device; see :class:`agent.control.model.Model`.

    Beyond the four methods that planning needs it has the action head and the plain measure.
    """

    def __init__(self, network: WorldModel) -> None:
        self.network = network.eval()
        self._encode = encoding(network.encoder)
        self._step = network.stepping()
        self._measure = FoldedMeasure(network)
        self._goals: tuple[Situation, Tensor] | None = None  # measured, of the last situation
        self.spec: WorldSpec = network.spec
        self.sight = network.sight
        self.context, self.action_block = network.context, network.config.action_block

    @torch.inference_mode()
    def encode(self, frames: Image) -> FloatArray:
        """Embeddings (E, D) of frames uint8 (E, h, w, 3)."""
        return _out(self._encode(self._in(np.ascontiguousarray(frames))))

    @torch.inference_mode()
    def predict(self, embeddings: FloatArray, blocks: FloatArray) -> FloatArray:
        """Next embeddings (E, D) from (E, L, D) and action blocks (E, L, K*A)."""
        return _out(self._step(self._in(embeddings), self._in(blocks)))

    @torch.inference_mode()
    def rollout(self, now: Situation, plans: FloatArray) -> FloatArray:
        """Offsets (E, N, H, M) from the goals after each step of plans (E, N, H, K*A)."""
        ahead = self._measure(self._ahead(now, plans))
        return _out(ahead - self._goals_of(now)[:, None, None])

    @torch.inference_mode()
    def imagine(self, now: Situation, plans: FloatArray) -> FloatArray:
        """Embeddings (E, N, H, D) it expects after each step of plans (E, N, H, K*A)."""
        return _out(self._ahead(now, plans))

    def _ahead(self, now: Situation, plans: FloatArray) -> Tensor:
        seen, past, drift = (self._in(x) for x in (now.embeddings, now.past, now.drift))
        return self._step.roll(seen, past, self._in(plans), drift)

    @torch.inference_mode(False)  # some predictors have slopes by differentiation alone
    @torch.no_grad()
    def linearise(self, now: Situation, plan: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Offsets (E, H, M) of one plan (E, H, K*A) each, and their slopes (E, P, H, M)."""
        ahead = self._ahead(now, plan[:, None])[:, 0]
        seen, past = self._in(now.embeddings), self._in(now.past)
        slopes = self._step.slopes(seen, past, self._in(plan), ahead)
        offsets = self._measure(ahead) - self._goals_of(now)[:, None]
        return _out(offsets), _out(self._measure.slopes(ahead, slopes).transpose(1, 2))

    @torch.inference_mode()
    def apart(self, embeddings: FloatArray, goals: FloatArray) -> FloatArray:
        """Offsets (E, M) between embeddings (E, D) in the goal metric."""
        return _out(self._measure(self._in(embeddings)) - self._measure(self._in(goals)))

    @torch.inference_mode()
    def propose(self, now: Situation) -> FloatArray:
        """The action block (E, K*A) of the action head, which the network must have."""
        assert self.network.head is not None, "a model without an action head proposes nothing"
        seen, past, goals = (self._in(x) for x in (now.embeddings, now.past, now.goals))
        return _out(self.network.head(seen, past, goals))

    def _goals_of(self, now: Situation) -> Tensor:
        """(E, M), as they are measured: a search asks for them several times."""
        if self._goals is None or self._goals[0] is not now:
            self._goals = now, self._measure(self._in(now.goals))
        return self._goals[1]

    def _in(self, values: NDArray[Any]) -> Tensor:
        writable = np.require(values, requirements="W")  # a picture read from a file may not be
        return torch.from_numpy(writable).to(self.network.goal_metric.device)


def _out(values: Tensor) -> FloatArray:
    return values.cpu().numpy()
