"""The planner on the true physics: if this fails, no learned model can be blamed."""

from __future__ import annotations

import numpy as np
import pytest

from agent.interfaces import Goals, Seen
from agent.rivals.reacher.oracle import OracleController
from agent.rivals.reacher.simulator_cost import SimulatorGoalCost
from envs.reacher import ReacherSimulator, angle_error_rad, sample_pose
from planners import GaussNewtonPlanner, LeastSquaresCost

STATES = np.array([[0.3, -1.0, 0.5, 2.0], [-2.0, 1.2, -3.0, 0.0]])
GOALS = np.array([[0.6, -0.8], [-1.5, 1.0]])
HORIZON, BLOCK = 3, 2
SHAPE = (HORIZON, BLOCK, 2)
VARIABLES = HORIZON * BLOCK * 2


@pytest.fixture(scope="module")
def cost() -> SimulatorGoalCost:
    return SimulatorGoalCost(ReacherSimulator(), STATES, GOALS)


def random_plans(count: int) -> np.ndarray:
    return np.random.default_rng(2).uniform(-0.8, 0.8, (2, count, *SHAPE))


def quick_controller() -> OracleController:
    planner = GaussNewtonPlanner(iterations=1, random_starts=0)
    return OracleController(planner, horizon=4)


def test_the_cost_is_what_stepping_the_physics_gives(cost: SimulatorGoalCost) -> None:
    plans = random_plans(2)
    found = cost(plans)
    simulator = ReacherSimulator()
    for episode, (state, goal) in enumerate(zip(STATES, GOALS, strict=True)):
        for count in range(2):
            simulator.reset(state[:2], state[2:])
            total = 0.0
            for tick, torque in enumerate(plans[episode, count].reshape(-1, 2)):
                simulator.step(torque)
                if tick % BLOCK == BLOCK - 1:  # the end of a planner step
                    shoulder, wrist = simulator.qpos_rad - goal
                    # |e^{ia} - e^{ib}|² = 2 - 2 cos(a - b): on the circle
                    total += (2 - 2 * np.cos(shoulder) + wrist**2) / HORIZON
            assert found[episode, count] == pytest.approx(total, rel=1e-9)


def test_the_shoulder_is_a_circle(cost: SimulatorGoalCost) -> None:
    wound = GOALS + np.array([[2 * np.pi, 0.0], [-2 * np.pi, 0.0]])
    again = SimulatorGoalCost(cost.simulator, STATES, wound)
    np.testing.assert_allclose(again(random_plans(1)), cost(random_plans(1)), rtol=1e-9)


def test_the_slope_is_that_of_small_steps(cost: SimulatorGoalCost) -> None:
    plan = random_plans(1)[:, 0]
    residuals, slopes = cost.linearise(plan)
    assert slopes.shape == (2, VARIABLES, HORIZON * 3)
    np.testing.assert_allclose(np.square(residuals).sum(-1), cost(plan[:, None])[:, 0], rtol=1e-6)
    nudge = 1e-5
    for variable in (0, 3, VARIABLES - 1):
        step = np.zeros(VARIABLES)
        step[variable] = nudge
        up, down = (cost.linearise(plan + sign * step.reshape(SHAPE))[0] for sign in (1, -1))
        numeric = (up - down) / (2 * nudge)
        np.testing.assert_allclose(slopes[:, variable], numeric, atol=1e-5, rtol=1e-3)


def test_a_torque_moves_nothing_before_it_is_sent(cost: SimulatorGoalCost) -> None:
    _, slopes = cost.linearise(random_plans(1)[:, 0])
    blocks = np.abs(slopes.reshape(2, HORIZON, BLOCK * 2, HORIZON, 3))
    for step in range(HORIZON):
        assert blocks[:, step + 1 :, :, step].sum() == 0
        assert blocks[:, : step + 1, :, step].max((2, 3)).min() > 0


def test_the_slope_on_a_bound_is_not_halved(cost: SimulatorGoalCost) -> None:
    """The simulator clips torques, so a probe must not step outside."""
    _, on_bound = cost.linearise(np.ones((2, *SHAPE)))
    _, inside = cost.linearise(np.full((2, *SHAPE), 0.99))
    np.testing.assert_allclose(on_bound, inside, atol=2e-3, rtol=0.05)


def test_planning_does_not_disturb_what_it_plans_for(cost: SimulatorGoalCost) -> None:
    before = STATES.copy()
    cost(random_plans(1))
    np.testing.assert_array_equal(STATES, before)
    assert isinstance(cost, LeastSquaresCost)


def test_solves_ten_goals_from_rest() -> None:
    rng = np.random.default_rng(0)
    simulator, controller = ReacherSimulator(), quick_controller()
    for episode in range(10):
        start = sample_pose(rng)
        goal = np.clip(start + rng.uniform(-0.5, 0.5, 2), [-9.0, -2.7], [9.0, 2.7])
        simulator.reset(start)
        errors = []
        for tick in range(15):
            state = np.concatenate([simulator.qpos_rad, simulator.qvel_rad_s])
            if tick == 0:
                controller.reset(Goals(state=np.array([[*goal, 0.0, 0.0]])), [episode])
            simulator.step(controller.act(Seen(state=state[None])).actions[0])
            errors.append(angle_error_rad(simulator.qpos_rad, goal).max())
        assert min(errors[:10]) < 0.05, f"episode {episode} never arrived"
        assert max(errors[-3:]) < 0.01, f"episode {episode} did not stay"


def test_an_episode_does_not_depend_on_its_company() -> None:
    controller = OracleController(GaussNewtonPlanner(iterations=1, random_starts=4), horizon=2)
    goals = np.concatenate([GOALS, np.zeros((2, 2))], 1)
    controller.reset(Goals(state=goals), [3, 4])
    together = controller.act(Seen(state=STATES)).actions
    for episode, seed in enumerate((3, 4)):
        one = slice(episode, episode + 1)
        controller.reset(Goals(state=goals[one]), [seed])
        alone = controller.act(Seen(state=STATES[one])).actions[0]
        np.testing.assert_allclose(alone, together[episode], atol=1e-4)
