"""Whether an episode succeeded, from the joint angles at every physics step.

*First touch*: both joints inside the tolerance at any moment, as published results count it.
*Held*: inside for the whole last 0.4 s of the budget, what a user means by having arrived.
*Return*, where the protocol pays: the number of physics steps inside, out of all.
"""

from __future__ import annotations

import numpy as np

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
    inside = protocol.inside(path_rad, spec.goal_qpos_rad)  # (budget, action_repeat)
    solved_at_start = bool(protocol.inside(spec.start_qpos_rad, spec.goal_qpos_rad))
    final_error = protocol.joint_error_rad(path_rad[-1, -1], spec.goal_qpos_rad).max()
    touched = np.flatnonzero(inside.any(-1))
    steps = 0 if solved_at_start else int(touched[0]) + 1 if len(touched) else None
    return EpisodeResult(
        seed=spec.seed,
        solved_at_start=solved_at_start,
        first_touch=steps is not None,
        held=bool(inside[-HELD_STEPS:].all()),
        steps_to_success=steps,
        final_error_rad=float(final_error),
        decision_ms=decision_ms,
        episode_return=None if protocol.reach_m is None else float(inside.sum()),
    )
