"""The action head alone: a controller without any search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.control.delay_line import DelayLine
from agent.control.model import Situation
from agent.control.perception import Perception
from agent.control.torch_model import TorchModel
from agent.control.watch import TickWatch
from agent.errors import ModelFaultError, UserError
from agent.interfaces import Decision, FloatArray, Goals, Needs, Seen

_NEAR = 0.1  # mean squared difference of embeddings; of two poses anywhere it is about 2
_GAIN = 0.15  # of what is lacking, a tick
_FARTHEST = 1.0  # root mean square of the sum: nothing winds up where the world is held fast


class DirectController:
    """Steers to a goal image with the model's action head; sees pixels only.

    Faults, holding and what follows from them as for
    :class:`agent.control.mpc.WorldModelController`. ``delay_ticks`` lie between deciding an action
    and its acting: it acts on what it foresees for then. ``situation`` is what the last decision
    started from, None before the first.

    Raises:
        UserError: if the model has no head.
    """

    name = "direct"
    searched = None  # as of a controller that plans

    def __init__(
        self,
        model: TorchModel,
        tick_ms: float | None = None,
        guarded: bool = True,
        delay_ticks: int = 0,
    ) -> None:
        if model.network.head is None:
            raise UserError(
                "expected a world model with an action head, got one without: train again with "
                "a preset that has one, such as default, or use --controller world-model"
            )
        self.model = model
        self.needs = Needs(pixels=True, spec=model.spec)
        self.watch = TickWatch(tick_ms)
        self._sight = model.sight if guarded else None
        self._delay_ticks, self._line = delay_ticks, DelayLine(delay_ticks)
        self._fault: str | None = None
        self.situation: Situation | None = None
        self._perception: Perception | None = None
        self._lacked: FloatArray = np.zeros((0, 0), np.float32)

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        """Embed the goals and forget the past; nothing is drawn at random.

        Raises:
            UserError: if frames are not of the size the model was trained on.
        """
        self._perception = Perception(self.model, goals, None, self._sight)
        self._fault, self._line, self.situation = None, DelayLine(self._delay_ticks), None
        self._lacked = np.zeros_like(self.goals)

    def aim(self, goals: Goals) -> None:
        """Pursue other goals from where the episodes are; errors as :meth:`reset`."""
        assert self._perception is not None, "reset() comes first"
        others = self._perception.aim(goals)
        self._lacked = np.where(others[:, None], np.float32(0), self._lacked)

    @property
    def goals(self) -> FloatArray:
        """(E, D), the goals' embeddings."""
        assert self._perception is not None, "reset() comes first"
        return self._perception.goals

    @property
    def surprise(self) -> FloatArray:
        """Zeros (E,): it judges no prediction."""
        return np.zeros(len(self.goals), np.float32)

    @property
    def goes_round(self) -> NDArray[np.bool_]:
        """(E,): it aims at nothing but its goals."""
        return np.zeros(len(self.goals), np.bool_)

    def act(self, seen: Seen) -> Decision:
        """Actions (E, A) for the coming tick.

        Raises:
            ModelFaultError: if the tick before had a fault.
        """
        perception = self._perception
        assert perception is not None, "reset() comes first"
        if self._fault is not None:
            raise ModelFaultError(self._fault)
        with self.watch.tick():
            perception.see(seen.pixels)
            self.situation = self._situation(perception)
            blocks = self.model.propose(self.situation)
            actions = blocks[:, : self.model.spec.action_dim]
            sound = np.asarray(np.isfinite(actions).all(1))
            if not sound.all():
                self._fault = "the action head gave NaN or infinity: zero action was sent"
            acting = sound & ~perception.held
            actions = np.where(acting[:, None], actions, np.float32(0))
            perception.history.act(self._line.through(actions))
        sent = actions.astype(np.float64)
        return Decision(sent, self._fault, self.watch.was_late, perception.reasons)

    def _situation(self, seen: Perception) -> Situation:
        """At the tick at which what is decided now will act."""
        goals, width = self._beyond(seen), self.model.spec.action_dim
        still = np.zeros((len(goals), width), np.float32)
        there = seen.history.foreseen(self.model.predict, self._line.on_the_way(still))
        nothing, reach = still[:, None][:, :0], np.ones(len(goals), np.float32)
        return Situation(there.embeddings(), there.blocks(), goals, seen.drift, nothing, reach)

    def _beyond(self, seen: Perception) -> FloatArray:
        """Goals (E, D) moved on by what was lacking near them, summed up tick by tick.

        Integral action (Åström & Murray 2008, Feedback Systems, Sec. 10.1): a head has learned to
        rest at goals in a model that errs a little, and would come to rest beside them.
        """
        lacking = seen.goals - seen.history.embeddings()[:, -1]
        near = np.square(lacking).mean(-1) < _NEAR
        summed = self._lacked + np.float32(_GAIN) * lacking
        size = np.sqrt(np.square(summed).mean(-1, keepdims=True))
        summed = summed / np.maximum(size / np.float32(_FARTHEST), np.float32(1))
        self._lacked = np.where((near & ~seen.held)[:, None], summed, np.float32(0))
        return seen.goals + self._lacked
