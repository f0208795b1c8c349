"""Training a cloned policy on recorded rollouts, with goals in hindsight.

Every sample is a moment of an episode, the action sent there, and as its goal a later frame of the
same episode. Step s always draws the same samples, so the same seed gives the same weights.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from agent.data.episodes import Episodes, Rows
from agent.data.store import RolloutStore
from agent.errors import UserError
from agent.files.bundle import CHECKPOINT
from agent.files.folders import RUN, require_no_run, writing_into
from agent.machine.memory import peak_memory_mb
from agent.model.chance import own_chance
from agent.rivals.cloning import CLONES, GOAL_TICKS, CloneConfig, CloneNetwork, Frames
from agent.settings import require_seed
from envs import WorldSpec

_STATISTICS_FRAMES = 4096


@dataclass(frozen=True)
class CloningSettings:
    """How a policy is cloned; the data's last ``holdout_fraction`` is only looked at."""

    steps: int = 4000
    batch: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warmup_steps: int = 100
    holdout_fraction: float = 0.1
    report_every: int = 50
    held_out_samples: int = 512
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "report_every", "held_out_samples", "threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)}")
        if not self.learning_rate > 0:
            raise ValueError(f"expected learning_rate > 0, got {self.learning_rate}")
        require_seed(self.seed)


@dataclass(frozen=True)
class CloningStatistics:
    """Mean squared action errors: ``loss`` over the last steps, ``held_out`` on other episodes.

    ``chance`` is that of always sending the mean action, on the held-out samples; ``kept_step`` is
    the report so far whose held-out error is the least, which is the one that is kept.
    """

    step: int
    total_steps: int
    loss: float
    held_out: float
    chance: float
    seconds: float
    kept_step: int


class HindsightSampler:
    """Moments of some episodes with goals 1 to ``goal_ticks`` env steps ahead, as far as there are.

    Raises:
        UserError: if no episode holds an action.
    """

    def __init__(
        self, episodes: Episodes, ids: Sequence[int] | Rows, goal_ticks: int, stride: int, seed: int
    ) -> None:
        given = np.asarray(ids, dtype=np.int64)
        self._ids = given[episodes.ep_len[given] >= 2]  # a shorter one holds no action
        if not len(self._ids):
            raise UserError("expected episodes of at least 2 frames to clone from, got none")
        self._episodes, self._goal_ticks = episodes, goal_ticks
        self._stride, self._seed = stride, seed

    def rows(self, step: int, count: int) -> tuple[Rows, Rows, Rows]:
        """Rows (count,) of before, now and goal at training step ``step``, always the same."""
        rng = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(step,)))
        chosen = self._ids[rng.integers(len(self._ids), size=count)]
        first, length = self._episodes.ep_offset[chosen], self._episodes.ep_len[chosen]
        now = rng.integers(length - 1)
        ahead = rng.integers(1, np.minimum(self._goal_ticks, length - 1 - now), endpoint=True)
        before = np.maximum(now - self._stride, 0)  # an episode begins at rest
        return first + before, first + now, first + now + ahead

    def sample(self, step: int, count: int) -> tuple[Frames, Tensor]:
        """Frames (count, h, w, 3) and the actions (count, A) sent at ``now``."""
        rows = self.rows(step, count)
        frames = Frames(*(torch.from_numpy(self._episodes.pixels[which]) for which in rows))
        return frames, torch.from_numpy(self._episodes.action[rows[1]])


def train_clone(
    data: Path, out: Path, algorithm: str = "clone", settings: CloningSettings | None = None
) -> Generator[CloningStatistics, None, None]:
    """Clone the behaviour in ``data``, telling how far it is.

    ``out/checkpoint`` always holds the best so far on held-out episodes: actions recorded at random
    are mostly noise, which a network that learns for long knows by heart. At the end it says what
    the whole training took, not only the way to the best.

    Raises:
        UserError: if there is no data, ``algorithm`` is unknown, or ``out`` holds a training or
            another process writes there.
        DamagedDataError: on damaged data.
    """
    require_no_run(out, "remove it")
    settings = settings or CloningSettings()
    store = RolloutStore.open(data)
    store.say_if_unfinished()
    try:
        config = CloneConfig(algorithm=algorithm)
    except ValueError as error:
        raise UserError(str(error)) from error
    return _train(store, out, config, settings)


def _train(
    store: RolloutStore, out: Path, config: CloneConfig, settings: CloningSettings
) -> Generator[CloningStatistics, None, None]:
    with writing_into(out, RUN):
        require_no_run(out, "remove it")
        torch.set_num_threads(settings.threads)
        episodes, (train_ids, held_out_ids) = store.load(), store.split(settings.holdout_fraction)
        facts: dict[str, Any] = {"data": store.facts(), "settings": asdict(settings)}
        facts["env_steps"] = int((episodes.ep_len[train_ids] - 1).sum())
        network = make_network(config, store.header.spec, episodes, train_ids, settings.seed)
        best = copy.deepcopy(network)
        for report in fit(network, episodes, train_ids, held_out_ids, settings):
            is_best, is_last = report.step == report.kept_step, report.step == report.total_steps
            if is_best:
                best.load_state_dict(network.state_dict())
                facts |= {"step": report.step, "held_out_error": report.held_out}
            if is_best or is_last:
                facts |= {"trained_steps": report.step, "training_s": round(report.seconds, 1)}
                facts |= {"peak_memory_mb": peak_memory_mb(), "chance_error": report.chance}
                CLONES.save(out / CHECKPOINT, best, facts)
            yield report


def make_network(
    config: CloneConfig, spec: WorldSpec, episodes: Episodes, train_ids: Rows, seed: int
) -> CloneNetwork:
    """Untrained, with the pixel statistics of some training frames."""
    with own_chance(seed):
        network = CloneNetwork(config, spec)
    rows = episodes.row_numbers(train_ids)
    step = max(1, len(rows) // _STATISTICS_FRAMES)
    network.encoder.set_pixel_statistics(torch.from_numpy(episodes.pixels[rows[::step]]))
    return network


def fit(
    network: CloneNetwork,
    episodes: Episodes,
    train_ids: Rows,
    held_out_ids: Rows,
    settings: CloningSettings,
) -> Generator[CloningStatistics, None, None]:
    """Train ``network`` in place; a report every few steps, and it is in evaluation mode then."""
    reach, stride = GOAL_TICKS[network.config.algorithm], network.config.stride
    sampler = HindsightSampler(episodes, train_ids, reach, stride, settings.seed)
    other = HindsightSampler(episodes, held_out_ids, reach, stride, settings.seed)
    unseen, sent = other.sample(0, settings.held_out_samples)
    chance = float((sent - sent.mean(0)).square().mean())
    optimiser = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    losses: list[float] = []
    best, start_s = (math.inf, 0), time.monotonic()
    for step in range(settings.steps):
        optimiser.param_groups[0]["lr"] = settings.learning_rate * _rate(step, settings)
        losses.append(_descend(network, optimiser, *sampler.sample(step, settings.batch)))
        if (step + 1) % settings.report_every == 0 or step + 1 == settings.steps:
            held_out = action_error(network, unseen, sent)
            best = min(best, (held_out, step + 1))
            yield CloningStatistics(
                step + 1, settings.steps, float(np.mean(losses)), held_out, chance,
                time.monotonic() - start_s, best[1],
            )  # fmt: skip
            losses = []


def action_error(network: CloneNetwork, frames: Frames, actions: Tensor) -> float:
    """Mean squared error on a sample; leaves the network in evaluation mode."""
    network.eval()
    with torch.no_grad():
        return float(F.mse_loss(network(frames), actions))


def _descend(
    network: CloneNetwork, optimiser: torch.optim.Optimizer, frames: Frames, actions: Tensor
) -> float:
    network.train()
    loss = F.mse_loss(network(frames), actions)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return float(loss.detach())


def _rate(step: int, settings: CloningSettings) -> float:
    """Linear warm-up, then half a cosine down to zero."""
    warmup = min(settings.warmup_steps, settings.steps)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, settings.steps - warmup)))
