"""A directory that is whole or not there, whatever happens while it is written."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import pytest

from agent.errors import DamagedDataError, UserError
from agent.files.bundle import MANIFEST, bundle_sha256, has_bundle, read_bundle, write_bundle

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


@pytest.mark.parametrize("first_cut", range(1, 12))
def test_a_crash_anywhere_leaves_the_old_or_the_new(place: Path, first_cut: int) -> None:
    """Then a second crash, anywhere in the next try, must not do worse."""
    for second_cut in range(5, 12):
        for cut in (first_cut, second_cut):
            with pytest.MonkeyPatch.context() as patch:
                cut_power(patch, cut)
                with contextlib.suppress(PowerCutError):
                    write_bundle(place, NEW)
        assert has_bundle(place)
        assert read_bundle(place) in (OLD, NEW)
        write_bundle(place, OLD)


@pytest.mark.parametrize("reader", [read_bundle, bundle_sha256, has_bundle])
def test_every_reader_brings_back_what_a_crash_had_moved_aside(place: Path, reader) -> None:  # type: ignore[no-untyped-def]
    before = bundle_sha256(place)
    place.rename(place.with_name(".bundle.old"))  # the first of two renames, then nothing
    assert reader(place)
    assert bundle_sha256(place) == before


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
