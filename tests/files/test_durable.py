"""File systems that cannot do all that is asked of them do not end a save."""

from __future__ import annotations

import errno

import pytest

from agent.files.durable import fsync_directory, writing_lock


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_directory_that_cannot_be_synced_is_passed_over(tmp_path, monkeypatch, number):
    def refuse(descriptor):
        raise OSError(number, "refused")

    monkeypatch.setattr("os.fsync", refuse)
    fsync_directory(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP])
def test_a_file_system_without_locks_is_written_with_a_warning(
    tmp_path, monkeypatch, caplog, number
):
    def refuse(file, operation):
        raise OSError(number, "refused")

    monkeypatch.setattr("fcntl.flock", refuse)
    with writing_lock(tmp_path):
        pass
    assert "no locks" in caplog.text
