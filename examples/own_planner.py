"""Another planner: anything with ``plan`` can search for the same controller.

    python examples/own_planner.py

    python run_agent.py evaluate --planner examples/own_planner.py:HillClimber --episodes 4

This one is a hill climber: it shakes the plan of the last tick and keeps what is cheaper. It comes
near and seldom holds, which is what the planners that ship with the program do better. See
``planners/base.py`` for what it is given; ``Search`` keeps the best plan and looks at the clock.
"""

import numpy as np

from agent import Agent, make_world
from envs import distance_to_goal
from planners.search import Search


class HillClimber:
    """Shakes the best plan, less each time."""

    def __init__(self, rounds: int = 16, samples: int = 16) -> None:
        self.rounds, self.samples = rounds, samples

    def plan(self, cost_fn, warm_start, bounds, noise, deadline=None):
        """See ``planners.base.Planner``; a plan is (E, H, K, A)."""
        search = Search(cost_fn, warm_start, bounds, deadline)
        for number in search.rounds(self.rounds):
            shaken = noise.normal((self.samples, *warm_start.shape[1:])) * 0.7**number
            search.try_all(bounds.clip(search.best[:, None] + shaken))
        return search.plan()


def main(seconds: float = 4.0) -> float:
    """Steer with it; how far from the goal, in tolerances, the episode ended."""
    agent = Agent.load("checkpoints/reacher", planner=HillClimber())
    world = make_world(agent.spec.world, agent.spec.look)
    rng = np.random.default_rng(5)
    goal = world.sample_state(rng)
    world.reset(rng)
    goal_image = world.picture(goal)
    for _ in range(round(seconds / world.spec.step_s)):
        world.step(agent.act(world.frame(), goal_image))
    left = float(distance_to_goal(world.spec, world.state(), goal))
    print(f"ended {left:.2f} tolerances from the goal (reached below 1)")
    world.close()
    return left


if __name__ == "__main__":
    main()
