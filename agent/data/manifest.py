"""The list of committed shards: one JSON line each, and only those count.

A shard whose line is missing does not exist for a reader, whatever lies on the disk. Each line
carries the SHA-256 of its file, so damage anywhere in the file is found by reading it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from agent.data.reading import OpenShard
from agent.errors import DamagedDataError, MachineError
from agent.files.json_files import parsed
from agent.files.remote import Place
from envs import WorldSpec

MANIFEST_NAME = "manifest.jsonl"
SHARD_FOLDER = "shards"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShardRecord:
    """One committed shard: ``episodes`` is [first, last + 1), ``size_bytes`` the file's size.

    ``settings`` is the sum of the header it was made under; older lines have none.
    """

    shard: str
    index: int
    episodes: tuple[int, int]
    rows: int
    size_bytes: int
    sha256: str
    settings: str = ""

    @classmethod
    def of(
        cls, index: int, episodes: tuple[int, int], rows: int, content: bytes, settings: str = ""
    ) -> ShardRecord:
        """The record of shard number ``index`` whose file holds ``content``."""
        digest = hashlib.sha256(content).hexdigest()
        return cls(_name(index), index, episodes, rows, len(content), digest, settings)

    def to_line(self) -> str:
        """The record as one line of JSON, without the newline."""
        return json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> ShardRecord:
        """Parse a manifest line; ValueError if it is not one."""
        content = parsed(line)
        names = {field.name for field in fields(cls)}
        if not isinstance(content, dict) or {"settings", *content} != names:
            raise ValueError(f"expected an object with the keys {sorted(names)}")
        record = cls(**{**content, "episodes": tuple(content["episodes"])})
        record._check()
        return record

    def _check(self) -> None:
        numbers = (self.index, self.rows, self.size_bytes, *self.episodes)
        if len(self.episodes) != 2 or not all(type(n) is int and n >= 0 for n in numbers):
            raise ValueError("expected whole numbers, and two for 'episodes'")
        if self.episodes[0] >= self.episodes[1]:
            raise ValueError(f"expected a range of episodes, got {list(self.episodes)}")
        # A name that is only a name: a manifest never reaches outside its own folder.
        if self.shard != _name(self.index):
            raise ValueError(f"expected a name like {_name(self.index)}, got {self.shard!r}")

    @property
    def count(self) -> int:
        """How many episodes it holds."""
        return self.episodes[1] - self.episodes[0]

    def path(self, directory: Path) -> Path:
        """Where the file lies in the data set ``directory``."""
        return directory / SHARD_FOLDER / self.shard

    def place(self, directory: Place) -> Place:
        """The same, where the data set may be no folder of this machine."""
        return directory / SHARD_FOLDER / self.shard

    def read(self, directory: Place) -> bytes:
        """The whole file, its SHA-256 checked; DamagedDataError naming it otherwise."""
        if isinstance(directory, Path):
            self.check_size(directory)
        try:
            content = self.place(directory).read_bytes()
        except FileNotFoundError as error:
            raise self.damage(directory, "the file is missing") from error
        except OSError as error:
            raise self._refused(directory, error) from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise self.damage(directory, "its content is not what was written (SHA-256 differs)")
        return content

    def open(self, directory: Place, spec: WorldSpec, content: bytes | None = None) -> OpenShard:
        """The file, or its ``content``, open to read rows of a world of ``spec`` from.

        One that is not on this machine is read as a whole.
        """
        if content is None and isinstance(directory, Path):
            self.check_size(directory)
            return OpenShard(self.path(directory), spec, self.rows, self.count)
        whole = self.read(directory) if content is None else content
        return OpenShard(whole, spec, self.rows, self.count)

    def check_size(self, directory: Path) -> None:
        """Check that the file is there and whole by its size, without reading it."""
        path = self.path(directory)
        if not path.resolve().is_relative_to(directory.resolve()):
            raise DamagedDataError(
                f"expected {path} in the data set itself, got a link to {path.resolve()}: put the "
                "file itself there"
            )
        try:
            size = path.stat().st_size if path.is_file() else None
        except OSError as error:
            raise self._refused(directory, error) from error
        if size is None:
            raise self.damage(directory, "the file is missing")
        if size != self.size_bytes:
            raise self.damage(directory, f"expected {self.size_bytes} bytes, got {size}")

    def unreadable(self, directory: Place, error: Exception, what: str = "") -> Exception:
        """What ``error``, of a reading, means: damage, or that the file cannot be read just now.

        Only a checksum tells: a file that is what was written is whole.
        """
        if isinstance(error, (DamagedDataError, MachineError)):
            return error
        try:
            self.read(directory)
            if isinstance(error, OSError):
                return self._refused(directory, error)
        except MachineError as refused:
            return refused
        except DamagedDataError:
            pass
        return self.damage(directory, f"{what}{error}")

    def _refused(self, directory: Place, error: OSError) -> MachineError:
        return MachineError(
            f"cannot read {self.place(directory)} now: {error.strerror or error}. The file was not "
            "found damaged: give this process the right or the open files it needs, or wait for "
            "the disk, and try again"
        )

    def damage(self, directory: Place, what: str) -> DamagedDataError:
        """The error that names this shard, what is wrong with it, and the way out."""
        return DamagedDataError(
            f"damaged shard {self.place(directory)}: {what}. Delete the line of {self.shard} from "
            f"{directory / MANIFEST_NAME} and run collect on {directory} again, with the same "
            "settings: it makes this shard anew. Of a recording of your own, the other episodes "
            "serve as they are without that line"
        )


def _name(index: int) -> str:
    return f"shard-{index:05d}.h5"


def read_manifest(directory: Place) -> list[ShardRecord]:
    """The committed shards in order of their episodes; a torn last line counts as not written."""
    path = directory / MANIFEST_NAME
    if not path.exists():
        return []
    *lines, torn = path.read_bytes().decode(errors="replace").split("\n")
    if torn:
        _log.warning("%s: ignoring the last line, its writing was interrupted", path)
    records = [_parse(path, number, line) for number, line in enumerate(lines, 1)]
    records.sort(key=lambda record: record.episodes)
    _check_disjoint(path, records)
    _tell_of_unlisted(directory, records)
    return records


def _parse(path: Place, number: int, line: str) -> ShardRecord:
    try:
        return ShardRecord.from_line(line)
    except (ValueError, TypeError, KeyError) as error:
        raise DamagedDataError(
            f"damaged manifest {path}, line {number}: {error}. Delete that line and run collect "
            "again: it makes the missing shard anew"
        ) from error


def _tell_of_unlisted(directory: Place, records: list[ShardRecord]) -> None:
    """A list that lost its end reads as one of fewer shards: the files tell."""
    listed = {record.shard for record in records}
    unlisted = [
        p.name for p in (directory / SHARD_FOLDER).glob("shard-*.h5") if p.name not in listed
    ]
    if unlisted:
        _log.warning(
            "%s does not list %s: not read; run collect again with the same settings to make up "
            "for it (a recording of your own serves without)", directory / MANIFEST_NAME,
            ", ".join(sorted(unlisted)),
        )  # fmt: skip


def _check_disjoint(path: Place, records: list[ShardRecord]) -> None:
    for before, after in itertools.pairwise(records):
        if before.episodes[1] > after.episodes[0]:
            raise DamagedDataError(
                f"damaged manifest {path}: {before.shard} and {after.shard} both hold episode "
                f"{after.episodes[0]}. Delete one of the two lines and run collect again"
            )
    if len({record.index for record in records}) < len(records):
        raise DamagedDataError(
            f"damaged manifest {path}: a shard is listed twice. Delete one of its lines and run "
            "collect again"
        )
