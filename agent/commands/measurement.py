"""One measurement of a controller at a task: what ``evaluate``, ``demo`` and campaigns share."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.checkpoints import name_of_result, origin_of_checkpoint
from agent.commands.controllers import CONTROLLERS, Acting, make_controller
from agent.commands.own_code import called
from agent.commands.parsing import line_of
from agent.commands.worlds_asked import WorldAsked, task_asked
from agent.files.bundle import bundle_sha256

if TYPE_CHECKING:
    from agent.commands.progress import Update
    from agent.evaluation.play import Trial
    from agent.interfaces import Controller
    from envs import Task, World

TIMED = 2  # episodes that are played alone, which tells the time of a decision


@dataclass(frozen=True)
class Measurement:
    """One controller at one task; ``checkpoint`` for those that learned.

    ``protocol`` None is the world's first task. ``workers`` share the work, on a ``cluster`` if one
    is named, with ``threads`` of torch each: that changes the time, and what is timed, alone.
    """

    controller: str
    checkpoint: Path | None
    world: WorldAsked
    protocol: str | None
    episodes: int
    seed: int
    batch: int = 25
    acting: Acting = field(default_factory=Acting)
    workers: int | None = None
    cluster: str = ""
    threads: int = 1

    def command(self, protocol: str) -> str:
        """The command that measures the same."""
        from agent.commands.evaluate import Evaluate

        acting, checkpoint = self.acting, self.checkpoint
        is_told = checkpoint is not None and "look" in self.world.told  # by the checkpoint, again
        look = "" if is_told else self.world.look
        return line_of(
            Evaluate(
                self.controller, checkpoint and _from_here(checkpoint), self.world.name,
                look, protocol, None, acting.planner, self.episodes, self.seed,
                self.batch, tick_ms=acting.tick_ms, delay_ticks=acting.delay_ticks,
                no_guard=not acting.guard, device=acting.device,
            )
        )  # fmt: skip

    def run(self, update: Update) -> dict[str, Any]:
        """Play the episodes; the result with the fields of ``agent.evaluation.results``."""
        from agent.evaluation.results import UNLEARNED, Asked, deadlines, fingerprint, summarise

        place, origin = self.checkpoint, UNLEARNED
        if place is not None:
            origin = origin_of_checkpoint(place, with_head=self.controller == "direct")
        with closing(self.world.make()) as world:
            task, spec = task_asked(self.protocol, world), world.spec
            definition = fingerprint(task, world)
        start_s = time.monotonic()
        is_shared = bool(self.cluster) or (self.workers or 1) > 1
        trials = self._shared(update) if is_shared else self._alone(update)
        asked = Asked(self._called(), spec, task.name, task.about, definition, self.seed)
        result = summarise(
            trials,
            asked,
            checkpoint_sha256=bundle_sha256(place) if place else None,
            command=self.command(task.name),
            wall_clock_s=round(time.monotonic() - start_s, 2),
            origin=origin,
        )
        if self.acting.tick_ms is not None:
            result["deadline"] = deadlines(trials, self.acting.tick_ms)
        return result

    def open(self) -> tuple[Controller, Task, Callable[[], World]]:
        """Who plays what in which worlds, all new."""
        with closing(self.world.make()) as world:
            task, spec = task_asked(self.protocol, world), world.spec
        controller = make_controller(self.controller, self.checkpoint, spec, self.acting)
        return controller, task, self.world.make

    def begin(self) -> Callable[[range], list[Trial]]:
        """As a work of ``agent.cluster``, whose tasks are groups of episodes: open what plays."""
        from agent.evaluation.play import Arena
        from envs import episodes_of

        controller, task, make_world = self.open()
        if "torch" in sys.modules:  # not every controller needs it
            sys.modules["torch"].set_num_threads(self.threads)
        arena = Arena(controller, task, make_world)
        return lambda group: arena.play(episodes_of(task, arena.world, group, self.seed))

    def _alone(self, update: Update) -> list[Trial]:
        from agent.evaluation.play import evaluate

        alone = self.acting.tick_ms is not None  # a deadline means nothing in company
        return evaluate(
            *self.open(), self.episodes, self.seed,
            batch=1 if alone else self.batch,
            timed_episodes=self.episodes if alone else TIMED, progress=update,
        )  # fmt: skip

    def _shared(self, update: Update) -> list[Trial]:
        from agent.cluster import crew_for
        from agent.evaluation.play import groups_of, timed

        trials: list[Trial] = []
        with crew_for(self, self.workers, self.episodes, self.cluster) as crew:
            for _, played in crew.make(groups_of(self.episodes, self.batch, TIMED)):
                trials += played
                update(len(trials), self.episodes)
        return timed(trials, TIMED)

    def _called(self) -> str:
        """The name a result goes by."""
        if self.controller not in CONTROLLERS:
            return called(self.controller)
        if self.checkpoint is None:
            return self.controller
        return name_of_result(self.controller, self.checkpoint)


def _from_here(place: Path) -> Path:
    """The name that a clone has as well, where it lies below the working directory."""
    here, there = Path.cwd(), place.resolve()
    return there.relative_to(here) if there.is_relative_to(here) else place
