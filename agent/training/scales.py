"""From what training data a model takes the scales of its inputs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from agent.data.episodes import Episodes, Rows

_EPISODES, _FRAMES = 64, 4096


def some_frames(episodes: Episodes, ids: Rows) -> Tensor:
    """Frames uint8 (at most 2 * 4096, h, w, 3), evenly from about 64 of the episodes ``ids``."""
    rows = episodes.row_numbers(ids[:: max(1, len(ids) // _EPISODES)])
    return torch.from_numpy(episodes.pixels[rows[:: max(1, len(rows) // _FRAMES)]])


def actions_of(episodes: Episodes, ids: Rows) -> Tensor:
    """All actions (N, A) of the episodes ``ids``; nothing acts at an episode's end."""
    spans = [episodes.rows(episode) for episode in ids.tolist()]
    return torch.from_numpy(np.concatenate([episodes.action[span][:-1] for span in spans]))
