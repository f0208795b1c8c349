"""Shards that a stranger made, and those that cannot be read just now: told for what they are."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import tracemalloc
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from agent.data import RolloutStore, inspect_dataset, verify_dataset
from agent.errors import DamagedDataError, MachineError

READERS = {
    "memory": lambda store: store.load(),
    "disk": lambda store: store.load(memory_limit_bytes=0).pixels[np.arange(store.row_count)],
    "verify": lambda store: store.verify(),
}
NAMES = ("pixels", "action", "state", "ep_len")


def shard_of(store) -> Path:
    return store.directory / "shards" / "shard-00000.h5"


def sealed(store, **changes) -> RolloutStore:
    """The data set with a first line that tells the truth about the first file, or ``changes``."""
    manifest, content = store.directory / "manifest.jsonl", shard_of(store).read_bytes()
    first, *others = manifest.read_text().splitlines()
    told = {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    line = json.dumps(json.loads(first) | told | changes)
    manifest.write_text("\n".join([line, *others, ""]))
    return RolloutStore.open(store.directory)


def rewritten(store, **options) -> RolloutStore:
    """The data set with a first file that another program packed in its own way."""
    with h5py.File(shard_of(store)) as file:
        columns = {name: file[name][()] for name in file}
    with h5py.File(shard_of(store), "w") as file:
        for name, values in columns.items():
            file.create_dataset(name, data=values, **options)
    return sealed(store)


@pytest.mark.parametrize(
    "options",
    [{}, {"chunks": True}, {"compression": "gzip"}, {"compression": "gzip", "shuffle": True},
     {"compression": "gzip", "fletcher32": True}],
    ids=str,
)  # fmt: skip
def test_other_ways_to_pack_the_same_rows_are_read(fake_store, options):
    expected = fake_store.load()
    store = rewritten(fake_store, **options)
    store.verify()
    found = store.load(memory_limit_bytes=0)
    np.testing.assert_array_equal(found.pixels[np.arange(store.row_count)], expected.pixels)
    np.testing.assert_array_equal(found.action, expected.action)
    np.testing.assert_array_equal(found.state, expected.state)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["soft", "external", "storage", "virtual"])
def test_columns_outside_the_file_are_refused_by_name(fake_store, tmp_path, reader, name, kind):
    secret = tmp_path / "secret.h5"
    with h5py.File(shard_of(fake_store), "r+") as file:
        column = file[name]
        shape, kind_of_number = column.shape, column.dtype
        with h5py.File(secret, "w") as other:
            other[name] = column[()]
        del file[name]
        if kind == "soft":
            file["real"] = np.zeros(shape, kind_of_number)
            file[name] = h5py.SoftLink("/real")
        elif kind == "external":
            file[name] = h5py.ExternalLink(str(secret), f"/{name}")
        elif kind == "storage":
            outside = [(str(secret), 0, h5py.h5f.UNLIMITED)]
            file.create_dataset(name, shape, kind_of_number, external=outside)
        else:
            layout = h5py.VirtualLayout(shape, kind_of_number)
            layout[...] = h5py.VirtualSource(str(secret), name, shape)
            file.create_virtual_dataset(name, layout)
    store = sealed(fake_store)
    with pytest.raises(DamagedDataError, match=rf"shard-00000\.h5: .*'?{name}"):
        READERS[reader](store)
        assert reader == "disk" or name != "pixels"


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", NAMES)
def test_declared_sizes_take_no_memory(fake_store, reader, name):
    """10⁹ rows that HDF5 would make up, in a file of some kilobytes."""
    rows = 10**9
    with h5py.File(shard_of(fake_store), "r+") as file:
        rest, kind_of_number = file[name].shape[1:], file[name].dtype
        del file[name]
        file.create_dataset(name, (rows, *rest), kind_of_number, chunks=(10**4, *rest))
    manifest = fake_store.directory / "manifest.jsonl"
    manifest.write_text(manifest.read_text().splitlines(keepends=True)[0])
    store = sealed(fake_store, rows=rows, episodes=[0, rows if name == "ep_len" else 2])
    tracemalloc.start()
    with pytest.raises(DamagedDataError, match=r"shard-00000\.h5"):
        (store.load_columns if reader == "memory" else lambda: READERS[reader](store))()
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


@pytest.mark.parametrize("name", NAMES)
def test_what_inflates_to_more_than_it_says_is_stopped(fake_store, name):
    bomb = zlib.compress(bytes(5 * 10**7))
    with h5py.File(shard_of(fake_store), "r+") as file:
        file[name].id.write_direct_chunk((0,) * file[name].ndim, bomb)
    store = sealed(fake_store)
    del bomb
    tracemalloc.start()
    with pytest.raises(DamagedDataError, match="compressed chunk"):
        store.verify()
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


@pytest.mark.parametrize("lengths", [[41, 2], [0, 42], [2**62, 42 - 2**62]])
def test_episodes_that_cannot_be_are_refused(fake_store, lengths):
    with h5py.File(shard_of(fake_store), "r+") as file:
        file["ep_len"][...] = lengths
    with pytest.raises(DamagedDataError, match="rows"):
        sealed(fake_store).load()


def test_a_link_out_of_the_data_set_is_not_followed(fake_store, tmp_path):
    shard = shard_of(fake_store)
    shard.rename(tmp_path / "elsewhere.h5")
    shard.symlink_to(tmp_path / "elsewhere.h5")
    for read in READERS.values():
        with pytest.raises(DamagedDataError, match=r"got a link to .*elsewhere"):
            read(fake_store)
    (tmp_path / "by-name").symlink_to(fake_store.directory)  # the whole may lie anywhere
    shard.unlink()
    (tmp_path / "elsewhere.h5").rename(shard)
    RolloutStore.open(tmp_path / "by-name").verify()


def test_a_shard_that_is_open_elsewhere_is_read(fake_store):
    with shard_of(fake_store).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as HDF5 does for whoever may write
        assert inspect_dataset(fake_store.directory)["episodes"] == 6


@pytest.mark.parametrize("number", [errno.EACCES, errno.EMFILE, errno.EIO, errno.ESTALE])
@pytest.mark.parametrize("read", [inspect_dataset, verify_dataset])
def test_a_file_the_system_refuses_is_not_called_damaged(fake_store, monkeypatch, number, read):
    def refuse(*arguments, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "read_bytes", _only_shards(Path.read_bytes, refuse))
    monkeypatch.setattr("agent.data.reading._h5py.File", refuse)
    with pytest.raises(MachineError, match=rf"{os.strerror(number)}.*not found damaged") as told:
        read(fake_store.directory)
    assert "Delete" not in str(told.value)


def test_a_library_that_fails_on_a_whole_file_is_not_damage(fake_store, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError("unable to do something else")

    monkeypatch.setattr("agent.data.reading._h5py.File", refuse)
    with pytest.raises(MachineError, match="something else"):
        inspect_dataset(fake_store.directory)


def _only_shards(real, refuse):
    return lambda path: refuse() if path.suffix == ".h5" else real(path)
