"""The random streams of episodes."""

from __future__ import annotations

import numpy as np

from planners import SeededNoise


def test_noise_is_standard_normal_and_each_episode_has_its_own() -> None:
    numbers = SeededNoise((1, 2)).normal((4000,))
    assert numbers.dtype == np.float32
    np.testing.assert_allclose(numbers.mean(1), 0, atol=0.06)
    np.testing.assert_allclose(numbers.std(1), 1, atol=0.05)
    np.testing.assert_array_equal(numbers[1], SeededNoise((2,)).normal((4000,))[0])


def test_uniform_noise_fills_the_unit_interval() -> None:
    numbers = SeededNoise((1,)).uniform((4000, 2))
    assert numbers.shape == (1, 4000, 2) and numbers.dtype == np.float32
    assert numbers.min() >= 0 and numbers.max() < 1
    shares = np.histogram(numbers, 10, (0, 1))[0] / numbers.size
    np.testing.assert_allclose(shares, 0.1, atol=0.015)


def test_a_stream_goes_on_where_it_was() -> None:
    once, twice = SeededNoise((3,)), SeededNoise((3,))
    whole = once.normal((10,))
    np.testing.assert_array_equal(
        whole, np.concatenate([twice.normal((4,)), twice.normal((6,))], 1)
    )
