"""Where the scale begins and ends."""

import numpy as np
import pytest

from agent.interfaces import Controller, Goals, Seen
from agent.rivals.constant import RandomController
from agent.rivals.reacher import computed_torque
from agent.rivals.reacher.computed_torque import ComputedTorqueController
from envs import WorldSpec, distance_to_goal
from envs.reacher import ReacherSimulator
from envs.reacher.world import ReacherWorld


def decide(controller: Controller, state: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """The first action of one episode."""
    controller.reset(Goals(state=goal[None]), [0])
    return controller.act(Seen(state=state[None])).actions[0]


def test_computed_torque_does_what_physics_allows() -> None:
    world, rng, inside = ReacherWorld(), np.random.default_rng(1), []
    controller = ComputedTorqueController()
    for _ in range(20):
        goal = world.sample_state(rng)
        world.reset(rng)
        controller.reset(Goals(state=goal[None]), [0])
        for _ in range(100):
            world.step(controller.act(Seen(state=world.state()[None])).actions[0])
        inside.append(distance_to_goal(world.spec, world.state(), goal) < 1.0)
    assert all(inside)


def test_computed_torque_gives_the_acceleration_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(computed_torque, "STIFFNESS_PER_S2", 25.0)
    controller = ComputedTorqueController()
    state, goal = np.array([0.4, -1.1, 0.5, -0.3]), np.array([0.45, -1.05, 0.0, 0.0])
    torque = decide(controller, state, goal)
    assert np.abs(torque).max() < 1.0  # not saturated, or the law could not hold
    simulator = ReacherSimulator(action_repeat=1)
    # At its own 0.02 s the integrator's implicit damping would blur the instant's acceleration.
    simulator.physics.model.opt.timestep = 1e-6
    simulator.reset(state[:2], state[2:])
    simulator.step(torque)
    wanted = 25.0 * (goal[:2] - state[:2]) - 10.0 * state[2:]
    found = (simulator.qvel_rad_s - state[2:]) / 1e-6
    np.testing.assert_allclose(found, wanted, rtol=1e-3)


def test_computed_torque_turns_the_short_way_round() -> None:
    state = np.array([0.1 - 2 * np.pi, 0.5, 0.0, 0.0])
    near, far = np.array([0.2, 0.5, 0.0, 0.0]), np.array([0.2 - 2 * np.pi, 0.5, 0.0, 0.0])
    torques = [decide(ComputedTorqueController(), state, goal) for goal in (near, far)]
    np.testing.assert_allclose(torques[0], torques[1], atol=1e-9)


@pytest.mark.parametrize("action_dim", [1, 2, 5])
def test_random_actions_belong_to_the_episode_and_fill_the_box(action_dim: int) -> None:
    spec = WorldSpec("any", "plain", (16, 16), action_dim, 0.1)
    pair, single, seen = RandomController(spec), RandomController(spec), Seen()
    pair.reset(Goals(state=np.zeros((2, 0))), [5, 6])
    single.reset(Goals(state=np.zeros((1, 0))), [6])
    actions = np.stack([pair.act(seen).actions for _ in range(500)])
    alone = [single.act(seen).actions[0] for _ in range(500)]
    np.testing.assert_array_equal(actions[:, 1], alone)
    assert not np.array_equal(actions[:, 0], actions[:, 1])
    assert actions.shape == (500, 2, action_dim)
    assert actions.min() < -0.98 and actions.max() > 0.98
