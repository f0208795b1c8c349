"""What acts: a planner or the action head, how far it looks ahead, and how late its actions act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agent.control.delay_line import DelayLine
from agent.control.direct import DirectController
from agent.control.mpc import MPCConfig, WorldModelController
from agent.control.torch_model import TorchModel
from agent.control.watch import TickWatch
from agent.errors import UserError
from agent.interfaces import Decision, Goals, Image, Seen
from agent.live.controls import Choice, Control, Controlled, Value
from envs import Dial
from planners import PLANNERS

HEAD = "action head"
ACTS, HORIZON, DELAY, KNOWS, GUARD = "acts", "horizon", "delay", "knows-delay", "guard"
MAX_DELAY_TICKS, MAX_HORIZON = 3, 16
DEADLINE_SHARE = 0.7  # of a tick: the rest is for the world, the camera and the page


class Acting(Controlled):
    """One controller at a time, on one episode that never ends.

    Other settings make another ``controller``, which begins from what is seen then.
    """

    def __init__(self, model: TorchModel, tick_ms: float, seed: int) -> None:
        self._model, self._tick_ms, self._seed = model, tick_ms, seed
        usual = MPCConfig()
        options = (*PLANNERS, *([HEAD] if model.network.head is not None else []))
        self.controls: tuple[Control, ...] = (
            Choice(ACTS, "what acts", options),
            Dial(HORIZON, "horizon, model steps", 2, MAX_HORIZON, usual.horizon, 1),
            Dial(DELAY, "actions act late, ticks", 0, MAX_DELAY_TICKS, 0, 1),
            Dial(KNOWS, "it knows of the delay", 0, 1, 1, 1),
            Dial(GUARD, "hold where sight fails", 0, 1, 1, 1),
        )
        self._values = {
            ACTS: options[0], HORIZON: usual.horizon, DELAY: 0.0, KNOWS: 1.0, GUARD: 1.0
        }  # fmt: skip
        self._goals: Goals | None = None
        self.controller, self._line = self._made(), DelayLine(0)

    def set(self, name: str, value: Value) -> None:
        """See :class:`agent.live.controls.Controlled`."""
        if self._values[name] == value:
            return
        self._require_foreseen({**self._values, name: value})
        planners = {self._values[ACTS], value} <= set(PLANNERS)
        self._values[name] = value
        if name == ACTS and planners:
            self.controller.planner = PLANNERS[str(value)]()  # it keeps what it has seen
            return
        self.controller = self._made()
        self.reset()

    def _require_foreseen(self, values: Mapping[str, Value]) -> None:
        ticks = int(values[HORIZON]) * self._model.action_block
        if values[KNOWS] and int(values[DELAY]) >= ticks:
            raise UserError(
                f"expected actions to act within the {ticks} ticks that are planned, got a delay "
                f"of {values[DELAY]:.0f}: look further ahead"
            )

    def keep_time(self, tick_ms: float) -> None:
        """From now on a tick is that long."""
        self._tick_ms = tick_ms
        self.controller.watch = TickWatch(DEADLINE_SHARE * tick_ms)

    def aim(self, goal_frame: Image) -> None:
        """Go to another goal, a picture (h, w, 3)."""
        begun, self._goals = self._goals is not None, Goals(goal_frame[None])
        if begun:
            self.controller.aim(self._goals)
        else:
            self.reset()

    def reset(self) -> None:
        """Forget what was seen and done."""
        self._line = DelayLine(int(self._values[DELAY]))
        if self._goals is not None:
            self.controller.reset(self._goals, [self._seed])

    def act(self, frame: Image) -> Decision:
        """The decision (1, A) whose actions act now; after a fault it starts again."""
        decision = self.controller.act(Seen(frame[None]))
        if decision.fault is not None:
            self.reset()
        return replace(decision, actions=self._line.through(decision.actions))

    def _made(self) -> WorldModelController:
        values, tick_ms = self._values, DEADLINE_SHARE * self._tick_ms
        guarded, delay = bool(values[GUARD]), int(values[DELAY]) if values[KNOWS] else 0
        if values[ACTS] == HEAD:
            return DirectController(self._model, tick_ms, guarded, delay)
        config = MPCConfig(
            horizon=int(values[HORIZON]), delay_ticks=delay, tick_ms=tick_ms, guarded=guarded
        )
        return WorldModelController(self._model, PLANNERS[str(values[ACTS])](), config)
