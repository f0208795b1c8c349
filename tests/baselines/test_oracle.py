"""The planner on the true physics: if this fails, no learned model can be blamed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from agent.baselines.oracle import OracleController
from agent.baselines.simulator_cost import SimulatorGoalCost
from agent.interfaces import GoalObservation
from envs import ReacherSimulator, angle_error_rad, sample_pose
from planners import GaussNewtonConfig, GaussNewtonPlanner, LeastSquaresCost

BLANK = np.zeros((8, 8, 3), np.uint8)
STATES = np.array([[0.3, -1.0, 0.5, 2.0], [-2.0, 1.2, -3.0, 0.0]])
GOALS = np.array([[0.6, -0.8], [-1.5, 1.0]])
HORIZON, BLOCK = 3, 2
WIDTH = BLOCK * 2
VARIABLES = HORIZON * WIDTH


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def cost() -> SimulatorGoalCost:
    return SimulatorGoalCost(ReacherSimulator(), STATES, GOALS)


def random_plans(count: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(2)
    plans = 1.6 * torch.rand(2, count, HORIZON, WIDTH, generator=draw, dtype=torch.float64) - 0.8
    return plans


def quick_controller() -> OracleController:
    planner = GaussNewtonPlanner(GaussNewtonConfig(iterations=1, random_starts=0))
    return OracleController(planner, horizon=4)


def observation(state: np.ndarray, goal: np.ndarray) -> GoalObservation:
    return GoalObservation(BLANK, BLANK, state, np.concatenate([goal, np.zeros(2)]))


def test_the_cost_is_what_stepping_the_physics_gives(cost: SimulatorGoalCost) -> None:
    plans = random_plans(2)
    found = cost(plans)
    simulator = ReacherSimulator()
    for episode, (state, goal) in enumerate(zip(STATES, GOALS, strict=True)):
        for count in range(2):
            simulator.reset(state[:2], state[2:])
            total = 0.0
            for tick, torque in enumerate(plans[episode, count].reshape(-1, 2).numpy()):
                simulator.step(torque)
                if tick % BLOCK == BLOCK - 1:  # the end of a planner step
                    shoulder, wrist = simulator.qpos_rad - goal
                    # |e^{ia} - e^{ib}|² = 2 - 2 cos(a - b): on the circle
                    total += (2 - 2 * np.cos(shoulder) + wrist**2) / HORIZON
            assert found[episode, count] == pytest.approx(total, rel=1e-9)


def test_the_shoulder_is_a_circle(cost: SimulatorGoalCost) -> None:
    wound = GOALS + np.array([[2 * np.pi, 0.0], [-2 * np.pi, 0.0]])
    again = SimulatorGoalCost(cost.simulator, STATES, wound)
    torch.testing.assert_close(again(random_plans(1)), cost(random_plans(1)))


def test_the_slope_is_that_of_small_steps(cost: SimulatorGoalCost) -> None:
    plan = random_plans(1)[:, 0]
    residuals, jacobian = cost.linearise(plan)
    assert jacobian.shape == (2, HORIZON * 3, VARIABLES)
    torch.testing.assert_close(residuals.square().sum(-1), cost(plan[:, None])[:, 0])
    nudge = 1e-5
    for variable in (0, 3, VARIABLES - 1):
        step = torch.zeros(VARIABLES, dtype=plan.dtype)
        step[variable] = nudge
        up, down = (cost.linearise(plan + sign * step.view(HORIZON, WIDTH))[0] for sign in (1, -1))
        numeric = (up - down) / (2 * nudge)
        torch.testing.assert_close(jacobian[..., variable], numeric, atol=1e-5, rtol=1e-3)


def test_a_torque_moves_nothing_before_it_is_sent(cost: SimulatorGoalCost) -> None:
    _, jacobian = cost.linearise(random_plans(1)[:, 0])
    blocks = jacobian.reshape(2, HORIZON, 3, HORIZON, WIDTH)
    for step in range(HORIZON):
        assert blocks[:, step, :, step + 1 :].abs().sum() == 0
        assert blocks[:, step, :, : step + 1].abs().amax((1, 3)).min() > 0


def test_the_slope_on_a_bound_is_not_halved(cost: SimulatorGoalCost) -> None:
    """The simulator clips torques, so a probe must not step outside."""
    _, on_bound = cost.linearise(torch.ones(2, HORIZON, WIDTH, dtype=torch.float64))
    _, inside = cost.linearise(torch.full((2, HORIZON, WIDTH), 0.99, dtype=torch.float64))
    torch.testing.assert_close(on_bound, inside, atol=2e-3, rtol=0.05)


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
                controller.reset([observation(state, goal)], [episode])
            simulator.step(controller.act([observation(state, goal)])[0])
            errors.append(angle_error_rad(simulator.qpos_rad, goal).max())
        assert min(errors[:10]) < 0.05, f"episode {episode} never arrived"
        assert max(errors[-3:]) < 0.01, f"episode {episode} did not stay"


def test_an_episode_does_not_depend_on_its_company() -> None:
    controller = OracleController(
        GaussNewtonPlanner(GaussNewtonConfig(iterations=1, random_starts=4)), horizon=2
    )
    seen = [observation(state, goal) for state, goal in zip(STATES, GOALS, strict=True)]
    controller.reset(seen, [3, 4])
    together = controller.act(seen)
    for episode, seed in enumerate((3, 4)):
        controller.reset([seen[episode]], [seed])
        np.testing.assert_allclose(controller.act([seen[episode]])[0], together[episode], atol=1e-4)
