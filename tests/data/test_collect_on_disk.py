"""What collecting leaves on the disk: after a kill at any write, a full disk, a second call."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from small_rollouts import BOX, COLLECT, WORLDS

from agent.data import CollectConfig, RolloutStore, collect
from agent.data.collect import missing_shards
from agent.data.manifest import ShardRecord
from agent.data.worker import ShardTask
from agent.errors import DamagedDataError, MachineError, UserError
from agent.files.durable import make_directory
from agent.files.lock import writing_lock
from envs import SpecError


def config(out: Path, **changes: object) -> CollectConfig:
    return CollectConfig(out, **{**BOX, **changes})


def collect_and_die_at(call: int, out: Path) -> bool:
    """Collect in a child that kills itself on its call-th disk call; True if it got that far."""
    child = os.fork()
    if child == 0:
        try:
            _kill_self_at(call)
            collect(config(out))
            os._exit(0)
        finally:
            os._exit(1)  # never back into pytest
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, -signal.SIGKILL}
    return code != 0


def _kill_self_at(call: int) -> None:
    calls = 0

    def counted(function):
        def wrapper(*arguments, **named):
            nonlocal calls
            calls += 1
            if calls == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)

        return wrapper

    os.fsync = counted(os.fsync)
    Path.replace = counted(Path.replace)
    Path.open = counted(Path.open)


def test_killed_at_any_disk_call_resumes_to_the_same_bytes(fake_store, tmp_path, files_of):
    expected, call = files_of(fake_store.directory), 1
    while collect_and_die_at(call, tmp_path / str(call)):
        out = tmp_path / str(call)
        if (out / "dataset.json").exists():
            RolloutStore.open(out).verify()  # whatever was committed is whole
        collect(config(out))
        assert files_of(out) == expected, f"killed at disk call {call}"
        call += 1
    assert call > 15  # the loop did kill at every step: header, three shards, three lines


def test_a_torn_manifest_line_does_not_count_and_is_made_again(fake_store, tmp_path, files_of):
    out = fake_store.directory
    expected = files_of(out)
    manifest = out / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    assert RolloutStore.open(out).episode_count == 4
    collect(config(out))
    assert files_of(out) == expected


def test_a_lost_manifest_line_is_made_again_under_its_own_name(fake_store):
    out = fake_store.directory
    manifest = out / "manifest.jsonl"
    first, *others = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join(others))
    (out / "shards" / "shard-00000.h5").unlink()
    store = collect(config(out))
    assert sorted(manifest.read_text().splitlines()) == sorted(
        line.strip() for line in [first, *others]
    )
    store.verify()


def test_more_episodes_extend(fake_store, tmp_path):
    store = collect(config(fake_store.directory, episodes=9))
    assert [record.episodes for record in store.records] == [(0, 2), (2, 4), (4, 6), (6, 8), (8, 9)]
    assert store.header.episodes == store.episode_count == 9
    store.verify()


def test_an_extension_makes_the_bytes_of_a_longer_collection(fake_store, tmp_path, files_of):
    collect(config(fake_store.directory, episodes=10))
    collect(config(tmp_path / "long", episodes=10))
    assert files_of(fake_store.directory) == files_of(tmp_path / "long")


def test_complete_data_is_left_alone(fake_store, files_of, monkeypatch):
    expected = files_of(fake_store.directory)
    monkeypatch.setattr(COLLECT, "crew_for", None)  # whoever calls it fails
    collect(config(fake_store.directory, workers=7))
    assert files_of(fake_store.directory) == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [("seed", 4), ("behaviour", "uniform"), ("look", "grand"), ("image_size", 24),
     ("episode_steps", 21), ("episodes_per_shard", 3), ("episodes", 5)],
)  # fmt: skip
def test_another_setting_on_the_same_directory_is_named(fake_store, field, value):
    with pytest.raises((UserError, SpecError), match=rf"\b{field}\b"):
        collect(config(fake_store.directory, **{field: value}))


def test_pictures_of_another_drawer_are_not_mixed_in(fake_crew, tmp_path):
    out, world = tmp_path / "drawn", f"{WORLDS}:DrawnBox"
    store = collect(config(out, world=world))
    assert store.header.drawn_with["pencil"] == "2B"
    assert "numpy" in store.header.drawn_with
    softer = store.header.drawn_with | {"pencil": "4H"}
    replace(store.header, drawn_with=softer).write(out)
    collect(config(out, world=world))  # nothing is missing, so nothing is mixed
    with pytest.raises(UserError, match=r"pencil 4H, this machine has 2B.*new directory"):
        collect(config(out, world=world, episodes=8))
    assert RolloutStore.open(out).episode_count == 6


@pytest.mark.parametrize("told", [{}, {"numpy": "0.1", "machine": "abacus"}])
def test_what_a_header_does_not_say_is_not_held_against_it(fake_crew, tmp_path, caplog, told):
    out, world = tmp_path / "old", f"{WORLDS}:DrawnBox"
    replace(collect(config(out, world=world)).header, drawn_with=told).write(out)
    store = collect(config(out, world=world, episodes=8))
    assert store.episode_count == 8
    assert store.header.drawn_with == told  # it does not claim now what nobody knows
    assert ("drawn with numpy 0.1" in caplog.text) == bool(told)


def test_a_first_try_that_made_nothing_binds_nobody(tmp_path, fake_crew, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(COLLECT, "crew_for", None)
        with pytest.raises(TypeError):
            collect(config(tmp_path))
    assert collect(config(tmp_path, seed=9)).header.seed == 9


def test_a_foreign_directory_is_refused(tmp_path, fake_crew):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="not a data set"):
        collect(config(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENAMETOOLONG, errno.ENOENT])
def test_a_place_nobody_can_write_to_is_the_users_mistake(tmp_path, monkeypatch, number):
    def refuse(*_args, **_keywords):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(UserError, match=r"cannot write in .*place.*Choose a directory"):
        make_directory(tmp_path / "place")


def test_two_collectors_do_not_share_a_directory(fake_store):
    with writing_lock(fake_store.directory), pytest.raises(UserError, match="is writing into"):
        collect(config(fake_store.directory))


def test_a_full_disk_keeps_what_is_committed(tmp_path, fake_crew, monkeypatch):
    real_write = COLLECT.write_durably

    def fail_on_third(path: Path, content: bytes) -> None:
        if path.name == "shard-00002.h5":
            raise OSError(errno.ENOSPC, "No space left on device")
        real_write(path, content)

    monkeypatch.setattr(COLLECT, "write_durably", fail_on_third)
    with pytest.raises(MachineError, match="no space left"):
        collect(config(tmp_path))
    store = RolloutStore.open(tmp_path)
    assert store.episode_count == 4
    store.verify()


def test_a_failed_write_leaves_no_temporary_file(fake_store, monkeypatch):
    from agent.files.durable import write_durably

    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    before = (fake_store.directory / "dataset.json").read_bytes()
    with pytest.raises(OSError, match="No space"):
        write_durably(fake_store.directory / "dataset.json", b"new")
    assert (fake_store.directory / "dataset.json").read_bytes() == before
    assert not list(fake_store.directory.glob("*.partial"))


def test_too_little_space_is_said_before_anything_is_made(tmp_path, fake_crew, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=10**6)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(MachineError, match="1 MB are free"):
        collect(config(tmp_path, episodes=100_000))
    assert not (tmp_path / "dataset.json").exists()


def test_collecting_onto_a_damaged_shard_names_it(fake_store):
    (fake_store.directory / "shards" / "shard-00001.h5").unlink()
    with pytest.raises(DamagedDataError, match=r"shard-00001\.h5.*missing"):
        collect(config(fake_store.directory, episodes=8))


@pytest.mark.parametrize(
    "wrong",
    [{"episodes": 0}, {"workers": 0}, {"seed": -1}, {"seed": 2**64}, {"episode_steps": 0}],
)  # fmt: skip
def test_impossible_settings_are_the_users_mistake(tmp_path, wrong):
    with pytest.raises(UserError, match=next(iter(wrong))):
        config(tmp_path, **wrong)


def test_missing_shards_fill_gaps_and_follow_the_boundaries():
    def record(index: int, first: int, end: int) -> ShardRecord:
        return ShardRecord.of(index, (first, end), 1, b"")

    assert missing_shards([], 5, 2) == [ShardTask(0, 0, 2), ShardTask(1, 2, 4), ShardTask(2, 4, 5)]
    present = [record(0, 0, 2), record(2, 4, 5)]
    assert missing_shards(present, 5, 2) == [ShardTask(1, 2, 4)]
    assert missing_shards(present, 8, 2) == [
        ShardTask(1, 2, 4), ShardTask(3, 5, 6), ShardTask(4, 6, 8)
    ]  # fmt: skip
