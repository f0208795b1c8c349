"""Opens the session that the flags of ``live`` ask for, in its own process.

The world comes first, because it can be shown while torch and the model are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.commands.worlds_asked import WorldAsked, world_asked
from agent.live.glimpse import Glimpse, glimpse_of
from agent.model.shipped import SHIPPED

if TYPE_CHECKING:
    from agent.interfaces import Controller
    from agent.live.beside import Beside
    from agent.live.session import Session
    from envs import World


@dataclass(frozen=True)
class Opener:
    """The flags of ``live`` that are about the session; ``checkpoint`` where it truly is."""

    checkpoint: Path
    named: Path = SHIPPED  # as the user wrote it
    world: str | None = None
    data: Path | None = None
    beside: Path | None = None
    start_state: tuple[float, ...] = ()
    goal_state: tuple[float, ...] = ()
    set: tuple[str, ...] = ()
    seed: int = 0
    threads: int = 1

    def __call__(self, tell: Callable[[Glimpse], None]) -> Session:
        """UserError and its like for what does not fit together."""
        from agent.model.description import checkpoint_spec

        asked = world_asked(self.world, "", self.checkpoint)
        world = asked.make()
        checkpoint_spec(self.checkpoint).require_same(world.spec, f"the world {asked.name}")
        beside = self._beside(world, asked)
        world.reset(np.random.default_rng(self.seed), beside.start)
        tell(glimpse_of(world))
        return self._session(world, beside)

    def _session(self, world: World, beside: Beside) -> Session:
        import torch

        from agent.control.torch_model import TorchModel
        from agent.live.session import Session
        from agent.model.checkpoint import load_checkpoint

        torch.set_num_threads(self.threads)
        model = TorchModel(load_checkpoint(self.checkpoint))
        session = Session(world, model, self.seed, beside)
        for setting in self.set:
            name, _, value = setting.partition("=")
            session.set(name, value)
        return session

    def _beside(self, world: World, asked: WorldAsked) -> Beside:
        from agent.commands.states import state_given
        from agent.live.beside import Beside
        from agent.live.gallery import gallery_of_recordings

        makers = rivals(world, self.beside)
        flags = (("--start-state", self.start_state), ("--goal-state", self.goal_state))
        start, goal = (state_given(told, world, flag) if told else None for flag, told in flags)
        return Beside(
            rival_world=asked.make() if makers else None,
            rivals=makers,
            gallery=None if self.data is None else gallery_of_recordings(self.data, world),
            start=start,
            goal=goal,
            invocation=self._invocation(),
        )

    def _invocation(self) -> tuple[str, ...]:
        flags = {
            "checkpoint": None if self.named == SHIPPED else self.named,
            "world": self.world,
            "data": self.data,
            "beside": self.beside,
        }
        given = [(f"--{name}", str(value)) for name, value in flags.items() if value is not None]
        return ("live", *(word for pair in given for word in pair))


def rivals(world: World, policy: Path | None) -> Mapping[str, Callable[[], Controller]]:
    """What can be had beside the agent in this world: what needs no training, and ``policy``."""
    from agent.commands.controllers import CONTROLLERS, Given

    spec = world.spec
    makers: dict[str, Callable[[], Controller]] = {
        name: lambda entry=entry: entry.make(spec)  # type: ignore[misc]
        for name, entry in CONTROLLERS.items()
        if isinstance(entry, Given) and entry.world == spec.world
    }
    if policy is not None:
        from agent.evaluation.play import require_fit
        from agent.rivals.actor import ActorController

        actor = ActorController.load(policy)
        require_fit(actor, "live", spec)
        makers[actor.name] = lambda: actor
    return makers
