"""A model on recordings without a world: does it predict, tell futures apart, and plan?

All on held-out episodes. *Open-loop error*: mean squared error of the embeddings predicted h model
steps ahead, over their variance (1 = no better than always guessing the mean). *Rank*: the
predicted embedding, H steps ahead, is held against the true future frame among others, by the goal
metric; the share of cases in which the true one is nearest, and the mean reciprocal rank.
*Actions*: the controller plans towards the frame H model steps on; how far its first action is from
the recorded one, over the same for no action and for one drawn from the recordings. It tells of
recordings that went straight to where they went: a plan goes there faster than what aims at
nothing, and recordings of nearly constant actions flatter any model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.control.mpc import MPCConfig, WorldModelController
from agent.control.torch_model import TorchModel
from agent.data.episodes import Episodes, Rows
from agent.data.store import HOLDOUT_FRACTION, RolloutStore
from agent.errors import UserError
from agent.interfaces import Array, Goals, Seen
from agent.model.world_model import WorldModel

HORIZON_STEPS = 8  # model steps ahead
CASES, RIVALS = 200, 63
ENOUGH = 64
_LOOKS, _PARTS = 512, 8  # frames of all recordings, at most, that say how far embeddings differ


@dataclass(frozen=True)
class Offline:
    """What was found; ``open_loop_error`` (H,), rates in [0, 1].

    ``still_error`` (H,) is that of foreseeing that nothing moves. Ranks are of ``cases``
    predictions, each among ``futures``. Shares of an action's error are None where the other one
    is always what was recorded.
    """

    open_loop_error: tuple[float, ...]
    still_error: tuple[float, ...]
    true_future_first: float
    mean_reciprocal_rank: float
    action_error_share: float | None
    action_error_share_of_random: float | None
    cases: int
    futures: int

    def facts(self) -> dict[str, str]:
        """For people."""
        last = len(self.open_loop_error)
        errors = {
            f"open-loop error, {steps} step{'' if steps == 1 else 's'}": (
                f"{self.open_loop_error[steps - 1]:.3g} of the variance "
                f"({self.still_error[steps - 1]:.3g} if nothing moved)"
            )
            for steps in (1, last)
        }
        return {
            **errors,
            f"true future nearest, of {self.futures}": (
                f"{100 * self.true_future_first:.1f} % (by chance {100 / self.futures:.1f})"
            ),
            "mean reciprocal rank": f"{self.mean_reciprocal_rank:.3f}",
            "planned against recorded action": self._of_actions(),
            "cases": str(self.cases),
        }

    def _of_actions(self) -> str:
        if self.action_error_share_of_random is None:
            return "nothing to compare: the recorded actions never vary"
        idle = self.action_error_share
        said = "" if idle is None else f"{idle:.2f} of no action's, "
        return (
            f"{said}{self.action_error_share_of_random:.2f} of a random recorded one's (below 1 "
            "where recordings went straight to a goal; of aimless ones it tells nothing)"
        )

    def to_json(self) -> dict[str, Any]:
        """Ready for a file."""
        return {"schema": "lejepa-agent/offline/1", **vars(self)}


def evaluate_offline(
    model: WorldModel, data: Path, seed: int = 0, holdout_fraction: float = HOLDOUT_FRACTION
) -> Offline:
    """Measure ``model`` on the held-out episodes of ``data``, the share that its training held out.

    UserError if they are of another world, or none of them is long enough.
    """
    store = RolloutStore.open(data)
    model.spec.require_same(store.header.spec, f"the recordings in {data}")
    held_out = store.split(holdout_fraction, model.config.memory_frames)[1]
    episodes = store.load()
    rng = np.random.default_rng(seed)
    horizon = _horizon(model, episodes, held_out)
    rows = _starts(model, episodes, held_out.tolist(), horizon, rng)
    now, predicted, actual = _ahead(model, episodes, rows, horizon)
    usual = max(_variance(model, episodes), 1e-12)
    errors, still = (np.square(z - actual).mean((0, 2)) / usual for z in (predicted, now))
    rivals = min(RIVALS, len(rows) - 1)
    ranks = _ranks(model, predicted[:, -1], actual[:, -1], rivals, rng)
    return Offline(
        tuple(errors.tolist()),
        tuple(still.tolist()),
        float((ranks == 0).mean()),
        float((1.0 / (1 + ranks)).mean()),
        *_action_errors(model, episodes, rows, horizon, rng),
        cases=len(rows),
        futures=rivals + 1,
    )


@torch.no_grad()
def _variance(model: WorldModel, episodes: Episodes) -> float:
    """Of embeddings, a number of them on average, over all the recordings: a few that are held out
    may hardly move."""
    rows = np.unique(np.linspace(0, len(episodes.action) - 1, _LOOKS).astype(np.int64))
    parts = [torch.from_numpy(episodes.pixels[some]) for some in np.array_split(rows, _PARTS)]
    return float(torch.cat([model.encode(one) for one in parts if len(one)]).var(0).mean())


def _horizon(model: WorldModel, episodes: Episodes, ids: Rows) -> int:
    """Model steps ahead: fewer than usual where episodes are so short that few cases were left.

    ``ENOUGH`` are never too few, nor half of those that there are a step ahead.
    """
    spans = (model.context - 1 + np.arange(1, HORIZON_STEPS + 1)) * model.config.action_block
    cases = np.maximum(episodes.ep_len[ids] - spans[:, None], 0).sum(1)
    enough = max(1, min(ENOUGH, cases[0] / 2))
    return 1 + int(np.flatnonzero(cases >= enough).max(initial=0))


def _starts(
    model: WorldModel, episodes: Episodes, ids: list[int], horizon: int, rng: np.random.Generator
) -> Rows:
    """Rows of first frames, so that the context and H more model steps fit in the episode."""
    span = (model.context - 1 + horizon) * model.config.action_block
    fitting = [np.arange(episodes.rows(i).start, episodes.rows(i).stop - span) for i in ids]
    rows = np.concatenate([np.empty(0, np.int64), *fitting])
    if len(rows) < 2:
        raise UserError(
            f"expected held-out episodes of more than {span} env steps to evaluate on, got none "
            f"(the longest has {int(episodes.ep_len[ids].max()) - 1}): record longer episodes last"
        )
    return rng.permutation(rows)[:CASES]


@torch.no_grad()
def _ahead(
    model: WorldModel, episodes: Episodes, rows: Rows, horizon: int
) -> tuple[Array, Array, Array]:
    """Embeddings now (C, 1, D), predicted and true ones (C, H, D)."""
    block, context = model.config.action_block, model.context
    steps = np.arange(context + horizon) * block
    frames = [torch.from_numpy(episodes.pixels[row + steps]) for row in rows]
    embedded = torch.stack([model.encode(one) for one in frames])
    sent = episodes.action[rows[:, None] + np.arange(steps[-1])]
    blocks = torch.from_numpy(sent.reshape(len(rows), len(steps) - 1, -1))  # (C, L-1+H, K*A)
    found = model.ahead(embedded[:, :context], blocks)
    parts = embedded[:, context - 1 : context], found, embedded[:, context:]
    now, predicted, actual = (part.double().numpy() for part in parts)
    return now, predicted, actual


def _ranks(
    model: WorldModel, predicted: Array, actual: Array, rivals: int, rng: np.random.Generator
) -> Array:
    """How many of ``rivals`` other futures, drawn for each, lie nearer to a prediction (C, D).

    As near counts a half: what tells nothing apart is in the middle, and not first.
    """
    count = len(predicted)
    predicted, actual = (_measured(model, z) for z in (predicted, actual))
    others = np.stack([rng.choice(count - 1, rivals, replace=False) for _ in range(count)])
    others += others >= np.arange(count)[:, None]  # skips the true one
    far = np.linalg.norm(predicted[:, None] - actual[others], axis=-1)
    true = np.linalg.norm(predicted - actual, axis=-1)
    nearer: Array = (far < true[:, None]).sum(1) + 0.5 * (far == true[:, None]).sum(1)
    return nearer


def _measured(model: WorldModel, embeddings: Array) -> Array:
    with torch.no_grad():
        return model.measured(torch.from_numpy(embeddings).float()).double().numpy()


def _action_errors(
    model: WorldModel, episodes: Episodes, rows: Rows, horizon: int, rng: np.random.Generator
) -> tuple[float | None, float | None]:
    """Mean absolute difference of planned and recorded first actions, over that of others.

    Over that of no action, and of actions that were recorded elsewhere.
    """
    past = (model.context - 1) * model.config.action_block
    ahead = past + horizon * model.config.action_block
    acting = MPCConfig(guarded=False)  # a plan is asked for, whatever the pictures look like
    controller = WorldModelController(TorchModel(model), config=acting)
    controller.reset(Goals(pixels=episodes.pixels[rows + ahead]), list(range(len(rows))))
    for tick in range(past + 1):
        decision = controller.act(Seen(pixels=episodes.pixels[rows + tick]))
        if tick < past:
            controller.recall(episodes.action[rows + tick])
    recorded = episodes.action[rows + past]
    planned = np.abs(decision.actions - recorded).mean()
    sent = episodes.action[np.isfinite(episodes.action).all(1)]  # nothing acts at an end
    others = (np.zeros_like(recorded), sent[rng.integers(len(sent), size=len(recorded))])
    away = [float(np.abs(other - recorded).mean()) for other in others]
    idle, random = (float(planned / far) if far else None for far in away)
    return idle, random
