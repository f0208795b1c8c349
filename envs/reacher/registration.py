"""The gymnasium ids of this package.

``import envs`` registers them, and ``gymnasium.make("envs:" + id)`` does that by itself.
There is no entry point: gymnasium stopped reading the group ``gymnasium.envs`` with version 1.0.
"""

from __future__ import annotations

PIXEL_GOAL_ID = "LeJEPA/ReacherPixelGoal-v0"
STATE_GOAL_ID = "LeJEPA/ReacherStateGoal-v0"
DMC_IDS = {"easy": "LeJEPA/ReacherDmcEasy-v0", "hard": "LeJEPA/ReacherDmcHard-v0"}
ENTRY_POINTS = {
    PIXEL_GOAL_ID: "envs.reacher.goal_envs:ReacherPixelGoalEnv",
    STATE_GOAL_ID: "envs.reacher.goal_envs:ReacherStateGoalEnv",
}


def register_environments() -> None:
    """Register every id once; calling it again changes nothing.

    ``gymnasium.make`` hands out the bare environment: it truncates and enforces reset before step
    by itself, and wrappers would hide ``compute_reward``. Where a robot has no gymnasium there is
    nothing to register with.
    """
    try:
        from gymnasium.envs.registration import register, registry
    except ModuleNotFoundError:
        return

    for name, entry_point in ENTRY_POINTS.items():
        if name not in registry:
            register(
                id=name,
                entry_point=entry_point,
                order_enforce=False,
                disable_env_checker=True,
            )
    for task, name in DMC_IDS.items():
        if name not in registry:
            register(
                id=name,
                entry_point="envs.reacher.dmc_env:ReacherDmcEnv",
                kwargs={"task": task},
                order_enforce=False,
                disable_env_checker=True,
            )
