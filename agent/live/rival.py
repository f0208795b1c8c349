"""Another controller beside, on the same goal, in a world of its own: a second ghost."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from agent.interfaces import Array, Controller, Goals, Seen
from agent.live.controls import Choice, Controlled, Value
from envs import World

NOBODY = "nobody"
RIVAL = "rival"


class Rival(Controlled):
    """Sees the true state; it acts only towards goals whose state is known.

    Args:
        world: its own, like the agent's.
        makers: controllers by name.
        seed: of what they draw.
    """

    def __init__(
        self, world: World | None, makers: Mapping[str, Callable[[], Controller]], seed: int
    ) -> None:
        self._world, self._makers, self._seed = world, makers, seed
        options = (NOBODY, *makers) if world is not None else (NOBODY,)
        self.controls = (
            (Choice(RIVAL, "beside it, on the same goal", options),) if len(options) > 1 else ()
        )
        self._name = NOBODY
        self._controller: Controller | None = None
        self._goal: Array | None = None
        self._is_over = False  # its world has ended the episode, and it stands still

    @property
    def values(self) -> Mapping[str, Value]:
        """See :class:`agent.live.controls.Controlled`."""
        return {RIVAL: self._name} if self.controls else {}

    def set(self, name: str, value: Value) -> None:
        """See :class:`agent.live.controls.Controlled`."""
        self._name = str(value)
        self._controller = None if value == NOBODY else self._makers[self._name]()
        self.aim(self._goal)

    def begin(self, state: Array | None) -> None:
        """Stand in ``state`` (S,), or wherever the world begins."""
        if self._world is not None:
            self._is_over = False
            self._world.reset(np.random.default_rng(self._seed), state)

    def aim(self, goal: Array | None) -> None:
        """Go to the goal (S,); rest where it is None."""
        self._goal = goal
        if self._controller is not None and goal is not None:
            self._controller.reset(Goals(state=goal[None]), [self._seed])

    def step(self) -> None:
        """One tick."""
        if self._controller is None or self._world is None or self._goal is None:
            return
        if self._is_over:
            return
        state = self._world.state()
        actions = self._controller.act(Seen(state=state[None])).actions
        self._is_over = self._world.step(actions[0])

    @property
    def state(self) -> Array | None:
        """Where it is; None while there is nobody."""
        if self._controller is None or self._world is None:
            return None
        return self._world.state()
