"""Reading back: what was written, or an error that names the file."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from agent.data import RolloutStore, RolloutWriter, verify_dataset
from agent.data.episodes import ShardPixels
from agent.errors import DamagedDataError, UserError
from agent.reporting.preview import preview_dataset
from envs import WorldSpec


def damage_a_byte(path, position: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * position)] ^= 0x10
    path.write_bytes(content)


def test_rows_are_laid_out_as_promised(real_store):
    episodes = real_store.load()
    assert isinstance(episodes.pixels, np.ndarray)
    assert episodes.pixels.shape == (6 * 21, 64, 64, 3)
    assert episodes.count == 6
    assert episodes.ep_len.tolist() == [21] * 6
    assert episodes.ep_offset.tolist() == [0, 21, 42, 63, 84, 105]
    last = episodes.ep_offset + episodes.ep_len - 1
    ends = np.zeros(len(episodes.action), bool)
    ends[last] = True
    np.testing.assert_array_equal(np.isnan(episodes.action).all(axis=1), ends)
    assert np.isfinite(episodes.action[~ends]).all()


def test_pictures_on_disk_are_the_pictures_in_memory(fake_store, monkeypatch):
    monkeypatch.setattr(ShardPixels, "OPEN_FILES", 2)
    memory, disk = fake_store.load(), fake_store.load(memory_limit_bytes=0)
    assert isinstance(disk.pixels, ShardPixels)
    rows = np.random.default_rng(0).integers(0, len(memory.action), (5, 7))
    for _ in range(2):
        np.testing.assert_array_equal(disk.pixels[rows], memory.pixels[rows])
    np.testing.assert_array_equal(disk.state, memory.state)
    with pytest.raises(IndexError):
        disk.pixels[np.array([len(memory.action)])]


def test_split_is_disjoint_and_holds_out_the_last(fake_store):
    train, held_out = fake_store.split(0.3)
    assert train.tolist() == [0, 1, 2, 3]
    assert held_out.tolist() == [4, 5]
    assert fake_store.split(0.01)[1].tolist() == [5]
    assert fake_store.split(0.99)[0].tolist() == [0]
    with pytest.raises(UserError, match="holdout-fraction"):
        fake_store.split(1.0)


@pytest.mark.parametrize("position", [0.01, 0.3, 0.6, 0.99])
def test_one_flipped_bit_is_found(fake_store, position):
    damage_a_byte(fake_store.directory / "shards" / "shard-00001.h5", position)
    for read in (fake_store.load, fake_store.verify):
        with pytest.raises(DamagedDataError, match=r"shard-00001\.h5.*Delete the line"):
            read()


def test_a_flipped_bit_in_a_frame_is_found_on_disk_too(fake_store):
    path = fake_store.directory / "shards" / "shard-00001.h5"
    for position in np.linspace(0.3, 0.7, 9):  # noise fills the middle of the file
        damage_a_byte(path, position)
    pixels = fake_store.load(memory_limit_bytes=0).pixels
    with pytest.raises(DamagedDataError, match=r"shard-00001\.h5.*frame"):
        pixels[np.arange(42, 84)]


def test_verify_names_every_damaged_shard(fake_store):
    shards = fake_store.directory / "shards"
    (shards / "shard-00000.h5").write_bytes((shards / "shard-00000.h5").read_bytes()[:-1])
    (shards / "shard-00002.h5").unlink()
    with pytest.raises(DamagedDataError, match=r"(?s)shard-00000.*bytes.*shard-00002.*missing"):
        verify_dataset(fake_store.directory)


def test_a_truncated_shard_is_found_whatever_is_read(fake_store):
    path = fake_store.directory / "shards" / "shard-00001.h5"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DamagedDataError, match=r"expected .* bytes, got 1000"):
        fake_store.load()
    with pytest.raises(DamagedDataError, match=r"expected .* bytes, got 1000"):
        preview_dataset(fake_store.directory, fake_store.directory / "sheet.png")


@pytest.mark.parametrize(
    "line",
    ["not json\n", "{}\n", "[1]\n", '{"shard": "../../etc/passwd"}\n', "\0\0\0\n"],
)
def test_a_bad_manifest_line_is_named(fake_store, line):
    manifest = fake_store.directory / "manifest.jsonl"
    manifest.write_text(line + manifest.read_text())
    with pytest.raises(DamagedDataError, match=r"manifest\.jsonl, line 1"):
        RolloutStore.open(fake_store.directory)


@pytest.mark.parametrize(
    "change",
    [{"shard": "../shard-00000.h5"}, {"episodes": [2, 0]}, {"episodes": [0, 2, 4]}, {"rows": -1},
     {"rows": "42"}, {"episodes": 3}, {"rows": 41}, {"episodes": [1, 3]}],
)  # fmt: skip
def test_a_manifest_line_that_cannot_be_true_is_damage(fake_store, change):
    manifest = fake_store.directory / "manifest.jsonl"
    first, *others = manifest.read_text().splitlines()
    manifest.write_text("\n".join([json.dumps(json.loads(first) | change), *others, ""]))
    with pytest.raises(DamagedDataError):
        RolloutStore.open(fake_store.directory).load()


def test_a_shard_listed_twice_is_damage(fake_store):
    manifest = fake_store.directory / "manifest.jsonl"
    manifest.write_text(manifest.read_text() * 2)
    with pytest.raises(DamagedDataError, match="both hold episode"):
        RolloutStore.open(fake_store.directory)


def test_another_schema_is_named(fake_store):
    header = fake_store.directory / "dataset.json"
    header.write_text(header.read_text().replace("rollouts/2", "rollouts/9"))
    with pytest.raises(UserError, match="'lejepa-agent/rollouts/9'"):
        RolloutStore.open(fake_store.directory)


@pytest.mark.parametrize(
    ("old", "new"),
    [("{", "["), ('"seed"', '"sede"'), ('"action_dim": 3', '"action_dim": 0'),
     ('"action_dim": 3', '"action_dim": true'), ('"restless"', "1"), ('"seed": 3', '"seed": -3')],
)  # fmt: skip
def test_a_damaged_header_is_damage(fake_store, old, new):
    header = fake_store.directory / "dataset.json"
    assert old in header.read_text()
    header.write_text(header.read_text().replace(old, new, 1))
    with pytest.raises(DamagedDataError, match=r"dataset\.json"):
        RolloutStore.open(fake_store.directory)


def test_no_data_set_is_the_users_mistake(tmp_path):
    with pytest.raises(UserError, match="no data set in"):
        RolloutStore.open(tmp_path / "nowhere")


def test_another_digit_in_the_header_is_damage(fake_store: RolloutStore) -> None:
    path = fake_store.directory / "dataset.json"
    path.write_text(path.read_text().replace('"seed": 3', '"seed": 7'))
    with pytest.raises(DamagedDataError, match=r"damaged .*dataset\.json"):
        RolloutStore.open(fake_store.directory)


def test_the_header_of_other_episodes_is_refused(fake_store: RolloutStore) -> None:
    replace(fake_store.header, seed=7).write(fake_store.directory)
    with pytest.raises(DamagedDataError, match=r"not the header that shard-00000\.h5"):
        RolloutStore.open(fake_store.directory)


def test_lines_from_before_there_were_sums_are_read(fake_store: RolloutStore) -> None:
    path = fake_store.directory / "manifest.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert all(line.pop("settings") == fake_store.header.sum for line in lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert RolloutStore.open(fake_store.directory).episode_count == fake_store.episode_count


def test_shards_that_the_list_lost_are_told_of(
    fake_store: RolloutStore, caplog: pytest.LogCaptureFixture
) -> None:
    path = fake_store.directory / "manifest.jsonl"
    first, *_ = path.read_text().splitlines(keepends=True)
    path.write_text(first)
    assert RolloutStore.open(fake_store.directory).episode_count == 2
    assert "does not list shard-00001.h5, shard-00002.h5" in caplog.text
    path.write_text(first.replace('"index": 0', '"index": 1'))
    with pytest.raises(DamagedDataError, match=r"name like shard-00001\.h5"):
        RolloutStore.open(fake_store.directory)


def test_what_is_held_out_can_be_measured_on(tmp_path):
    out = tmp_path / "data"
    spec = WorldSpec("recorded:short", "drawn", (16, 16), 2, 0.04)
    with RolloutWriter(out, spec, episodes_per_shard=3) as writer:
        for steps in (9, 3, 9, 3, 9, 3, 3, 3):
            writer.add(np.zeros((steps + 1, 16, 16, 3), np.uint8), np.zeros((steps, 2)))
    store = RolloutStore.open(out)
    assert store.lengths(4).tolist() == [10, 4, 4, 4]
    assert store.split(0.25, 4)[1].tolist() == [6, 7]  # as without a least length
    assert store.split(0.25, 7)[1].tolist() == [4]
    assert store.split(0.5, 7)[1].tolist() == [4, 5, 6, 7]  # one of the last is long enough
    assert store.split(0.25, 7)[0].tolist() == [0, 1, 2, 3, 5, 6, 7]
    assert store.split(0.25, 11)[1].tolist() == [6, 7]  # none is
