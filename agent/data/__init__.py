"""Rollouts: made by worker processes, kept in checked shards, served as random windows."""

from agent.data.behaviours import (
    BEHAVIOURS,
    Behaviour,
    RollOut,
    behaviour_named,
    episode_rng,
    roll_out,
)
from agent.data.collect import CollectConfig, collect
from agent.data.episodes import Episodes, ShardPixels
from agent.data.header import SCHEMA, DatasetHeader
from agent.data.inspection import inspect_dataset, verify_dataset
from agent.data.preview import preview_dataset
from agent.data.store import RolloutStore
from agent.data.windows import WindowSampler, prefetched

__all__ = [
    "BEHAVIOURS",
    "SCHEMA",
    "Behaviour",
    "CollectConfig",
    "DatasetHeader",
    "Episodes",
    "RollOut",
    "RolloutStore",
    "ShardPixels",
    "WindowSampler",
    "behaviour_named",
    "collect",
    "episode_rng",
    "inspect_dataset",
    "prefetched",
    "preview_dataset",
    "roll_out",
    "verify_dataset",
]
