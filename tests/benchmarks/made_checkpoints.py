"""Checkpoints that hold nothing but what they say of their training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agent.files.bundle import write_bundle


def make_checkpoint(place: Path, env_steps: int | None, **config: Any) -> None:
    """One at ``place`` that has seen ``env_steps``; more of its config as it is given."""
    facts = {"env_steps": env_steps, "seconds": 1.0, "seed": 0, **config.pop("facts", {})}
    said = {"schema": "somebody/9", "facts": facts, **config}
    write_bundle(place, {"config.json": json.dumps(said).encode()})
