"""Training a rival as a job: it takes one core, beside the world model's training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.commands.progress import Update


@dataclass(frozen=True)
class RivalJob:
    """SAC in ``out``, begun or gone on with; a ``Job`` of ``agent.commands.measuring``.

    ``env_steps`` None is its own number.
    """

    out: Path
    world: str
    env_steps: int | None
    seed: int

    @property
    def episodes(self) -> int:
        """What it counts for: its progress is in percent."""
        return 100

    def run(self, update: Update) -> dict[str, Any]:
        """Train to the end; nothing came of it but what is in ``out``."""
        from agent.files.bundle import STATE, has_bundle
        from agent.rivals.reinforcement import Training

        training = Training(
            self.out, "sac", None, self.env_steps, self.seed, None,
            resume=has_bundle(self.out / STATE), world=self.world,
        )  # fmt: skip
        for now in training.run():
            update(self.episodes * now.env_steps // now.total_env_steps, self.episodes)
        return {}
