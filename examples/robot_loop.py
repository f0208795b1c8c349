"""A robot's loop: a camera, a goal picture, one action a tick, and what to do when sight fails.

    python examples/robot_loop.py

The "robot" is the simulated world of the checkpoint; replace ``camera`` and ``motors`` by yours.
Without torch the loop is the same: ``run_agent.py export --onnx exported``, copy that folder, and
``ExportedAgent.load("exported", tick_ms=DEADLINE_MS)`` takes the place of ``Agent.load``.
"""

import time

import numpy as np

from agent import Agent, make_world

DEADLINE_MS = 30.0


def main(seconds: float = 2.0, real_time: bool = False) -> float:
    """Steer to a random goal; how far from it, in tolerances, the episode ended."""
    from envs import distance_to_goal

    agent = Agent.load("checkpoints/reacher", tick_ms=DEADLINE_MS)
    world = make_world(agent.spec.world, agent.spec.look)
    rng = np.random.default_rng(3)
    goal_state = world.sample_state(rng)
    goal_picture = world.picture(goal_state)
    world.reset(rng)
    camera, motors = world.frame, world.step

    tick_s = agent.spec.step_s
    for _ in range(round(seconds / tick_s)):
        began_s = time.perf_counter()
        motors(agent.act(camera(), goal_picture))
        if agent.held[0] is not None:  # the action was zero, and will be until sight returns
            print(agent.held[0])
        if real_time:
            time.sleep(max(0.0, tick_s - (time.perf_counter() - began_s)))
    left = float(distance_to_goal(world.spec, world.state(), goal_state))
    print(f"ended {left:.2f} tolerances from the goal (reached below 1)")
    world.close()
    return left


if __name__ == "__main__":
    main(real_time=True)
