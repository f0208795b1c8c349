"""What a model cost before it was trained further."""

from __future__ import annotations

from pathlib import Path

from agent.data.header import RECORDED, DatasetHeader
from agent.model.checkpoint import checkpoint_facts

_SAME = ("spec", "behaviour", "seed")  # of two headers of one data set, which may have grown


def price_before(checkpoint: Path, header: DatasetHeader) -> dict[str, float]:
    """Env steps and seconds that went into ``checkpoint`` and into what it was begun from.

    Steps of the data set with ``header`` are not among them: they are counted where it is learned
    from again.
    """
    facts = checkpoint_facts(checkpoint)
    data, before, ours = facts.get("data", {}), facts.get("before", {}), header.to_json()
    is_same = data.get("behaviour") != RECORDED and all(
        data.get(name) == ours[name] for name in _SAME
    )
    return {
        "env_steps": before.get("env_steps", 0) + (0 if is_same else data.get("env_steps", 0)),
        "training_s": before.get("training_s", 0.0) + facts.get("training_s", 0.0),
    }
