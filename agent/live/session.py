"""A world, an agent in it, and a goal that moves: one control tick after the other."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

import numpy as np

from agent.control.torch_model import TorchModel
from agent.errors import UserError
from agent.interfaces import Array, Decision
from agent.live.acting import Acting
from agent.live.beside import Beside
from agent.live.controls import Group, Switchboard, Value
from agent.live.disturbances import Body, Lens
from agent.live.gallery import gallery_of_world
from agent.live.goal import Goal
from agent.live.moment import Ghost, Imagined, Moment, Opening, traced
from agent.live.pace import Pace
from agent.live.rival import Rival
from agent.live.telling import doing, repeating, truth
from agent.live.thought import Thought
from agent.live.wishes import DragGoal, Drop, Press, Push, Set, Wish
from envs import (
    GoalImageError,
    Posable,
    PoseError,
    Scene,
    Staged,
    World,
    WorldError,
    checked_frame,
    require_finite,
)

TRACE_TICKS = 250
FIRST_PICTURES = 32  # to imagine with, before there is time for more
PICTURES_AT_ONCE = 4
IMAGINES_EVERY_TICKS = 5
SEEN_EVERY_TICKS = 5  # of a world that cannot be posed: what it passes through is remembered
REFUSED = (UserError, WorldError, GoalImageError, PoseError)


class Session:
    """Plays on and on towards a goal that visitors change.

    Used on the thread that made ``world``. ``model`` is what it sees and foresees with; ``seed``
    decides the first start and the first goal.
    """

    def __init__(
        self, world: World, model: TorchModel, seed: int = 0, beside: Beside | None = None
    ) -> None:
        self._world, self._model, self._beside = world, model, beside or Beside()
        self._scene: Scene | None = world.scene() if isinstance(world, Staged) else None
        self._rng = np.random.default_rng(seed)
        self._gallery = self._beside.gallery or gallery_of_world(world, np.random.default_rng(1))
        world.reset(self._rng, self._beside.start)
        self._pace, self._lens = Pace(world.spec.step_s), Lens(self._rng)
        self._acting = Acting(model, 1e3 * world.spec.step_s, seed)
        self._goal = Goal(world, self._scene, model, self._gallery, self._rng)
        self._rival = Rival(self._beside.rival_world, self._beside.rivals, seed)
        bodies = [w for w in (world, self._beside.rival_world) if w is not None]
        self._body = Body(bodies, self._scene.view if self._scene else None)
        self._thought = Thought(world, model, self._scene)
        parts = (self._pace, self._goal, self._acting, self._rival, self._lens, self._body)
        self._board = Switchboard(parts)
        self._usual = self._board.values
        self._decision: Decision | None = None
        self._traces: deque[tuple[float, ...]] = deque(maxlen=TRACE_TICKS)
        self._tick, self._imagines_at, self._version, self._aimed_s = 0, 0, -1, 0.0
        self._learned_tick = -1  # while time stands still nothing is seen anew
        self._refusals: list[tuple[int, str]] = []
        self._look()
        self._first_goal()
        while self._thought.size < FIRST_PICTURES and self.use_spare_time():
            pass

    @property
    def opening(self) -> Opening:
        """What can be done."""
        groups = (
            Group("time", self._pace.controls),
            Group("goal", self._goal.controls),
            Group("choose", (*self._acting.controls, *self._rival.controls)),
            Group("disturb", (*self._body.controls, *self._lens.controls)),
        )
        return Opening(groups, self._gallery.strip)

    @property
    def period_s(self) -> float:
        """Of a tick on the clock."""
        return self._pace.period_s

    def set(self, name: str, value: Value) -> None:
        """Turn a dial or pick a choice; errors as :class:`agent.live.controls.Switchboard`."""
        self._board.set(name, value)
        self._acting.keep_time(1e3 * self._pace.period_s)

    def grant(self, wishes: Sequence[Wish]) -> None:
        """Do what visitors ask for; what cannot be done is refused in words."""
        for wish in wishes:
            try:
                self._grant(wish)
            except REFUSED as error:
                self._refusals.append((wish.of, str(error)))
        self._follow_goal()
        if self._pace.wants_reset:
            self._start_again(self._beside.start)

    def step(self) -> bool:
        """One control tick, unless it is paused; whether it passed."""
        if not self._pace.passes():
            return False
        began_s = time.perf_counter()
        self._decision = self._acting.act(self._seen)
        self._body.before_step()
        try:
            ended = self._world.step(self._decision.actions[0])
            self._rival.step()
        except WorldError as error:  # a disturbance may be too much for a simulation
            self._refusals.append((-1, str(error)))
            ended = True
        if ended:
            self._start_again(None)
        self._look()
        self._tick += 1
        self._trace(1e3 * (time.perf_counter() - began_s))
        return True

    def use_spare_time(self) -> bool:
        """Learn a few more pictures to imagine with; whether that helped, and may go on."""
        world, thought = self._world, self._thought
        if thought.is_full:
            return False
        if isinstance(world, Posable):
            states = [world.sample_state(self._rng) for _ in range(PICTURES_AT_ONCE)]
            thought.add([world.picture(state) for state in states], states)
            return True
        if self._tick % SEEN_EVERY_TICKS == 0 and self._tick > self._learned_tick:
            self._learned_tick = self._tick
            thought.add([self._frame], [world.state() if world.spec.state else None])
        return False

    def show(self, late_ticks: int = 0, due_ticks: int = 0) -> Moment:
        """The present tick, for the page."""
        scene, rival = self._scene, self._rival.state
        refusals, self._refusals = tuple(self._refusals), []
        traces = np.array(self._traces, np.float32).reshape(-1, len(traced(self._world)))
        return Moment(
            self._tick, late_ticks, due_ticks, self._seen, self._goal.frame,
            scene.place(self._world.state()) if scene else None, self._ghost(),
            scene.place(rival) if scene and rival is not None else None, self._imagined(),
            traces, self._board.values,
            self._doing(), self._command(), refusals,
            self._version, self._aimed_s,
        )  # fmt: skip

    def _first_goal(self) -> None:
        if self._beside.goal is not None:
            self._goal.pose(self._beside.goal)
        elif isinstance(self._world, Posable):
            self._goal.press("random-goal")
        self._begin_rival()
        self._follow_goal()

    def _grant(self, wish: Wish) -> None:
        if isinstance(wish, Set):
            self.set(wish.name, wish.value)
        elif isinstance(wish, Press):
            self._board.press(wish.name)
        elif isinstance(wish, DragGoal):
            self._goal.drag(wish.grip, np.array(wish.to, np.float64))
        elif isinstance(wish, Push):
            self._body.push(np.array(wish.way, np.float64), wish.ticks)
        elif isinstance(wish, Drop):
            self._goal.drop(wish.file, wish.content)

    def _follow_goal(self) -> None:
        if self._version == self._goal.version:
            return
        self._acting.aim(self._goal.frame)
        self._rival.aim(self._goal.state)
        self._version, self._aimed_s = self._goal.version, time.monotonic()

    def _start_again(self, start: Array | None) -> None:
        """Begin another episode, towards the same goal."""
        self._world.reset(self._rng, start)
        self._begin_rival()
        self._acting.reset()
        self._look()
        self._pace.wants_reset = False

    def _begin_rival(self) -> None:
        """Beside it, where the world can be posed; else at a start of its own."""
        self._rival.begin(self._world.state() if isinstance(self._world, Posable) else None)

    def _look(self) -> None:
        self._frame = checked_frame(self._world, self._tick)
        require_finite(self._world.spec, self._world.state()[None], self._tick)
        self._seen = self._lens.look(self._frame)

    def _imagined(self) -> Imagined | None:
        """Nothing new but every few ticks: people see no more, and it costs a rollout."""
        if self._tick < self._imagines_at:
            return None
        self._imagines_at = self._tick + IMAGINES_EVERY_TICKS
        acting = self._acting.controller
        return self._thought.imagine(acting.situation, acting.searched)

    def _ghost(self) -> Ghost | None:
        if self._scene is None or self._goal.state is None:
            return None
        state = self._goal.state
        return Ghost(self._scene.place(state), self._scene.points(state))

    def _trace(self, spent_ms: float) -> None:
        acting, decision = self._acting.controller, self._decision
        situation = acting.situation
        if decision is None or situation is None:
            return  # it has just begun again, after the world's end or a fault
        now, goal = situation.embeddings[:, -1], acting.goals
        row = (
            self._tick * self._world.spec.step_s,
            float(np.linalg.norm(self._model.apart(now, goal))),
            float(np.linalg.norm(now - goal)),
            truth(self._world, self._goal.state),
            float(acting.surprise[0]),
            float(np.square(situation.drift).mean()),
            spent_ms,
            *decision.actions[0].tolist(),
        )
        self._traces.append(row)

    def _doing(self) -> str:
        round_about = ", by a way round" if self._acting.controller.goes_round[0] else ""
        return doing(self._world, self._goal.state, self._decision) + round_about

    def _command(self) -> str:
        values = self._board.values.items()
        changed = {name: value for name, value in values if value != self._usual[name]}
        return repeating(self._beside.invocation, self._world, self._goal.state, changed)
