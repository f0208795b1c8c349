"""Teaches the goal head inside the world model's imagination.

The head acts for H steps of the model, and what it is taught with is the slope of the controller's
own cost through those steps: the planner's behaviour distilled into a network, without a single
plan being searched (analytic policy gradient; Heess et al. 2015, arXiv:1510.09142, Sec. 4, and
Hafner et al. 2020, arXiv:1912.01603, Sec. 3). Only recorded frames and actions go in.

Half of every batch goes on from where the last one ended, mostly near its goals: so that the head
learns to stay, and not only to come.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agent.data.episodes import Episodes
from agent.model.checkpoint import checkpoint_facts, load_checkpoint, save_checkpoint
from agent.model.world_model import WorldModel
from agent.training.adamw import AdamW
from agent.training.diagnostics import embed_episodes
from agent.training.settings import HeadTraining, TrainingConfig

_NEAR = 0.01  # squared distances below this count as arrived
_NEW_GOAL = 0.3  # share of the continued episodes that get another goal
_TAUGHT_EPISODES = 200
_WARMUP_STEPS = 50

Report = Callable[[int, int], None]
"""Called with the steps done and their total."""


@dataclass(frozen=True)
class Moments:
    """Moments of recorded rollouts: ``embeddings`` (M, L, D), ``blocks`` (M, L-1, K*A), and the
    episode (M,) each is of."""

    embeddings: Tensor
    blocks: Tensor
    episode: Tensor

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Contexts (count, L, D), blocks (count, L-1, K*A) and the goals (count, D) for them."""
        total = len(self.embeddings)
        at = torch.randint(total, (count,), generator=generator)
        anywhere = torch.randint(total, (count,), generator=generator)
        soon = (at + torch.randint(1, 40, (count,), generator=generator)).clamp_max(total - 1)
        is_soon = (torch.rand(count, generator=generator) < 0.5) & (
            self.episode[soon] == self.episode[at]
        )
        goal = torch.where(is_soon, soon, anywhere)
        return self.embeddings[at], self.blocks[at], self.embeddings[goal, -1]


def moments(
    model: WorldModel,
    episodes: Episodes,
    ids: Sequence[int] | NDArray[np.int64],
    embedded: Sequence[np.ndarray],
) -> Moments:
    """Every moment of the episodes ``ids``, whose frames have the embeddings ``embedded``."""
    block, length = model.config.action_block, (model.context - 1) * model.config.action_block
    contexts, sent, owners = [], [], []
    for number, (episode, seen) in enumerate(zip(ids, embedded, strict=True)):
        actions = torch.from_numpy(episodes.action[episodes.rows(int(episode))]).float()
        frames = torch.from_numpy(np.asarray(seen)).float()
        count = len(frames) - length
        if count < 1:
            continue
        contexts.append(
            torch.stack([frames[k : k + count] for k in range(0, length + 1, block)], 1)
        )
        starts = torch.arange(count)[:, None] + torch.arange(length)
        ticks = actions[starts]  # (M, L'K, A)
        sent.append(ticks.reshape(count, model.context - 1, model.action_width))
        owners.append(torch.full((count,), number))
    return Moments(torch.cat(contexts), torch.cat(sent), torch.cat(owners))


def train_head(
    model: WorldModel,
    recorded: Moments,
    settings: HeadTraining,
    seed: int,
    report: Report = lambda done, total: None,
) -> float:
    """Train ``model.head`` in place, nothing else of the model; the mean loss of the last steps.

    ``settings.steps`` of at least 1.
    """
    assert model.head is not None, "a model without a head has none to train"
    generator = torch.Generator().manual_seed(seed)
    parameters = list(model.head.parameters())
    optimiser = AdamW(parameters, settings.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, partial(_rate, total=settings.steps))
    model.requires_grad_(False)
    model.head.requires_grad_(True)
    carried: tuple[Tensor, Tensor, Tensor] | None = None
    losses = []
    for step in range(settings.steps):
        start = _starts(recorded, carried, settings.batch, generator)
        loss, carried = _imagine(model, *start, settings)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
        report(step + 1, settings.steps)
    model.requires_grad_(True)
    return float(np.mean(losses[-50:]))


def _rate(step: int, total: int) -> float:
    """Rises for a while, then falls along a cosine: begun at full rate the actions saturate."""
    return min(1.0, (step + 1) / _WARMUP_STEPS) * 0.5 * (1 + math.cos(math.pi * step / total))


def _starts(
    recorded: Moments,
    carried: tuple[Tensor, Tensor, Tensor] | None,
    batch: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor, Tensor]:
    """Half from the recordings, half where the last imagination ended."""
    if carried is None:
        return recorded.draw(batch, generator)
    half = batch // 2
    fresh = recorded.draw(batch - half, generator)
    seen, blocks, goals = (value[-half:] for value in carried)
    other = recorded.draw(half, generator)[2]
    change = torch.rand(half, 1, generator=generator) < _NEW_GOAL
    goals = torch.where(change, other, goals)
    joined = zip(fresh, (seen, blocks, goals), strict=True)
    first, second, third = (torch.cat(pair) for pair in joined)
    return first, second, third


def _imagine(
    model: WorldModel, seen: Tensor, blocks: Tensor, goals: Tensor, settings: HeadTraining
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """The loss of one batch, and where it ended."""
    assert model.head is not None
    action_dim, loss = model.spec.action_dim, seen.new_zeros(())
    for _ in range(settings.horizon):
        actions = model.head(seen, blocks, goals)
        blocks = torch.cat([blocks, actions[:, None]], 1)
        following = model.predictor(seen, blocks)
        seen = torch.cat([seen[:, 1:], following[:, None]], 1)
        distance = (model.measured(following) - model.measured(goals)).square().sum(-1)
        ticks = blocks.reshape(len(blocks), -1, action_dim)
        ticks = ticks[:, -model.config.action_block - 1 :]
        changes = (ticks[:, 1:] - ticks[:, :-1]).square().sum(-1).mean()
        # The logarithm makes the last millimetre count as much as the first half turn.
        loss = loss + (distance + _NEAR).log().mean()
        loss = loss + settings.effort * actions.square().mean() + settings.change * changes
        blocks = blocks[:, 1:]
    carried = seen.detach(), blocks.detach(), goals
    return loss / settings.horizon, carried


def teach_head(
    directory: Path,
    episodes: Episodes,
    ids: NDArray[np.int64],
    training: TrainingConfig,
    settings: HeadTraining,
    report: Report,
) -> None:
    """Teach the head of the checkpoint in ``directory``, on some of the training episodes ``ids``.

    A head that was taught before or shall not be, and a model without one, are left as they are.
    """
    model, facts = load_checkpoint(directory), checkpoint_facts(directory)
    if model.head is None or "head" in facts or settings.steps < 1:
        return
    began_s = time.monotonic()
    torch.set_num_threads(training.threads)
    chosen = ids[:: max(1, len(ids) // _TAUGHT_EPISODES)]
    recorded = moments(model, episodes, chosen, embed_episodes(model, episodes, chosen))
    loss = train_head(model, recorded, settings, training.seed, report)
    about: dict[str, Any] = {
        "steps": settings.steps, "loss": loss, "seconds": round(time.monotonic() - began_s, 1),
    }  # fmt: skip
    save_checkpoint(directory, model.eval(), {**facts, "head": about})
