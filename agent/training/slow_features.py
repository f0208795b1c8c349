"""Fitting the curved part of the goal metric: the theory's own objective once more, on embeddings.

Pairs of embeddings of one episode, a few lags apart, are brought together while their features stay
white (:func:`agent.training.warm_start.alignment`): what then moves least are the slowest
eigenfunctions of the world's own motion ("When Does LeJEPA Learn a World Model?", arXiv:2605.26379,
Sec. 3; Pfau et al. 2019, arXiv:1806.02215, for eigenfunctions by networks). No frame is embedded
again and no encoder moves: it takes seconds.

A plan is measured where the predictor says it leads, a little beside what an encoder gives; so
embeddings are shaken while features are fitted, and those that hang on what lies beside come last.
Without it a feature is only right on the embeddings themselves, and near a goal, where differences
are small, a controller follows its errors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from agent.model.chance import own_chance
from agent.model.metric import commuting_features
from agent.model.slow_features import SlowFeatures
from agent.training.adamw import AdamW
from agent.training.geometry import Rows
from agent.training.warm_start import alignment

STEPS, PAIRS, RATE = 1200, 512, 3e-3  # steps at most
LAGS = (2, 4, 8)  # model steps: short ones for what is near, long ones for the lie of the land
_UNSOLVABLE = (np.linalg.LinAlgError, torch.linalg.LinAlgError)  # type: ignore[attr-defined]
SPARE = 2  # times as many features are fitted as are kept: the slowest


def fit_slow_features(
    embeddings: Rows,
    hidden: int,
    width: int,
    rows_a_step: int,
    seed: int,
    noise: float,
    steps: int = STEPS,
) -> SlowFeatures | None:
    """``width`` features of ``hidden`` units from embeddings (T, D) of episodes.

    ``noise`` is the deviation of what each number of an embedding is shaken by. Scaled to a total
    variance of D, as the linear metric is. None where no episode is long enough, or nothing moves.
    """
    lags = [lag * rows_a_step for lag in LAGS]
    usable = [np.asarray(z, np.float32) for z in embeddings if len(z) > max(lags)]
    if not usable:
        return None
    with own_chance(seed):
        pairs = _Pairs(usable, np.random.default_rng(seed))
        try:
            return _fitted(pairs, lags, hidden, width, noise, steps)
        except _UNSOLVABLE:  # nothing moves
            return None


def _fitted(
    pairs: _Pairs, lags: Sequence[int], hidden: int, width: int, noise: float, steps: int
) -> SlowFeatures:
    def shaken(rows: Tensor) -> Tensor:
        return rows + noise * torch.randn_like(rows)

    latent_dim = pairs.rows.shape[1]
    features = SlowFeatures(latent_dim, hidden, SPARE * width)
    optimiser = AdamW(features.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for step in range(steps):
        drawn = pairs.draw(lags[step % len(lags)])
        loss = alignment(features(shaken(drawn)), alone=True).log()  # the first rank's work
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    episodes = torch.split(pairs.rows, pairs.lengths)
    for seen in ([shaken(z) for z in episodes], episodes):  # which are slow, then how slow they are
        with torch.no_grad():
            made = [features(z).numpy() for z in seen]
        kept = commuting_features(made, lags[0], width, latent_dim)
        features = features.combined(torch.from_numpy(kept).float())
    return features


class _Pairs:
    """Draws pairs (P, 2, D) of embeddings of one episode; ``rows`` (N, D) are all of them."""

    def __init__(self, episodes: Rows, rng: np.random.Generator) -> None:
        self._rng = rng
        self.rows = torch.from_numpy(np.concatenate(episodes))
        self.lengths = [len(one) for one in episodes]
        self._left = np.concatenate([np.arange(length)[::-1] for length in self.lengths])

    def draw(self, lag: int) -> Tensor:
        """Their first halves anywhere, the second ``lag`` rows later."""
        begins = np.flatnonzero(self._left >= lag)
        first = self._rng.choice(begins, PAIRS)
        return self.rows[torch.from_numpy(np.stack([first, first + lag], 1))]
