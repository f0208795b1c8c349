"""Recording by a program of one's own: what was given is what is read, whatever comes after."""

from __future__ import annotations

import dataclasses
import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agent.data import RolloutStore, RolloutWriter
from agent.data.manifest import MANIFEST_NAME
from agent.errors import MachineError, UserError
from envs import Column, SpecError, WorldSpec

SPEC = WorldSpec("recorded:buffer", "drawn", (16, 16), 2, 0.04, (Column("x"),))


def test_an_array_that_is_filled_again_is_another_episode(tmp_path: Path) -> None:
    frames, actions, states = np.zeros((4, 16, 16, 3), np.uint8), np.zeros((3, 2)), np.zeros((4, 1))
    with RolloutWriter(tmp_path / "data", SPEC) as writer:
        for value in (10, 20, 30):
            frames[:], actions[:], states[:] = value, value / 100, value
            writer.add(frames, actions, states)
    read = RolloutStore.open(tmp_path / "data").load()
    for seen in (read.pixels[:, 0, 0, 0], read.state[:, 0]):
        assert seen.reshape(3, 4).tolist() == [[10] * 4, [20] * 4, [30] * 4]


@pytest.mark.parametrize(
    ("frames", "actions", "states"),
    [
        (None, None, None),
        (np.zeros((3, 16, 16, 3), np.uint8), [[1, 2], [3]], np.zeros((3, 1))),
        (np.zeros((3, 16, 16, 3), np.uint8), np.zeros((2, 2)), "high"),
        ([[1], [2, 3]], np.zeros((2, 2)), np.zeros((3, 1))),
        (np.zeros((2, 16, 16, 3), np.uint8), 0.5, np.zeros((2, 1))),
        (np.zeros((3, 16, 16, 3), np.uint8), np.zeros((2, 2), complex), np.zeros((3, 1))),
        (np.zeros((3, 16, 16, 3), np.uint8), np.zeros((2, 2)), np.zeros((3, 1), complex)),
    ],
    ids=["nothing", "ragged", "text", "ragged frames", "one number", "complex", "complex state"],
)
def test_what_is_no_array_is_refused_and_nothing_is_kept(
    frames: Any, actions: Any, states: Any, tmp_path: Path
) -> None:
    with RolloutWriter(tmp_path / "data", SPEC) as writer, pytest.raises(UserError):
        writer.add(frames, actions, states)


def test_a_shard_of_no_episodes_begins_no_data_set(tmp_path: Path) -> None:
    for wrong in (0, 2.5, 2.0, True):
        with pytest.raises(UserError, match=rf"episodes_per_shard from 1 to \d+, got {wrong}"):
            RolloutWriter(tmp_path / "data", SPEC, episodes_per_shard=wrong)  # type: ignore[arg-type]
    assert not (tmp_path / "data").exists()
    RolloutWriter(tmp_path / "data", SPEC, episodes_per_shard=np.int64(5)).close()  # type: ignore[arg-type]


def test_sizes_computed_elsewhere_are_sizes(tmp_path: Path) -> None:
    made = WorldSpec("recorded:buffer", "drawn", [np.int64(16), 16], 2, 0.04, (Column("x"),))  # type: ignore[arg-type]
    assert made == SPEC and made.image_size == (16, 16)
    with RolloutWriter(tmp_path / "data", made) as writer:
        writer.add(np.zeros((2, 16, 16, 3), np.uint8), np.zeros((1, 2)), np.zeros((2, 1)))
    for wrong in ((16.0, 16), (True, 16), (16,), (0, 16)):
        with pytest.raises(ValueError, match="image_size"):
            WorldSpec("recorded:buffer", "drawn", wrong, 2, 0.04)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Column("x", tolerance="0.1"), "numbers for period"),  # type: ignore[arg-type]
        (lambda: Column(3), "a text as name"),  # type: ignore[arg-type]
        (lambda: WorldSpec(None, "a", (16, 16), 1, 0.1), "texts as world"),  # type: ignore[arg-type]
        (lambda: WorldSpec("a", "a", (16, 16), 1, 0.1, ("x",)), "a state of Columns"),  # type: ignore[arg-type]
    ],
)
def test_what_a_spec_is_made_of_is_checked(make: Any, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        make()


def test_a_refused_writer_keeps_nobody_out(tmp_path: Path) -> None:
    with RolloutWriter(tmp_path / "data", SPEC) as writer:
        writer.add(np.zeros((2, 16, 16, 3), np.uint8), np.zeros((1, 2)), np.zeros((2, 1)))
    with pytest.raises(ValueError, match="step_s") as kept:
        RolloutWriter(tmp_path / "data", WorldSpec("recorded:buffer", "drawn", (16, 16), 2, 0.05))
    RolloutWriter(tmp_path / "data", SPEC, extend=True).close()
    assert kept.value  # as a notebook keeps the last exception, and its frames


def test_a_script_that_runs_twice_records_once(tmp_path: Path) -> None:
    def script(**how: bool) -> int:
        with RolloutWriter(tmp_path / "data", SPEC, **how) as writer:  # type: ignore[arg-type]
            writer.add(np.zeros((2, 16, 16, 3), np.uint8), np.zeros((1, 2)), np.zeros((2, 1)))
        return RolloutStore.open(tmp_path / "data").episode_count

    assert script() == 1
    with pytest.raises(UserError, match=r"no episodes in .*, got 1: .* extend=True"):
        script()
    assert script(extend=True) == 2


def test_a_closed_writer_takes_nothing(tmp_path: Path) -> None:
    writer = RolloutWriter(tmp_path / "data", SPEC)
    writer.close()
    writer.close()
    with pytest.raises(UserError, match=r"that is open, got one of .*data that is closed"):
        writer.add(np.zeros((2, 16, 16, 3), np.uint8), np.zeros((1, 2)), np.zeros((2, 1)))


def test_the_first_episodes_are_counted_where_some_between_are_gone(tmp_path: Path) -> None:
    with RolloutWriter(tmp_path, SPEC, episodes_per_shard=2) as writer:
        for _ in range(6):
            writer.add(np.zeros((2, 16, 16, 3), np.uint8), np.zeros((1, 2)), np.zeros((2, 1)))
    lines = (tmp_path / MANIFEST_NAME).read_text().splitlines(keepends=True)
    (tmp_path / MANIFEST_NAME).write_text(lines[0] + lines[2])
    store = RolloutStore.open(tmp_path)
    assert store.episode_count == 4
    assert store.first(4).content_sha256() == store.content_sha256()
    assert store.first(2).records == store.records[:1]
    with pytest.raises(UserError, match="the first 3 episodes"):
        store.first(3)


@pytest.mark.parametrize(
    "other",
    [WorldSpec("recorded:buffer", "drawn", (16, 16), 2, 0.04),
     WorldSpec("two-room", "drawn", (16, 16), 2, 0.04, (Column("x"),))],
)  # fmt: skip
def test_what_could_not_be_read_together_is_not_written(tmp_path: Path, other: WorldSpec) -> None:
    RolloutWriter(tmp_path / "data", SPEC).close()
    with pytest.raises(UserError, match="record into a directory of its own"):
        RolloutWriter(tmp_path / "data", other)


def test_another_unit_or_tolerance_is_not_appended(tmp_path: Path) -> None:
    def add(column: Column) -> None:
        spec = dataclasses.replace(SPEC, state=(column,))
        with RolloutWriter(tmp_path / "data", spec, extend=True) as writer:
            writer.add(np.zeros((3, 16, 16, 3), np.uint8), np.zeros((2, 2)), np.zeros((3, 1)))

    add(Column("x", "m", tolerance=0.01))
    others = {
        "x.unit = m, got mm": Column("x", "mm", tolerance=0.01),
        "x.tolerance = 0.01, got 1.0": Column("x", "m", tolerance=1.0),
    }
    for told, other in others.items():
        with pytest.raises(UserError, match=told):
            add(other)
    add(Column("x", "m", tolerance=0.01))
    assert RolloutStore.open(tmp_path / "data").episode_count == 2


def test_numbers_of_numpys_make_the_same_spec(tmp_path: Path) -> None:
    columns = (Column("x", low=np.int64(0), high=np.float64(2), tolerance=np.float32(0.5)),)
    spec = WorldSpec("recorded:n", "drawn", (16, 16), np.int64(2), np.float32(0.25), columns)
    with RolloutWriter(tmp_path / "data", spec) as writer:
        writer.add(np.zeros((3, 16, 16, 3), np.uint8), np.zeros((2, 2)), np.ones((3, 1)))
    assert RolloutStore.open(tmp_path / "data").header.spec == spec
    for wrong in ({"step_s": "0.1"}, {"image_size": 32}, {"action_dim": 2.0}):
        with pytest.raises(SpecError, match=f"expected {next(iter(wrong))}"):
            dataclasses.replace(SPEC, **wrong)


def test_a_line_cut_short_is_dropped_and_more_is_recorded(tmp_path: Path) -> None:
    episode = np.zeros((4, 16, 16, 3), np.uint8), np.zeros((3, 2)), np.zeros((4, 1))
    for _ in range(2):
        with RolloutWriter(tmp_path / "data", SPEC, 1, extend=True) as writer:
            writer.add(*episode)
            writer.add(*episode)
        manifest = tmp_path / "data" / MANIFEST_NAME
        manifest.write_bytes(manifest.read_bytes()[:-20])  # as a power cut leaves it
    with RolloutWriter(tmp_path / "data", SPEC, 1, extend=True) as writer:
        writer.add(*episode)
    assert RolloutStore.open(tmp_path / "data").episode_count == 3


def test_what_could_not_be_committed_is_when_closed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = RolloutWriter(tmp_path / "data", SPEC)
    writer.add(np.zeros((4, 16, 16, 3), np.uint8), np.zeros((3, 2)), np.zeros((4, 1)))
    with monkeypatch.context() as patch, pytest.raises(MachineError):
        patch.setattr("agent.data.writer.commit_shard", full)
        writer.close()
    writer.close()
    assert RolloutStore.open(tmp_path / "data").episode_count == 1


def full(*unused: object) -> None:
    raise OSError(errno.ENOSPC, "full")


def test_an_action_a_hair_beyond_the_box_is_shown_as_it_is(tmp_path: Path) -> None:
    sent = np.full((3, 2), 1.00000001)
    with RolloutWriter(tmp_path / "data", SPEC) as writer:
        with pytest.raises(UserError, match=r"got 1\.00000001 in an action"):
            writer.add(np.zeros((4, 16, 16, 3), np.uint8), sent, np.zeros((4, 1)))
        with pytest.raises(UserError, match="arrays of numbers"):
            grown = torch.zeros((3, 2), requires_grad=True)
            writer.add(np.zeros((4, 16, 16, 3), np.uint8), grown, np.zeros((4, 1)))


@pytest.mark.parametrize(
    ("shape", "kind", "told"),
    [
        ((4, 16, 20), np.uint8, "grey frames are given as three"),
        ((4, 3, 16, 20), np.uint8, "colours come last"),
        ((4, 20, 16, 3), np.uint8, "height comes before width"),
        ((4, 32, 40, 3), np.uint8, "agent.resized"),
        ((3, 16, 20, 3), np.uint8, "3 frames for 3 actions"),
        ((4, 16, 20, 3), np.float32, "numbers from 0 to 255 as uint8"),
    ],
)
def test_frames_that_do_not_fit_are_told_why(
    shape: tuple[int, ...], kind: type, told: str, tmp_path: Path
) -> None:
    spec = dataclasses.replace(SPEC, image_size=(16, 20))
    with (
        RolloutWriter(tmp_path / "data", spec) as writer,
        pytest.raises(UserError, match=rf"uint8 \(4, 16, 20, 3\), one more than .*{told}"),
    ):
        writer.add(np.zeros(shape, kind), np.zeros((3, 2)), np.zeros((4, 1)))


@pytest.mark.parametrize(("side", "told"), [(64, False), (224, True)])
def test_frames_that_will_take_long_are_told_before_they_are_recorded(
    side: int, told: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    RolloutWriter(tmp_path / "data", dataclasses.replace(SPEC, image_size=(side, side))).close()
    assert ("12 times the pixels" in caplog.text) == told
