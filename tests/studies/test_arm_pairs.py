"""Pairs of posed and of moving arms, probes, and the encoder trained on pairs."""

from __future__ import annotations

import numpy as np
import pytest

from agent.data import episode_rng
from agent.errors import UserError
from envs import make_world, roll_out
from studies import trajectories
from studies.made_once import made_once
from studies.pair_encoder import PairTraining, embed, train_on_pairs
from studies.poses import ou_partners, picture_ceiling
from studies.probes import angle_r2, held_out_r2, scaled_orthogonality_error
from studies.trajectories import SOURCES, STRIDES, MovingFrames, Pool, apart, moments_for


@pytest.mark.parametrize("rho", [0.3, 0.9, 0.99])
def test_partners_among_a_pool_follow_the_ou_law(rho):
    pool = np.random.default_rng(0).standard_normal((4000, 2))
    partners = ou_partners(pool, rho, 16, seed=1)
    here = np.repeat(np.arange(4000), 16)
    there = partners.ravel()
    assert (here != there).all()
    np.testing.assert_array_equal(partners, ou_partners(pool, rho, 16, seed=1))
    step = pool[there] - rho * pool[here]
    assert np.abs(step.mean(0)).max() < 0.05
    np.testing.assert_allclose(step.std(0), np.sqrt(1 - rho**2), rtol=0.04)
    for joint in (0, 1):
        assert np.corrcoef(pool[here, joint], pool[there, joint])[0, 1] == pytest.approx(
            rho, abs=0.025
        )
        assert abs(np.corrcoef(step[:, joint], pool[here, joint])[0, 1]) < 0.06  # additive noise


def test_partners_need_a_correlation_between_zero_and_one():
    with pytest.raises(ValueError, match="rho between 0 and 1, got 1"):
        ou_partners(np.zeros((3, 2)), 1.0, 1, 0)


def test_the_ceiling_is_what_the_best_guess_from_the_wrapped_angle_reaches():
    raw = np.random.default_rng(0).standard_normal(1_000_000)
    bins = np.digitize((raw + np.pi) % (2 * np.pi), np.linspace(0, 2 * np.pi, 400)[1:-1])
    guess = np.bincount(bins, raw) / np.bincount(bins)
    assert picture_ceiling() == pytest.approx(1 - (raw - guess[bins]).var(), abs=0.003)
    assert picture_ceiling(std_rad=0.5) == pytest.approx(1.0, abs=1e-6)


def test_shared_arrays_are_made_once(tmp_path):
    made = []

    def make():
        made.append(1)
        return {"frames": np.arange(6).reshape(2, 3)}

    path = tmp_path / "shared" / "f"
    for _ in range(2):
        frames = made_once(path, make)["frames"]
        np.testing.assert_array_equal(frames, [[0, 1, 2], [3, 4, 5]])
        assert isinstance(frames, np.memmap) and not frames.flags.writeable
    assert made == [1]


def test_an_interrupted_making_leaves_nothing_behind_that_is_taken_for_whole(tmp_path):
    def fail():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made_once(tmp_path / "f", fail)
    assert made_once(tmp_path / "f", lambda: {"a": np.ones(2)})["a"].sum() == 2


def _split(rng, make):
    return make(rng.standard_normal((3000, 2))), make(rng.standard_normal((3000, 2)))


def test_probes_read_rotations_wholly_and_noise_in_part():
    rng = np.random.default_rng(0)
    latents = _split(rng, lambda z: z)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = (latents[0] @ turn, latents[1] @ turn)
    np.testing.assert_allclose(held_out_r2(turned, latents), 1.0, atol=1e-9)
    noisy = tuple(z + 0.5 * rng.standard_normal(z.shape) for z in turned)
    np.testing.assert_allclose(held_out_r2(noisy, latents), 1 / 1.25, atol=0.03)


def test_a_turn_of_the_shoulder_costs_raw_r2_alone():
    rng = np.random.default_rng(0)
    angles = (rng.uniform(-3, 3, (2000, 2)), rng.uniform(-3, 3, (2000, 2)))
    wound = tuple(z + 2 * np.pi * rng.integers(-1, 2, z.shape) for z in angles)
    found = angle_r2(angles, wound)
    assert found["r2_wrapped"] == pytest.approx(1.0)
    assert found["r2_raw"] < 0.2


@pytest.mark.parametrize(
    ("features", "targets", "text"),
    [
        (np.ones((9, 2)), np.ones((8, 2)), "as many targets as features"),
        (np.ones((3, 2)), np.ones((3, 2)), "more than 3 samples"),
        (np.full((9, 2), np.nan), np.ones((9, 2)), "finite"),
        (np.ones((9, 2)), np.arange(18).reshape(9, 2) * [1, 0], "constant column 1"),
    ],
)
def test_a_probe_names_what_is_wrong(features, targets, text):
    with pytest.raises(UserError, match=text):
        held_out_r2((features, features), (targets, targets))


def test_orthogonality_is_lost_by_stretching_not_by_turning_or_scaling():
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((5000, 2))
    turn = np.linalg.qr(rng.standard_normal((5, 5)))[0][:2]  # (2, 5), orthonormal rows
    assert scaled_orthogonality_error(latents, 0.3 * latents @ turn) < 0.05
    stretched = scaled_orthogonality_error(latents, latents @ np.diag([2.0, 1.0]) @ turn)
    assert stretched == pytest.approx(0.6, abs=0.05)  # squares 4 and 1 about their mean 2.5
    assert scaled_orthogonality_error(latents, np.zeros((5000, 3))) == 1.0


def test_lejepa_on_pairs_finds_the_latents_of_a_simple_picture():
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((2000, 2))
    patterns = rng.uniform(-1, 1, (2, 16, 16, 3))
    frames = np.clip(128 + 40 * np.tensordot(latents, patterns, 1), 0, 255).astype(np.uint8)
    partners = ou_partners(latents, 0.9, 8, seed=0)

    def draw(rng, batch):
        here = rng.integers(2000, size=batch)
        return here, partners[here, rng.integers(8, size=batch)]

    config = PairTraining(steps=40, batch=64, channels=(4, 4, 8), hidden=32)
    embeddings = embed(train_on_pairs(frames, draw, config), frames)
    assert held_out_r2((embeddings, embeddings), (latents, latents)).min() > 0.9
    again = embed(train_on_pairs(frames, draw, config), frames)
    np.testing.assert_array_equal(embeddings, again)


@pytest.fixture
def pool(monkeypatch, tmp_path):
    """Three episodes whose pictures are numbers of the order in which they were drawn."""
    monkeypatch.setattr(trajectories, "render_poses", lambda qpos, size: np.arange(len(qpos)))
    return Pool(SOURCES["ou"], 3, 16, 5, tmp_path / "pool")


@pytest.mark.parametrize("stride", STRIDES)
def test_moving_pairs_are_as_far_apart_in_time_as_they_say(pool, stride):
    moving = pool.frames(stride)
    here, there = moving.pairs(stride)
    assert len(here) >= 3 * 7
    for first, second in zip(here, there, strict=True):
        path = pool.paths()[first // moving.moments.per_episode]
        at = np.flatnonzero((path == moving.qpos_rad[first]).all(1))
        assert (path[at + stride] == moving.qpos_rad[second]).all()


def test_paths_are_those_of_the_behaviour(pool):
    path = roll_out(make_world("reacher"), SOURCES["ou"], episode_rng(5, 2), 120).states[:, :2]
    np.testing.assert_array_equal(pool.paths()[2], path)
    assert pool.frames(1).correlation(1) > pool.frames(64).correlation(64)


@pytest.mark.parametrize("stride", STRIDES)
def test_joints_apart_are_those_of_one_episode(stride):
    clock = np.arange(121.0)
    paths = np.stack([np.stack([clock, np.full(121, episode)], 1) for episode in range(3)])
    first, second = apart(paths, stride)
    assert first.shape == second.shape and first.shape[1] >= 1
    np.testing.assert_array_equal(second - first, np.full_like(first, 1) * [stride, 0])


def test_a_smaller_pool_is_the_beginning_of_a_larger_one(pool, tmp_path):
    smaller = Pool(SOURCES["ou"], 2, 16, 5, tmp_path / "smaller")
    for stride in (1, 8):
        part, whole = pool.frames(stride).first(2), smaller.frames(stride)
        np.testing.assert_array_equal(part.qpos_rad, whole.qpos_rad)
        np.testing.assert_array_equal(part.frames, whole.frames)


def test_a_stride_and_a_number_that_there_are_not_are_named(pool):
    for stride in (5, 24, 121):
        with pytest.raises(UserError, match=f"in an episode of 120; got {stride}"):
            pool.frames(stride)
    moving = MovingFrames(np.zeros(45), np.zeros((45, 2)), moments_for(8))
    with pytest.raises(UserError, match=r"two of the moments 0, 8, 16.*, got 4"):
        moving.pairs(4)
    for episodes in (0, 4):
        with pytest.raises(UserError, match=f"expected 1 to 3 episodes.*got {episodes}"):
            moving.first(episodes)


def test_the_controller_goes_from_pose_to_pose():
    world = make_world("reacher")
    path = roll_out(world, SOURCES["controller"], np.random.default_rng(0), 120)
    speeds = np.abs(path.states[:, 2:])
    assert np.abs(path.actions).max() <= 1.0
    assert speeds[[39, 79, 119]].max() < 0.3  # at rest when the goal changes
    assert speeds.max() > 1.0
