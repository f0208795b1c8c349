"""What a controller needs of a world model, in numpy: torch and exported graphs both serve it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from agent.interfaces import FloatArray, Image
from agent.model.sight import Sight
from envs import WorldSpec


@dataclass(frozen=True)
class Situation:
    """What is known at one control tick, of E episodes.

    ``embeddings`` (E, L, D), the last one now; ``past`` (E, L-1, K*A), action blocks between them;
    ``goals`` (E, D); ``drift`` (E, D), added to every prediction; ``pending`` (E, d, A), actions
    already sent that act first, whatever is planned; ``reach`` (E,), predicted steps that are to be
    trusted.
    """

    embeddings: FloatArray
    past: FloatArray
    goals: FloatArray
    drift: FloatArray
    pending: FloatArray
    reach: FloatArray


class Encodes(Protocol):
    """What knows a world's frames in an embedding of D numbers, float32."""

    @property
    def spec(self) -> WorldSpec:
        """The world it knows."""

    def encode(self, frames: Image) -> FloatArray:
        """Embeddings (E, D) of frames uint8 (E, h, w, 3)."""


class Model(Encodes, Protocol):
    """A world model that has learned; float32 throughout.

    L embeddings of D numbers are its context, K ticks pass in one of its steps, and M is the width
    of the goal metric.
    """

    @property
    def sight(self) -> Sight | None:
        """What its pictures look like, if that was learned."""

    @property
    def context(self) -> int:
        """L."""

    @property
    def action_block(self) -> int:
        """K."""

    def predict(self, embeddings: FloatArray, blocks: FloatArray) -> FloatArray:
        """Next embeddings (E, D) from (E, L, D) and action blocks (E, L, K*A)."""

    def rollout(self, now: Situation, plans: FloatArray) -> FloatArray:
        """Offsets (E, N, H, M) from the goals, in the goal metric, after each step of plans
        (E, N, H, K*A).
        """

    def linearise(self, now: Situation, plan: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The same (E, H, M) of one plan (E, H, K*A) each, and its slopes (E, P, H, M) by each of
        the plan's P = H*K*A numbers.
        """
