"""Whether an episode succeeded, from the joint angles at every physics step.

*First touch*: both joints inside the tolerance at any moment, as published results count it.
*Held*: inside for the whole last 0.4 s of the budget, what a user means by having arrived.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.evaluation.protocols import EpisodeSpec, Protocol
from agent.interfaces import Array, EpisodeResult
from envs import ACTION_REPEAT, PHYSICS_DT_S

HELD_S = 0.4
HELD_STEPS = round(HELD_S / (PHYSICS_DT_S * ACTION_REPEAT))


def judge(
    protocol: Protocol,
    spec: EpisodeSpec,
    path_rad: Array,
    decision_ms: tuple[float, ...] = (),
) -> EpisodeResult:
    """How an episode went, from raw joint angles (budget, action_repeat, 2) at every physics step.

    The start counts as a touch: such an episode is ``solved_at_start``.
    """
    error = protocol.joint_error_rad(path_rad, spec.goal_qpos_rad).max(-1)
    inside: NDArray[np.bool_] = error < protocol.tolerance_rad  # (budget, action_repeat)
    start_error = protocol.joint_error_rad(spec.start_qpos_rad, spec.goal_qpos_rad).max()
    solved_at_start = bool(start_error < protocol.tolerance_rad)
    touched = np.flatnonzero(inside.any(-1))
    steps = 0 if solved_at_start else int(touched[0]) + 1 if len(touched) else None
    return EpisodeResult(
        seed=spec.seed,
        solved_at_start=solved_at_start,
        first_touch=steps is not None,
        held=bool(inside[-HELD_STEPS:].all()),
        steps_to_success=steps,
        final_error_rad=float(error[-1, -1]),
        decision_ms=decision_ms,
    )
