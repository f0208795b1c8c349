"""A directory that is whole or not there, whatever happens while it is written."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.errors import DamagedDataError, UserError
from agent.files.bundle import MANIFEST, bundle_sha256, has_bundle, read_bundle, write_bundle
from agent.files.lock import exclusive

OLD = {"a.json": b'{"version": 1}', "b.bin": bytes(range(256))}
NEW = {"a.json": b'{"version": 2}', "c.bin": b"other", "README.md": b"text"}


class PowerCutError(Exception):
    """The process ends here."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    directory = tmp_path / "deep" / "bundle"
    write_bundle(directory, OLD)
    return directory


def cut_power(patch: pytest.MonkeyPatch, at: int) -> None:
    """Raise in place of the disk operation number ``at``, and of all after it."""
    seen = [0]

    def counted(real):  # type: ignore[no-untyped-def]
        def operation(*arguments, **options):  # type: ignore[no-untyped-def]
            seen[0] += 1
            if seen[0] >= at:
                raise PowerCutError
            return real(*arguments, **options)

        return operation

    for owner, name in ((Path, "rename"), (Path, "open"), (Path, "mkdir"), (shutil, "rmtree")):
        patch.setattr(owner, name, counted(getattr(owner, name)))


def test_comes_back_as_written(place: Path) -> None:
    assert read_bundle(place) == OLD


def test_replacing_leaves_nothing_of_the_old(place: Path) -> None:
    write_bundle(place, NEW)
    assert read_bundle(place) == NEW
    assert {path.name for path in place.iterdir()} == {*NEW, MANIFEST}
    assert [path.name for path in place.parent.iterdir()] == ["bundle"]


@pytest.mark.parametrize("first_cut", range(1, 14))
def test_a_crash_anywhere_leaves_the_old_or_the_new(place: Path, first_cut: int) -> None:
    """Then a second crash, anywhere in the next try, must not do worse."""
    for second_cut in range(5, 14):
        for cut in (first_cut, second_cut):
            with pytest.MonkeyPatch.context() as patch:
                cut_power(patch, cut)
                with contextlib.suppress(PowerCutError):
                    write_bundle(place, NEW)
        assert has_bundle(place)
        assert read_bundle(place) in (OLD, NEW)
        write_bundle(place, OLD)


@pytest.mark.parametrize("reader", [read_bundle, bundle_sha256, has_bundle])
def test_a_reader_finds_what_was_moved_aside_and_leaves_it_to_a_writer(place: Path, reader) -> None:  # type: ignore[no-untyped-def]
    before, aside = bundle_sha256(place), place.with_name(".bundle.old")
    place.rename(aside)  # the first of two renames, then a crash, or a writer that is slow
    assert reader(place)
    assert bundle_sha256(place) == before
    assert aside.is_dir() and not place.exists()
    write_bundle(place, NEW)
    assert read_bundle(place) == NEW and not aside.exists()


WRITER = """
import itertools, sys
from pathlib import Path
from agent.files.bundle import write_bundle

place = Path(sys.argv[1])
for count in itertools.count():
    number = str(count % 7).encode()  # the same content comes again, too
    write_bundle(place, {"a.json": number, "b.bin": number * 200_000})
    if count == 0:
        print("begun", flush=True)
"""


def test_whoever_reads_what_is_being_saved_gets_one_whole_bundle(tmp_path: Path) -> None:
    place = tmp_path / "checkpoint"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, place], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        end_s, seen = time.monotonic() + 1.5, set()
        while time.monotonic() < end_s:
            assert has_bundle(place)
            assert len(bundle_sha256(place)) == 64
            files = read_bundle(place)
            assert files["b.bin"] == files["a.json"] * 200_000
            seen.add(files["a.json"])
        assert writer.poll() is None, "the reader ended the writer"
        writer.kill()
    assert len(seen) > 1


def test_one_at_a_time_writes(place: Path) -> None:
    with (
        exclusive(place.with_name(".bundle.lock"), place),
        pytest.raises(UserError, match="is writing into"),
    ):
        write_bundle(place, NEW)
    assert read_bundle(place) == OLD


def test_some_files_can_be_asked_for(place: Path) -> None:
    (place / "b.bin").unlink()  # is not even looked at
    assert read_bundle(place, only=["a.json", "z.json"]) == {"a.json": OLD["a.json"]}


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "..", "a/b"])
def test_a_manifest_does_not_reach_outside_its_folder(place: Path, name: str) -> None:
    (place.parent / "secret").write_bytes(b"mine")
    digest = hashlib.sha256(b"mine").hexdigest()
    (place / MANIFEST).write_text(json.dumps({"files": {name: digest}}))
    with pytest.raises(DamagedDataError, match="of its own folder"):
        read_bundle(place)


def test_what_a_system_leaves_is_not_in_the_way(tmp_path: Path) -> None:
    for name in (".DS_Store", "Thumbs.db", "._a.json"):
        (tmp_path / name).write_bytes(b"?")
    with pytest.raises(UserError, match="expected a checkpoint"):
        read_bundle(tmp_path)
    write_bundle(tmp_path / "new", NEW)
    (tmp_path / "new" / ".DS_Store").write_bytes(b"?")
    assert read_bundle(tmp_path / "new") == NEW


@pytest.mark.parametrize("name", [*OLD, MANIFEST])
def test_every_flipped_bit_of_content_is_found(place: Path, name: str) -> None:
    path = place / name
    content = path.read_bytes()
    # Of the manifest, the digits of a hash: elsewhere it has blanks that mean nothing.
    where = content.find(b': "') + 5 if name == MANIFEST else len(content) // 2
    path.write_bytes(content[:where] + bytes([content[where] ^ 1]) + content[where + 1 :])
    with pytest.raises(DamagedDataError, match=str(place)):
        read_bundle(place)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"files": 3}', b"\xff\xfe"])
def test_an_unreadable_manifest_is_damage(place: Path, content: bytes) -> None:
    (place / MANIFEST).write_bytes(content)
    with pytest.raises(DamagedDataError, match="manifest"):
        read_bundle(place)


def test_a_missing_file_is_damage_and_named(place: Path) -> None:
    (place / "b.bin").unlink()
    with pytest.raises(DamagedDataError, match=r"b\.bin is missing"):
        read_bundle(place)


def test_a_missing_manifest_is_damage(place: Path) -> None:
    (place / MANIFEST).unlink()
    with pytest.raises(DamagedDataError, match=MANIFEST):
        read_bundle(place)


def test_no_bundle_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for directory in (tmp_path / "nothing", tmp_path / "empty"):
        assert not has_bundle(directory)
        with pytest.raises(UserError, match=directory.name):
            read_bundle(directory)
        with pytest.raises(UserError, match=directory.name):
            bundle_sha256(directory)


def test_somebody_elses_directory_is_not_replaced(tmp_path: Path) -> None:
    thesis = tmp_path / "work" / "thesis.tex"
    thesis.parent.mkdir()
    thesis.write_text("years of it")
    for target in (thesis.parent, thesis):
        with pytest.raises(UserError, match="nothing was written"):
            write_bundle(target, NEW)
    assert thesis.read_text() == "years of it"


def test_a_checkpoint_is_not_replaced_by_an_export(place: Path) -> None:
    with pytest.raises(UserError, match=r"earlier result.*a\.json, b\.bin.*nothing was written"):
        write_bundle(place, {"a.json": b"{}", "graph.onnx": b"?"})
    assert read_bundle(place) == OLD


def test_the_hash_is_of_the_content(place: Path, tmp_path: Path) -> None:
    write_bundle(tmp_path / "twin", OLD)
    write_bundle(tmp_path / "other", {**OLD, "b.bin": b""})
    assert bundle_sha256(tmp_path / "twin") == bundle_sha256(place)
    assert bundle_sha256(tmp_path / "other") != bundle_sha256(place)


def test_the_manifest_lists_what_sha256sum_would(place: Path) -> None:
    listed = json.loads((place / MANIFEST).read_text())["files"]
    # SHA-256 of the bytes 0..255, a published test value.
    assert listed["b.bin"] == "40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880"


@pytest.mark.parametrize("name", [".", "..", "/"])
def test_a_folder_without_a_name_of_its_own_is_read_like_any(
    name: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "below").mkdir()
    monkeypatch.chdir(place / "below" if name == ".." else place)
    with pytest.raises(UserError, match="which this program runs in"):
        write_bundle(Path(name), NEW)
    if name == "/":
        assert not has_bundle(Path(name))
    else:
        assert read_bundle(Path(name)) == OLD


def test_a_link_goes_on_to_lead_to_what_was_written_anew(tmp_path: Path) -> None:
    write_bundle(tmp_path / "real", {"a.txt": b"first"})
    (tmp_path / "best").symlink_to("real")
    for content in (b"second", b"third"):
        write_bundle(tmp_path / "best", {"a.txt": content})
        assert (tmp_path / "best").is_symlink()
        assert read_bundle(tmp_path / "real")["a.txt"] == content
