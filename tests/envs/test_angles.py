"""Angles against the circle itself: exp(i·angle) knows nothing of wrapping."""

import numpy as np
import pytest

from envs import PoseError
from envs.reacher import WRIST_LIMIT_RAD, angle_error_rad, checked_pose, sample_pose, wrap_angle

EDGES = [0.0, np.pi, -np.pi, np.nextafter(np.pi, 0), np.nextafter(-np.pi, -4), -1e-17, 1e-17]


def test_wrapping_keeps_the_point_on_the_circle() -> None:
    angle = np.concatenate([EDGES, np.linspace(-40, 40, 999)])
    wrapped = wrap_angle(angle)
    assert (wrapped >= -np.pi).all()
    assert (wrapped < np.pi).all()
    np.testing.assert_allclose(np.exp(1j * wrapped), np.exp(1j * angle), atol=1e-13)


def test_the_error_is_the_arc_between_two_points() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-20, 20, (2, 50, 4, 2))
    arc = np.abs(np.angle(np.exp(1j * (a - b))))
    assert angle_error_rad(a, b).shape == (50, 4, 2)
    np.testing.assert_allclose(angle_error_rad(a, b), arc, atol=1e-12)
    np.testing.assert_array_equal(angle_error_rad(a, b), angle_error_rad(a, b + 0.0))


def test_a_wound_shoulder_is_the_same_pose() -> None:
    np.testing.assert_allclose(angle_error_rad((6 * np.pi + 0.01, 0.0), (0.0, 0.0)), (0.01, 0.0))


def test_sampled_poses_fill_the_range_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    poses = np.array([sample_pose(rng) for _ in range(4000)])
    limit = np.array([np.pi, WRIST_LIMIT_RAD])
    assert (np.abs(poses) <= limit).all()
    # Uniform on ±c has deviation c/√3; 4000 draws know it to 1 %.
    np.testing.assert_allclose(poses.std(axis=0), limit / np.sqrt(3), rtol=0.03)
    assert abs(np.corrcoef(poses.T)[0, 1]) < 0.05


def test_a_pose_out_of_reach_is_an_error_that_says_why() -> None:
    with pytest.raises(PoseError, match=r"goal with a wrist within .*160°.*got 4\.000; .*radians"):
        checked_pose((0.0, 4.0), "goal")
    np.testing.assert_array_equal(checked_pose([40, -2.9]), (40.0, -2.9))
