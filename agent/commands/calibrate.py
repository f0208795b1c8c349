"""``calibrate``: teach a checkpoint what its own pictures look like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from agent.commands.checkpoints import holdout_of_checkpoint
from agent.commands.console import say, show_facts
from agent.errors import UserError
from agent.files.bundle import read_bundle, write_bundle
from agent.model.shipped import find_checkpoint


@dataclass(frozen=True)
class Calibrate:
    """Teach a checkpoint what its own pictures look like, and so when its sight fails.

    Training does this at its end. A checkpoint from before there was such a guard, or a camera
    that has changed a little since, is calibrated on recordings: its weights stay as they are.
    Limits come from the last episodes, which training holds out.

    Example:
      python run_agent.py calibrate --checkpoint runs/mine --data data/mine
    """

    checkpoint: Annotated[Path, arg(metavar="DIR")]
    """The world model to calibrate."""
    data: Annotated[Path, arg(metavar="DIR")]
    """Recordings of its world."""

    after_interrupt = "The checkpoint is as it was."

    def run(self) -> None:
        """Load, learn, write beside the weights."""
        from agent.data.store import RolloutStore
        from agent.model.checkpoint import load_checkpoint
        from agent.model.sight import SIGHT_FILE
        from agent.training.sight import learn_sight, what_is_off

        place = find_checkpoint(self.checkpoint)
        model, store = load_checkpoint(place), RolloutStore.open(self.data)
        model.spec.require_same(store.header.spec, f"the data in {self.data}")
        share = holdout_of_checkpoint(place)
        ids = store.split(share, model.config.memory_frames)
        sight = learn_sight(model, store.load(), *ids)
        if missing := what_is_off(sight, model.config.memory_frames):
            raise UserError(f"{self.data}: {missing}. {place} is as it was")
        write_bundle(place, {**read_bundle(place), SIGHT_FILE: sight.to_bytes()})
        was = {} if model.sight is None else model.sight.facts()
        show_facts(
            "limits of its sight", {n: _beside(v, was.get(n)) for n, v in sight.facts().items()}
        )
        say(f"calibrated {place} on {self.data}")


def _beside(now: str, was: str | None) -> str:
    return now if was in (None, now) else f"{now} (was {was})"
