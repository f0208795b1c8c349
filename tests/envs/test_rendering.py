"""dm_control's own image is the oracle of ``dmc``; geometry is the oracle of ``fast``."""

import hashlib
import subprocess
import sys
import threading
from contextlib import closing

import numpy as np
import pytest

from envs import ProfileError
from envs.looks import MUJOCO_LOOKS
from envs.reacher import ReacherSimulator, arm_camera

POSES = [(0.3, 0.8), (-2.0, -1.1), (3.0, 2.7)]
PIXELS_PER_M = 32 / (0.75 * np.tan(np.deg2rad(45 / 2)))  # at the ground, from the camera's field


@pytest.fixture(scope="module")
def simulator() -> ReacherSimulator:
    return ReacherSimulator()


def test_dmc_is_byte_identical_to_dm_control(simulator: ReacherSimulator) -> None:
    from dm_control import suite

    theirs = suite.load("reacher", "easy", task_kwargs={"random": 0})
    theirs.reset()
    theirs.physics.named.model.geom_rgba["target", 3] = 0.0
    with closing(arm_camera("dmc")) as renderer, closing(arm_camera("dmc", 240)) as large:
        for pose in POSES:
            with theirs.physics.reset_context():
                theirs.physics.data.qpos[:] = pose
            simulator.reset(pose)
            for _ in range(5):  # moving, as in an episode
                theirs.step((0.7, -0.4))
            simulator.step((0.7, -0.4))
            simulator.step((0.7, -0.4))
            theirs_image = theirs.physics.render(64, 64, camera_id=0)
            early = renderer.draw(simulator.qpos_rad)
            assert not np.array_equal(early, theirs_image)  # 4 steps are not 5
            simulator.reset(theirs.physics.data.qpos, theirs.physics.data.qvel)
            np.testing.assert_array_equal(renderer.draw(simulator.qpos_rad), theirs_image)
            np.testing.assert_array_equal(
                large.draw(simulator.qpos_rad), theirs.physics.render(240, 240, camera_id=0)
            )


@pytest.mark.parametrize("profile", MUJOCO_LOOKS)
def test_a_frame_is_fresh_and_the_same_every_time(
    simulator: ReacherSimulator, profile: str
) -> None:
    simulator.reset(POSES[0])
    with closing(arm_camera(profile)) as renderer:
        first = renderer.draw(simulator.qpos_rad)
        assert first.shape == (64, 64, 3)
        assert first.dtype == np.uint8
        assert first.flags.c_contiguous
        kept = first.copy()
        renderer.draw(POSES[1])
        np.testing.assert_array_equal(first, kept)  # a later frame does not overwrite it
        np.testing.assert_array_equal(renderer.draw(simulator.qpos_rad), kept)


def test_every_process_draws_the_same_picture() -> None:
    program = (
        "import hashlib; from envs import reacher\n"
        "s = reacher.ReacherSimulator(); s.reset((0.3, 0.8))\n"
        "print(hashlib.sha256(reacher.arm_camera().draw(s.qpos_rad).tobytes()).hexdigest())"
    )
    child = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    simulator = ReacherSimulator()
    simulator.reset((0.3, 0.8))
    with closing(arm_camera()) as renderer:
        ours = hashlib.sha256(renderer.draw(simulator.qpos_rad).tobytes()).hexdigest()
    assert child.stdout.strip() == ours
    assert child.stderr == ""  # nothing is thrown while OpenGL is torn down


@pytest.mark.parametrize("profile", MUJOCO_LOOKS)
def test_the_finger_is_drawn_where_it_is(simulator: ReacherSimulator, profile: str) -> None:
    """x to the right and y up, seen from above; also that channels are red, green, blue."""
    rng = np.random.default_rng(2)
    with closing(arm_camera(profile)) as renderer:
        for _ in range(10):
            simulator.reset((rng.uniform(-np.pi, np.pi), rng.uniform(-1.5, 1.5)))
            image = renderer.draw(simulator.qpos_rad).astype(int)
            row, column = np.nonzero(image[..., 0] > image[..., 2])  # the arm: yellow on blue
            right, up = column + 0.5 - 32, 32 - (row + 0.5)
            tip = np.argmax(np.hypot(right, up))  # with a wrist this open, the farthest point
            expected = simulator.physics.named.data.geom_xpos["finger", :2] * PIXELS_PER_M
            np.testing.assert_allclose((right[tip], up[tip]), expected, atol=2.0)


def test_fast_is_smooth_under_small_motions(simulator: ReacherSimulator) -> None:
    """Half a pixel of motion must show in the shades: that is what the averaging is for."""
    with closing(arm_camera()) as renderer:
        base = renderer.draw((0.4, 0.6)).astype(int)
        change = [
            np.abs(renderer.draw((0.4, 0.6 + delta)) - base).sum() for delta in (0.025, 0.05, 0.1)
        ]
    assert 0 < change[0] < change[1] < change[2]


def test_both_profiles_and_several_sizes_live_in_one_process(simulator: ReacherSimulator) -> None:
    simulator.reset(POSES[1])
    renderers = [arm_camera(p, s) for p in MUJOCO_LOOKS for s in (32, 64)]
    first = [renderer.draw(simulator.qpos_rad) for renderer in renderers]
    again = [renderer.draw(simulator.qpos_rad) for renderer in reversed(renderers)][::-1]
    for renderer, size, before, after in zip(renderers, (32, 64) * 2, first, again, strict=True):
        assert before.shape == (size, size, 3)
        np.testing.assert_array_equal(before, after)
        renderer.close()


def test_closing_one_renderer_leaves_its_twin_open(simulator: ReacherSimulator) -> None:
    twin, renderer = arm_camera(), arm_camera()
    expected = twin.draw(simulator.qpos_rad)
    renderer.close()
    renderer.close()
    np.testing.assert_array_equal(twin.draw(simulator.qpos_rad), expected)
    with pytest.raises(RuntimeError, match="closed"):
        renderer.draw(simulator.qpos_rad)
    twin.close()
    with closing(arm_camera()) as reopened:
        np.testing.assert_array_equal(reopened.draw(simulator.qpos_rad), expected)


def test_another_thread_has_its_own_context(simulator: ReacherSimulator) -> None:
    simulator.reset(POSES[2])
    frames = []

    def draw() -> None:
        with closing(arm_camera()) as renderer:
            frames.append(renderer.draw(simulator.qpos_rad))

    with closing(arm_camera()) as renderer:
        expected = renderer.draw(simulator.qpos_rad)
        thread = threading.Thread(target=draw)
        thread.start()
        thread.join()
        np.testing.assert_array_equal(renderer.draw(simulator.qpos_rad), expected)
    np.testing.assert_array_equal(frames, [expected])


def test_an_unknown_profile_or_size_is_an_error(simulator: ReacherSimulator) -> None:
    with pytest.raises(ProfileError, match=r"\['dmc', 'fast'\], got 'quick'"):
        arm_camera("quick")
    with pytest.raises(ProfileError, match="from 8 to 1024 pixels, got 4096"):
        arm_camera("fast", 4096)
