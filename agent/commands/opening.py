"""Opens the session that the flags of ``live`` ask for, in its own process.

The world comes first, because it can be shown while torch and the model are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.commands.live import Live
from agent.commands.parsing import line_of
from agent.commands.worlds_asked import WorldAsked, state_given, world_asked
from agent.errors import UserError
from agent.live.moment import Glimpse, glimpse_of
from agent.model.description import checkpoint_spec
from agent.model.shipped import find_checkpoint

if TYPE_CHECKING:
    from agent.interfaces import Controller
    from agent.live.beside import Beside
    from agent.live.session import Session
    from envs import World


def open_session(asked: Live, tell: Callable[[Glimpse], None]) -> Session:
    """The session, which is about to begin; ``tell`` is told of its world before.

    Raises UserError and its like for what does not fit together.
    """
    checkpoint = find_checkpoint(asked.checkpoint)
    named = world_asked(asked.world, "", checkpoint)
    world = named.make()
    checkpoint_spec(checkpoint).require_same(world.spec, f"the world {named.name}")
    beside = _beside(asked, world, named)
    world.reset(np.random.default_rng(asked.seed), beside.start)
    tell(glimpse_of(world))
    return _session(asked, checkpoint, world, beside)


def _session(asked: Live, checkpoint: Path, world: World, beside: Beside) -> Session:
    import torch

    from agent.control.torch_model import TorchModel
    from agent.live.session import Session
    from agent.model.checkpoint import load_checkpoint

    torch.set_num_threads(asked.threads)
    session = Session(world, TorchModel(load_checkpoint(checkpoint)), asked.seed, beside)
    _set_all(session, asked.set)
    return session


def _set_all(session: Session, settings: Sequence[str]) -> None:
    """In any order: some are refused until another is made."""
    refused: list[tuple[str, UserError]] = []
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            session.set(name, value)
        except UserError as error:
            refused.append((setting, error))
    if len(refused) == len(settings) > 0:
        raise refused[0][1]
    if refused:
        _set_all(session, [setting for setting, _ in refused])


def _beside(asked: Live, world: World, named: WorldAsked) -> Beside:
    from agent.live.beside import Beside
    from agent.live.gallery import gallery_of_recordings

    makers = rivals(world, asked.beside)
    flags = (("--start-state", asked.start_state), ("--goal-state", asked.goal_state))
    start, goal = (state_given(told, world, flag) if told else None for flag, told in flags)
    again = Live(asked.checkpoint, asked.world, data=asked.data, beside=asked.beside)
    return Beside(
        rival_world=named.make() if makers else None,
        rivals=makers,
        gallery=None if asked.data is None else gallery_of_recordings(asked.data, world),
        start=start,
        goal=goal,
        invocation=line_of(again),
    )


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

        actor = ActorController.load(find_checkpoint(policy))
        require_fit(actor, "live", spec)
        makers[actor.name] = lambda: actor
    return makers
