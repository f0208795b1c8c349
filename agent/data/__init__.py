"""Rollouts: made by worker processes or recorded elsewhere, kept in checked shards, served as
random windows.
"""

from agent.data.collect import collect
from agent.data.episodes import Episodes
from agent.data.header import DatasetHeader
from agent.data.inspection import inspect_dataset, verify_dataset
from agent.data.store import RolloutStore
from agent.data.windows import WindowSampler
from agent.data.worker import CollectConfig, episode_rng
from agent.data.writer import RolloutWriter

__all__ = [
    "CollectConfig",
    "DatasetHeader",
    "Episodes",
    "RolloutStore",
    "RolloutWriter",
    "WindowSampler",
    "collect",
    "episode_rng",
    "inspect_dataset",
    "verify_dataset",
]
