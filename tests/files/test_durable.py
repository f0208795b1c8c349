"""File systems that cannot do all that is asked of them do not end a save."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import stat
import subprocess
import sys
import threading

import pytest

from agent.errors import UserError
from agent.files import durable
from agent.files.bundle import read_bundle, write_bundle
from agent.files.durable import append_line_durably, entries, make_directory, write_durably
from agent.files.lock import LOCK_NAME, exclusive, is_being_written, writing_lock

HOLDER = """
import sys, time
from pathlib import Path
from agent.files.lock import writing_lock
with writing_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_directory_that_cannot_be_synced_is_passed_over(tmp_path, monkeypatch, number):
    real = os.fsync

    def refuse(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, "refused")
        real(descriptor)

    monkeypatch.setattr("os.fsync", refuse)
    write_durably(tmp_path / "file", b"content")
    write_bundle(tmp_path / "bundle", {"a.json": b"1"})
    assert (tmp_path / "file").read_bytes() == b"content"
    assert read_bundle(tmp_path / "bundle") == {"a.json": b"1"}


def test_two_processes_may_write_the_same_file(tmp_path, monkeypatch):
    """The other one is through with it while this one is between its content and its name."""
    path, real, mine = tmp_path / "file", durable.write_synced, os.getpid()

    def interrupted(place, content):
        real(place, content)
        monkeypatch.setattr(durable, "write_synced", real)
        monkeypatch.setattr("os.getpid", lambda: mine + 1)
        write_durably(path, b"theirs")
        assert path.read_bytes() == b"theirs"

    monkeypatch.setattr(durable, "write_synced", interrupted)
    write_durably(path, b"ours")
    assert path.read_bytes() == b"ours"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_file_that_cannot_be_synced_is_an_error(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.EIO, "worn out")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="worn out"):
        write_durably(tmp_path / "file", b"content")


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_locks_is_written_with_a_warning(
    tmp_path, monkeypatch, caplog, number, wait
):
    def refuse(file, operation):
        raise OSError(number, "refused")

    monkeypatch.setattr("fcntl.flock", refuse)
    for _ in range(3):
        with exclusive(tmp_path / "x.lock", tmp_path / "x", wait):
            pass
    assert caplog.text.count("no locks") == 1  # not once a save
    assert not is_being_written(tmp_path)


def test_a_lock_is_held_by_one_and_leaves_nothing(tmp_path):
    place = tmp_path / "run"
    with writing_lock(place):
        assert is_being_written(place)
        with pytest.raises(UserError, match="this program is writing"), writing_lock(place):
            pass
        (place / "result").touch()
    assert not is_being_written(place)
    assert [path.name for path in place.iterdir()] == ["result"]
    with writing_lock(tmp_path / "nothing"):
        pass
    assert not (tmp_path / "nothing").exists()


def test_a_kill_frees_a_lock(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE)
    with holder:
        holder.stdout.readline()
        assert is_being_written(tmp_path)
        holder.kill()
    assert (tmp_path / LOCK_NAME).exists() and not is_being_written(tmp_path)
    with writing_lock(tmp_path):
        pass


def test_a_question_does_not_keep_a_writer_out(tmp_path):
    (tmp_path / LOCK_NAME).touch()
    with (tmp_path / LOCK_NAME).open() as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        threading.Timer(0.05, fcntl.flock, (asking, fcntl.LOCK_UN)).start()
        with writing_lock(tmp_path):
            assert is_being_written(tmp_path)


def test_what_systems_leave_is_no_entry(tmp_path):
    for name in (".DS_Store", "lost+found", "Thumbs.db", "._x.json", "x.json", ".lock"):
        (tmp_path / name).touch()
    assert [path.name for path in entries(tmp_path)] == [".lock", "x.json"]
    assert [path.name for path in entries(tmp_path, "*.json")] == ["x.json"]
    assert entries(tmp_path / "nowhere") == []


def test_a_place_too_deep_for_recursion_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"at most 200 deep, got one 2\d\d\d deep"):
        make_directory(tmp_path / "/".join("a" * 2000))
    assert list(tmp_path.iterdir()) == []


def test_a_line_that_a_full_disk_takes_half_of_is_not_there(tmp_path):
    """The limit of a file's size stands for the disk: it takes what fits and says so."""
    path, limits = tmp_path / "lines", resource.getrlimit(resource.RLIMIT_FSIZE)
    append_line_durably(path, "one")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        with pytest.raises(OSError, match="large"):
            append_line_durably(path, "two " * 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == "one\n"
    append_line_durably(path, "three")
    assert path.read_text() == "one\nthree\n"
