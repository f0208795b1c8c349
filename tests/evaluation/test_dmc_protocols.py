"""The dmc protocols pay dm_control's reward, the same tasks in both, and refuse who can't play."""

from collections.abc import Sequence

import numpy as np
import pytest

from agent.baselines.actor import TARGET_LAYOUT, Actor, ActorConfig, ActorController
from agent.baselines.computed_torque import ComputedTorqueController
from agent.baselines.constant import NoOpController
from agent.errors import UserError
from agent.evaluation.episodes import evaluate
from agent.evaluation.protocols import EpisodeSpec, protocol_named
from agent.evaluation.verdict import judge
from agent.interfaces import Array, GoalObservation
from envs import REACH_M, angle_error_rad, fingertip_m


class Recorder(ComputedTorqueController):
    """Keeps the torques it sends."""

    def __init__(self) -> None:
        super().__init__()
        self.torques: list[Array] = []

    def act(self, observations: Sequence[GoalObservation]) -> Array:
        torques = super().act(observations)
        self.torques.append(torques[0])
        return torques


@pytest.mark.parametrize("task", ["easy", "hard"])
def test_the_return_is_the_one_dm_control_pays(task: str) -> None:
    controller, protocol = Recorder(), protocol_named(f"dmc-{task}")
    (result,) = evaluate(controller, protocol, 1, seed=5)
    (spec,) = protocol.episodes(1, seed=5)
    from dm_control import suite  # only now, when OpenGL has been chosen

    theirs = suite.load("reacher", task)
    theirs.reset()
    with theirs.physics.reset_context():
        theirs.physics.data.qpos[:] = spec.start_qpos_rad
        theirs.physics.data.qvel[:] = 0.0
    theirs.physics.named.model.geom_pos["target", :2] = fingertip_m(spec.goal_qpos_rad)
    steps = [theirs.step(torque) for torque in controller.torques for _ in range(2)]
    assert steps[-1].last()
    assert result.episode_return == sum(step.reward for step in steps)
    assert result.episode_return > 900
    assert result.held


def test_easy_and_hard_are_the_same_episodes() -> None:
    easy, hard = (protocol_named(f"dmc-{task}").episodes(30, seed=5) for task in REACH_M)
    distances = []
    for one, other in zip(easy, hard, strict=True):
        np.testing.assert_array_equal(one.start_qpos_rad, other.start_qpos_rad)
        np.testing.assert_array_equal(one.goal_qpos_rad, other.goal_qpos_rad)
        np.testing.assert_array_equal(one.start_qvel_rad_s, 0.0)
        distances.append(np.linalg.norm(fingertip_m(one.goal_qpos_rad)))
    assert 0.05 <= min(distances) < max(distances) <= 0.2


def test_either_elbow_pays() -> None:
    protocol = protocol_named("dmc-hard")
    shoulder, wrist = 0.4, 1.0
    spec = EpisodeSpec(0, np.zeros(2), np.zeros(2), np.array([shoulder, wrist]))
    path = np.zeros((500, 2, 2))
    path[100:] = (shoulder + wrist, -wrist)  # the other way to bend
    result = judge(protocol, spec, path)
    assert (result.episode_return, result.steps_to_success, result.held) == (800.0, 101, True)
    assert result.final_error_rad > 1.0  # of the joints, told as it is
    assert judge(protocol_named("lewm"), spec, path[:50]).episode_return is None


def test_the_reach_is_a_distance_of_the_fingertip() -> None:
    goal = np.array([0.4, 1.0])
    nearly = goal + np.array([0.2, 0.0])
    away_m = float(np.linalg.norm(fingertip_m(nearly) - fingertip_m(goal)))
    assert REACH_M["hard"] < away_m < REACH_M["easy"]
    assert protocol_named("dmc-easy").inside(nearly, goal)
    assert not protocol_named("dmc-hard").inside(nearly, goal)


def test_idling_is_paid_only_where_the_arm_starts_on_the_target() -> None:
    results = evaluate(NoOpController(), protocol_named("dmc-easy"), 12, seed=77, batch=12)
    assert {result.episode_return for result in results} <= {0.0, 1000.0}
    for result in results:
        assert (result.episode_return == 1000.0) == result.solved_at_start


def target_actor(task: str) -> ActorController:
    config = ActorConfig((4,), TARGET_LAYOUT, "sac-dmc", task)
    return ActorController(Actor(config))


def test_a_policy_of_another_task_is_refused() -> None:
    evaluate(target_actor("easy"), protocol_named("dmc-easy"), 1, seed=5)
    for task, name in (("easy", "dmc-hard"), ("hard", "dmc-easy"), ("easy", "anywhere")):
        with pytest.raises(UserError, match=rf"of dmc-{task}, but this is protocol '{name}'"):
            evaluate(target_actor(task), protocol_named(name), 1, seed=5)


def test_swift_is_as_fast_as_it_says() -> None:
    specs = protocol_named("swift").episodes(250, seed=5)
    speeds = np.stack([spec.start_qvel_rad_s for spec in specs])
    assert np.sqrt(np.mean(speeds**2)) == pytest.approx(2.6, abs=0.15)
    raw = np.array([np.abs(s.goal_qpos_rad - s.start_qpos_rad).max() for s in specs])
    assert 0.05 < np.mean(raw > np.pi) < 0.2  # hence modulo 2π
    turned = specs[0].goal_qpos_rad + np.array([2 * np.pi, 0.0])
    assert angle_error_rad(turned, specs[0].goal_qpos_rad).max() < 1e-9
    assert protocol_named("swift").inside(turned, specs[0].goal_qpos_rad)
