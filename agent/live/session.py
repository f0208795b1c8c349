"""A world, an agent in it, and a goal that moves: one control tick after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from agent.control.mpc import WorldModelController
from agent.control.torch_model import TorchModel
from agent.interfaces import Array, Goals, Image, Seen
from agent.live.moment import Ghost, Moment, Opening, Traces
from agent.live.wishes import DragGoal, Wish
from envs import (
    Posable,
    PoseError,
    Scene,
    Staged,
    World,
    goal_errors,
    goal_unit,
)

TRACE_TICKS = 250


class Session:
    """Plays on and on towards a goal that visitors change.

    Used on the thread that made the world.

    Args:
        world: what it acts in.
        model: what it sees and foresees with.
        controller: what it acts with.
        seed: decides the first start and the first goal.
    """

    def __init__(
        self, world: World, model: TorchModel, controller: WorldModelController, seed: int = 0
    ) -> None:
        self._world, self._model, self._controller = world, model, controller
        self._scene: Scene | None = world.scene() if isinstance(world, Staged) else None
        self._rng = np.random.default_rng(seed)
        self._traces = Traces(TRACE_TICKS)
        self._tick = 0
        self._refusal: tuple[int, str] | None = None
        world.reset(self._rng)
        self._frame = world.frame()
        assert isinstance(world, Posable)
        self._goal_state: Array | None = world.sample_state(self._rng)
        self._goal_frame: Image = world.picture(self._goal_state)
        controller.reset(Goals(self._goal_frame[None]), [seed])

    @property
    def opening(self) -> Opening:
        """What never changes."""
        spec, scene = self._world.spec, self._scene
        return Opening(
            spec.world,
            spec.step_s,
            scene.parts if scene else (),
            scene.grips if scene else (),
            scene.view if scene else None,
            goal_unit(spec) if spec.goal_columns else "",
        )

    def grant(self, wishes: Sequence[Wish]) -> None:
        """Do what visitors ask for; what cannot be done is refused in words."""
        for wish in wishes:
            try:
                self._grant(wish)
                self._refusal = None
            except PoseError as error:
                self._refusal = (wish.of, str(error))

    def step(self) -> None:
        """One control tick."""
        began_s = time.perf_counter()
        decision = self._controller.act(Seen(self._frame[None]))
        self._world.step(decision.actions[0])
        self._frame = self._world.frame()
        self._tick += 1
        self._trace(1e3 * (time.perf_counter() - began_s))

    def show(self) -> Moment:
        """The present tick, for the page."""
        body = self._scene.place(self._world.state()) if self._scene else None
        return Moment(
            self._tick, self._frame, self._goal_frame, body, self._ghost(), self._traces.rows,
            self._words(), refusal=self._refusal,
        )  # fmt: skip

    def close(self) -> None:
        """Close the world."""
        self._world.close()

    def _grant(self, wish: Wish) -> None:
        if isinstance(wish, DragGoal):
            assert self._scene is not None and self._goal_state is not None
            self._pursue(self._scene.drag(wish.grip, np.array(wish.to), self._goal_state))

    def _pursue(self, state: Array) -> None:
        assert isinstance(self._world, Posable)
        self._goal_frame = self._world.picture(state)
        self._goal_state = state
        self._controller.aim(Goals(self._goal_frame[None]))

    def _ghost(self) -> Ghost | None:
        if self._scene is None or self._goal_state is None:
            return None
        return Ghost(self._scene.place(self._goal_state), self._scene.points(self._goal_state))

    def _trace(self, spent_ms: float) -> None:
        situation = self._controller.situation
        assert situation is not None
        now, goal = situation.embeddings[:, -1], situation.goals
        metric = float(np.linalg.norm(self._model.apart(now, goal)))
        plain = float(np.linalg.norm(now - goal))
        step_s = self._world.spec.step_s
        self._traces.add(self._tick * step_s, metric, plain, self._truth(), spent_ms)

    def _words(self) -> str:
        words = f"tick {self._tick}"
        truth = self._truth()
        return words if np.isnan(truth) else f"{words} · error {truth:.3f} {self.opening.unit}"

    def _truth(self) -> float:
        spec = self._world.spec
        if self._goal_state is None or not spec.goal_columns:
            return float("nan")
        return float(goal_errors(spec, self._world.state(), self._goal_state)[0].max())
