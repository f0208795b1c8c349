"""Any rows survive a shard, and any record a line of the manifest."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.data.manifest import ShardRecord
from agent.data.reading import OpenShard
from agent.data.shards import Columns, encode_shard
from envs import Column, WorldSpec

often = settings(max_examples=40, deadline=None, derandomize=True)
WHOLE = st.integers(0, 2**53)


@often
@given(
    index=st.integers(0, 10**7), first=WHOLE, count=st.integers(1, 2**40), rows=WHOLE,
    content=st.binary(max_size=20),
)  # fmt: skip
def test_a_record_survives_its_line(
    index: int, first: int, count: int, rows: int, content: bytes
) -> None:
    record = ShardRecord.of(index, (first, first + count), rows, content)
    assert ShardRecord.from_line(record.to_line()) == record
    assert "\n" not in record.to_line()


@often
@given(st.text() | st.dictionaries(st.text(), st.integers()).map(str))
def test_what_is_no_record_is_refused(line: str) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):  # what the manifest's reader answers
        ShardRecord.from_line(line)


@often
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4), width=st.integers(1, 3),
    state=st.integers(0, 3), size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    seed=st.integers(0, 2**32), plain=st.booleans(),
)  # fmt: skip
def test_rows_survive_a_shard(
    lengths: list[int], width: int, state: int, size: tuple[int, int], seed: int, plain: bool
) -> None:
    rng, rows = np.random.default_rng(seed), sum(lengths)
    pixels = rng.integers(0, 2 if plain else 256, (rows, *size, 3), dtype=np.uint8)
    action = rng.standard_normal((rows, width)).astype(np.float32)
    action[np.cumsum(lengths) - 1] = np.nan
    given_columns = Columns(action, rng.standard_normal((rows, state)), np.array(lengths))
    spec = WorldSpec("w", "l", size, width, 0.1, tuple(Column(f"s{i}") for i in range(state)))
    content = encode_shard(pixels, given_columns)
    assert content == encode_shard(pixels, given_columns)
    with closing(OpenShard(content, spec, rows, len(lengths))) as file:
        found, frames = file.columns(), np.empty_like(pixels)
        file.frames(frames)
    np.testing.assert_array_equal(frames, pixels)
    for name in ("action", "state", "ep_len"):
        np.testing.assert_array_equal(getattr(found, name), getattr(given_columns, name))
