"""Look, embed, plan, send one torque: :class:`agent.control.mpc.WorldModelController`, torch-free.

The same steps in the same order with the same float32 networks, so that the same noise gives the
same torques.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.deploy.cost import GoalCost
from agent.deploy.gauss_newton import NoiseSource, SeededNoise, plan
from agent.deploy.graphs import Graphs
from agent.deploy.perception import Perception
from agent.errors import ModelFaultError
from agent.interfaces import Array, FloatArray, GoalObservation

logger = logging.getLogger(__name__)


class OnnxController:
    """Steers to a goal image with an exported world model; sees pixels only.

    ``directory`` is one that ``export`` wrote; ``noise`` makes the planner's random streams from
    the episodes' seeds. ``fault`` says what went wrong when a network gave numbers that are not
    finite: the torque is zero then, and the next tick is refused.

    Raises:
        UserError, DamagedDataError, MachineError: see :class:`agent.deploy.graphs.Graphs`.
    """

    name = "onnx"
    needs_pixels = True

    def __init__(self, directory: Path, threads: int = 1, noise: NoiseSource = SeededNoise) -> None:
        self.graphs = Graphs(directory, threads)
        self.settings = self.graphs.settings
        self.render_profile = self.settings.render_profile  # evaluation checks these three
        self.image_size = self.settings.image_size
        self.action_repeat = self.settings.action_repeat
        self.fault: str | None = None
        self._noise_source = noise
        self._perception: Perception | None = None

    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        """Embed the goals and forget the past; episode i owns the random stream ``seeds[i]``.

        Raises:
            UserError: if frames are not of the size the model was trained on.
        """
        settings = self.settings
        self._perception = Perception(self.graphs, observations)
        self._noise = self._noise_source(seeds)
        shape = (len(seeds), settings.horizon * settings.action_block, settings.torque_dim)
        self._plan = np.zeros(shape, np.float32)  # tick by tick
        self.fault = None

    def act(self, observations: Sequence[GoalObservation]) -> Array:
        """Torques (E, A) for the coming tick.

        Raises:
            ModelFaultError: if the tick before had a ``fault``.
        """
        assert self._perception is not None, "act() before reset()"
        if self.fault is not None:
            raise ModelFaultError(self.fault)
        self._perception.see(observations)
        torques = self._improve(GoalCost(self.graphs, self._perception.situation()))
        self._perception.act(torques)
        return torques.astype(np.float64)

    def _improve(self, cost: GoalCost) -> FloatArray:
        """Plan from the kept plan; returns the torques (E, A) to send and shifts by a tick."""
        settings, kept = self.settings, self._plan
        warm_start = kept.reshape(len(kept), settings.horizon, settings.block_width)
        best, costs = plan(cost, warm_start, self._noise, settings)
        sound = np.isfinite(costs) & np.isfinite(best).all((1, 2))
        self._note_faults(sound)
        ticks: FloatArray = np.where(sound[:, None, None], best.reshape(kept.shape), np.float32(0))
        self._plan = np.concatenate([ticks[:, 1:], np.zeros_like(ticks[:, :1])], 1)
        return ticks[:, 0]

    def _note_faults(self, sound: np.ndarray) -> None:
        if not sound.all():
            which = ", ".join(map(str, np.flatnonzero(~sound)))
            self.fault = (
                "the model gave numbers that are not finite: zero torque was sent "
                f"(episode {which} of {len(sound)})"
            )
            logger.error(self.fault)
