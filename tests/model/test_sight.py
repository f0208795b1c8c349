"""What a model's own pictures look like: what is kept of it, and what is read back."""

from __future__ import annotations

import io
from dataclasses import fields, replace

import numpy as np
import pytest

from agent.model.likeness import beside, nearest, outside_range, shrink, unlike_any
from agent.model.sight import Sight


@pytest.fixture
def sight() -> Sight:
    rng = np.random.default_rng(0)
    frames = rng.integers(50, 200, (20, 32, 48, 3), np.uint8)
    return Sight(
        rng.normal(size=(20, 3)).astype(np.float32), np.rint(shrink(frames)).astype(np.uint8),
        frames.min(0), frames.max(0),
        outside_limit=0.5, unlike_limit=2.0, news_limit=np.inf, drift_limit=1.0, still_limit=0.1,
    )  # fmt: skip


def test_it_comes_back_as_it_was(sight: Sight) -> None:
    again = Sight.from_bytes(sight.to_bytes())
    for field in fields(sight):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(sight, field.name))
    assert again.to_bytes() == sight.to_bytes()


def test_older_files_have_fewer_limits(sight: Sight) -> None:
    old, newer = io.BytesIO(), ("rest_limit", "push_share")
    names = [field.name for field in fields(sight) if field.name not in newer]
    np.savez(old, **{name: getattr(sight, name) for name in names})
    again = Sight.from_bytes(old.getvalue())
    assert again.still_limit_at(0) == again.still_limit_at(9) == again.still_limit / 2
    with_both = replace(again, rest_limit=0.01, push_share=0.04)
    assert [with_both.still_limit_at(push) for push in (0, 1, 9)] == [0.01, 0.04, 0.1]


def test_beside_is_the_distance_from_what_lies_between() -> None:
    known = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]]], np.float32)
    found = [
        beside(np.array([place], np.float32), known)[0]
        for place in ((0.3, 0.3, 0), (0.3, 0.3, 0.6), (1, 0, 0))
    ]
    np.testing.assert_allclose(found, [0, 0.36 / 3, 0], atol=1e-4)


def test_what_is_usual_is_asked_of_the_known(sight: Sight) -> None:
    few = replace(sight, embeddings=sight.embeddings[:5], news_limit=1.0)
    assert few.odd_limit == np.inf
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(400, 8)) * ([1, 1] + [0.01] * 6)
    odd = replace(sight, embeddings=plane.astype(np.float32), news_limit=1.0).odd_limit
    assert 0 < odd < 0.01


def test_a_thumbnail_is_the_mean_of_each_part() -> None:
    frames = np.random.default_rng(1).integers(0, 256, (2, 32, 64, 3), np.uint8)
    expected = frames.reshape(2, 16, 2, 16, 4, 3).mean((2, 4))
    np.testing.assert_allclose(shrink(frames), expected, rtol=1e-6)
    uneven = np.full((1, 21, 17, 3), 9, np.uint8)
    np.testing.assert_array_equal(shrink(uneven), np.full((1, 16, 16, 3), 9))


def test_outside_the_range_is_a_distance() -> None:
    low, high = np.full((16, 16, 3), 10, np.uint8), np.full((16, 16, 3), 20, np.uint8)
    frames = np.stack([np.full((16, 16, 3), value, np.uint8) for value in (0, 10, 15, 20, 255)])
    np.testing.assert_allclose(outside_range(frames, low, high), [10, 0, 0, 0, 235])


def test_a_level_in_half_of_the_pixels_is_no_other_picture(sight: Sight) -> None:
    """Another driver or lamp does that; a model of a world drawn alike every time had held."""
    strict = replace(sight, outside_limit=0.1, unlike_limit=1e9)
    half, whole = strict.brightest.copy(), strict.brightest + np.uint8(1)
    half[::2] += np.uint8(1)
    strange, _ = strict.look(np.stack([half, whole]), strict.embeddings[:2])
    np.testing.assert_allclose(strange, [1, 2])


def test_a_frame_is_compared_with_its_neighbours_in_the_embedding() -> None:
    known = np.arange(40, dtype=np.float32)[:, None]
    thumbnails = np.broadcast_to(
        np.arange(0, 200, 5, dtype=np.uint8)[:, None, None, None], (40, 16, 16, 3)
    )
    frames = np.full((2, 16, 16, 3), 50, np.uint8)
    # 50 is what the frame at 10 looks like; far away none of the eight nearest does
    near = nearest(np.array([[10.2], [39.0]], np.float32), known)
    unlike = unlike_any(frames, thumbnails[near])
    np.testing.assert_allclose(unlike, [0, 32 * 5 - 50])


def test_what_is_not_finite_is_strange(sight: Sight) -> None:
    frames = np.full((1, 32, 48, 3), 120, np.uint8)
    assert sight.look(frames, np.full((1, 3), np.nan, np.float32))[0] == np.inf


def test_other_files_are_refused(sight: Sight) -> None:
    packed = io.BytesIO()
    np.savez_compressed(packed, **{f.name: getattr(sight, f.name) for f in fields(sight)})
    pickled = io.BytesIO()
    np.savez(pickled, **{f.name: np.array([print], object) for f in fields(sight)})
    short = replace(sight, thumbnails=sight.thumbnails[:3]).to_bytes()
    negative = replace(sight, news_limit=-1.0).to_bytes()
    cut = sight.to_bytes()[:-100]
    for content in (b"", b"no", packed.getvalue(), pickled.getvalue(), short, negative, cut):
        with pytest.raises(ValueError):
            Sight.from_bytes(content)
