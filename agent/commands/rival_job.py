"""Training a rival as a job beside measurements: it takes one core, and they take the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from agent.commands.baseline import Baseline
from agent.commands.progress import Update


@dataclass(frozen=True)
class RivalJob:
    """What ``asked`` says, begun or gone on with; a ``Job`` of ``agent.commands.measuring``.

    ``episodes`` is what it counts for in the progress of all.
    """

    asked: Baseline
    episodes: int

    def run(self, update: Update) -> dict[str, Any]:
        """Train to the end; nothing came of it but what is in ``out``."""
        from agent.files.bundle import STATE, has_bundle

        begun = has_bundle(self.asked.out / STATE)
        for now in replace(self.asked, resume=begun).training().run():
            update(now.env_steps * self.episodes // now.total_env_steps, self.episodes)
        return {}
