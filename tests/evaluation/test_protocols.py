"""The oracle of a recording is one whose angles are its own clock."""

from typing import Any

import numpy as np
import pytest

from agent.data import RollOut, episode_rng
from agent.errors import UserError
from agent.evaluation import protocols
from agent.evaluation.protocols import PROTOCOLS, EpisodeSpec, protocol_named


def clock(simulator: Any, behaviour: Any, rng: np.random.Generator, steps: int) -> RollOut:
    ticks = np.arange(steps + 1.0)[:, None] * np.ones(2)
    return RollOut(np.zeros((steps, 2), np.float32), ticks, 0.5 + ticks)


def same(one: EpisodeSpec, other: EpisodeSpec) -> bool:
    arrays = ("start_qpos_rad", "start_qvel_rad_s", "goal_qpos_rad")
    equal = [np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays]
    return all(equal) and one.seed == other.seed


@pytest.mark.parametrize(
    ("name", "offset", "budget", "at_rest"),
    [
        ("lewm", 25, 50, False),
        ("lewm-rest", 25, 50, True),
        ("swift", 25, 50, False),
        ("lewm-t50-b50", 50, 50, False),
        ("lewm-t100-b2t-rest", 100, 200, True),
    ],
)
def test_goal_is_so_many_steps_after_the_start_in_a_recording(
    monkeypatch: pytest.MonkeyPatch, name: str, offset: int, budget: int, at_rest: bool
) -> None:
    monkeypatch.setattr(protocols, "roll_out", clock)
    protocol = protocol_named(name)
    assert protocol.budget_steps == budget
    starts = []
    for spec in protocol.episodes(1500, seed=3):
        starts.append(spec.start_qpos_rad[0])
        np.testing.assert_array_equal(spec.goal_qpos_rad - spec.start_qpos_rad, offset)
        speed = 0.0 if at_rest else spec.start_qpos_rad + 0.5
        np.testing.assert_array_equal(spec.start_qvel_rad_s, speed)
    assert set(starts) == set(range(200 - offset + 1))


def test_recordings_come_from_streams_no_data_set_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    states = []

    def note(simulator: Any, behaviour: Any, rng: np.random.Generator, steps: int) -> RollOut:
        states.append(str(rng.bit_generator.state))
        return clock(simulator, behaviour, rng, steps)

    monkeypatch.setattr(protocols, "roll_out", note)
    protocol_named("lewm").episodes(30, seed=0)
    protocol_named("swift").episodes(30, seed=0)
    training = {str(episode_rng(0, e).bit_generator.state) for e in range(200)}
    assert len(set(states)) == 60
    assert training.isdisjoint(states)


def test_an_episode_depends_on_protocol_seed_and_number_alone() -> None:
    for name in ("lewm", "swift", "anywhere"):
        few, many = (protocol_named(name).episodes(n, seed=7) for n in (2, 4))
        assert all(same(a, b) for a, b in zip(few, many, strict=False))
        assert not same(many[0], many[1])
        assert not same(many[0], protocol_named(name).episodes(1, seed=8)[0])


def test_lewm_tasks_are_as_hard_as_published() -> None:
    specs = protocol_named("lewm").episodes(250, seed=0)
    larger = [np.abs(s.goal_qpos_rad - s.start_qpos_rad).max() for s in specs]
    assert 0.5 < np.median(larger) < 0.66  # published 0.57
    assert np.mean(np.less(larger, 0.05)) < 0.03  # published 0.6 %


def test_a_turned_shoulder_is_far_in_lewm_and_near_in_anywhere() -> None:
    pose, turned = np.array([0.3, 1.0]), np.array([0.3 + 2 * np.pi, 1.01])
    near = protocol_named("anywhere").joint_error_rad(turned, pose)
    far = protocol_named("lewm").joint_error_rad(turned, pose)
    np.testing.assert_allclose(near, [0.0, 0.01], atol=1e-12)
    np.testing.assert_allclose(far, [2 * np.pi, 0.01], atol=1e-12)


def test_an_unknown_protocol_names_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'lewm-t50-b2t'"):
        protocol_named("lewm-t50-2t")
    with pytest.raises(UserError, match="did you mean 'anywhere'"):
        protocol_named("anywhre")
    assert all(PROTOCOLS[name].name == name for name in PROTOCOLS)


@pytest.mark.parametrize(("count", "seed"), [(0, 0), (3, -1)])
def test_senseless_numbers_are_refused(count: int, seed: int) -> None:
    with pytest.raises(UserError, match="episodes >= 1"):
        protocol_named("lewm").episodes(count, seed)
