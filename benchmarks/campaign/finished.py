"""Which checkpoints are those of a finished training."""

from __future__ import annotations

from pathlib import Path

from agent.commands.checkpoints import checkpoint_config, origin_of_checkpoint
from agent.errors import UserError
from agent.model.shipped import find_checkpoint


def finished_checkpoint(directory: Path, env_steps: int | None = None) -> Path:
    """The checkpoint in ``directory``, where its training has come to its end.

    Reinforcement learning and cloning write checkpoints on the way, and a world model is there
    before its action head is taught. ``env_steps`` are those that were asked for, if known.

    Raises:
        UserError: if there is none, or it is one on the way.
        DamagedDataError: if the checkpoint is not what its manifest says.
    """
    checkpoint = find_checkpoint(directory)
    config, origin = checkpoint_config(checkpoint), origin_of_checkpoint(checkpoint)
    facts, steps = config["facts"], origin["bought_with"]["env_steps"]
    total = facts.get("settings", {}).get("steps", 0)
    is_short = steps is not None and env_steps is not None and steps < env_steps
    lacks_steps = facts.get("trained_steps", total) < total
    lacks_head = config.get("model", {}).get("head") is not None and "head" not in facts
    if is_short or lacks_steps or lacks_head:
        raise UserError(f"expected a finished training in {directory}, got one on the way")
    return checkpoint


def finished_or_none(directory: Path, env_steps: int | None = None) -> Path | None:
    """As :func:`finished_checkpoint`; None if there is none, or it is one on the way."""
    try:
        return finished_checkpoint(directory, env_steps)
    except UserError:
        return None
