"""Where the scale begins and ends."""

import numpy as np
import pytest

from agent.baselines.computed_torque import ComputedTorqueController
from agent.baselines.constant import RandomController
from agent.evaluation.episodes import evaluate
from agent.evaluation.protocols import protocol_named
from agent.interfaces import GoalObservation
from envs import ReacherSimulator

BLANK = np.zeros((8, 8, 3), np.uint8)


@pytest.mark.parametrize(("protocol", "held"), [("lewm", 0.95), ("anywhere", 1.0)])
def test_computed_torque_does_what_physics_allows(protocol: str, held: float) -> None:
    results = evaluate(ComputedTorqueController(), protocol_named(protocol), 60, 1, batch=10)
    assert np.mean([result.first_touch for result in results]) >= 0.98
    assert np.mean([result.held for result in results]) >= held


def test_computed_torque_gives_the_acceleration_asked_for() -> None:
    controller = ComputedTorqueController(stiffness_per_s2=25.0)
    state, goal = np.array([0.4, -1.1, 0.5, -0.3]), np.array([0.45, -1.05, 0.0, 0.0])
    torque = controller.act([GoalObservation(BLANK, BLANK, state, goal)])[0]
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
    torques = [
        ComputedTorqueController().act([GoalObservation(BLANK, BLANK, state, goal)])[0]
        for goal in (near, far)
    ]
    np.testing.assert_allclose(torques[0], torques[1], atol=1e-9)


def test_random_torques_belong_to_the_episode_and_fill_the_box() -> None:
    seen = GoalObservation(BLANK, BLANK, np.zeros(4), np.zeros(4))
    pair, single = RandomController(), RandomController()
    pair.reset([seen, seen], [5, 6])
    single.reset([seen], [6])
    torques = np.stack([pair.act([seen, seen]) for _ in range(500)])
    np.testing.assert_array_equal(torques[:, 1], [single.act([seen])[0] for _ in range(500)])
    assert not np.array_equal(torques[:, 0], torques[:, 1])
    assert torques.min() < -0.98
    assert torques.max() > 0.98


def test_stiffness_must_be_positive() -> None:
    with pytest.raises(ValueError, match="stiffness_per_s2 > 0"):
        ComputedTorqueController(0.0)
