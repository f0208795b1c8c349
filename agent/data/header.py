"""``dataset.json``: what every shard of a data set has in common, and how it was made."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from agent.errors import DamagedDataError, UserError
from agent.extras import version_of
from agent.files.durable import entries, write_durably
from agent.files.folders import DATASET_MARK
from agent.files.json_files import parsed, sealed, sum_of, unsealed
from agent.files.remote import Place
from envs import Drawn, World, WorldSpec, spec_of_first_schema

HEADER_NAME = DATASET_MARK
_NAMED = 4  # data sets, in an error
SCHEMA = "lejepa-agent/rollouts/2"
FIRST_SCHEMA = "lejepa-agent/rollouts/1"
RECORDED = "recorded"  # the behaviour of what was recorded elsewhere
LEAST_SIDE_PX = 16  # of a frame, for an encoder to take it
_DRAWN_WITH = ("mujoco", "dm-control", "gymnasium", "opencv-python", "numpy")
_FREE = ("episodes", "drawn_with")  # may differ between two headers of one data set


def drawn_with(world: World | None = None) -> dict[str, str]:
    """Versions of what draws and moves worlds here, and of all that ``world`` itself names."""
    known = {name: version for name in _DRAWN_WITH if (version := version_of(name)) is not None}
    found = {"machine": platform.machine(), **known}
    return found | dict(world.drawn_with() if isinstance(world, Drawn) else {})


def require_learnable(spec: WorldSpec) -> None:
    """UserError for frames that are too small for any model to learn from."""
    if min(spec.image_size) < LEAST_SIDE_PX:
        height, width = spec.image_size
        raise UserError(
            f"expected frames of at least {LEAST_SIDE_PX} px a side, as a model that is to learn "
            f"from them needs, got {width}x{height} of {spec.world}: record larger ones"
        )


@dataclass(frozen=True)
class DatasetHeader:
    """The settings of a data set.

    ``episodes`` is how many were asked for, of at most ``episode_steps`` env steps each; both are 0
    where episodes were recorded elsewhere, as many and as long as they happened to be.
    """

    spec: WorldSpec
    behaviour: str
    seed: int
    episodes: int
    episode_steps: int
    episodes_per_shard: int
    drawn_with: Mapping[str, str] = field(default_factory=drawn_with)
    schema: str = SCHEMA

    def to_json(self) -> dict[str, Any]:
        """Plain values, by name."""
        return {**asdict(self), "spec": self.spec.to_json()}

    def write(self, directory: Path) -> None:
        """Write or replace the header of ``directory``."""
        content = json.dumps(sealed(self.to_json()), indent=2) + "\n"
        write_durably(directory / HEADER_NAME, content.encode())

    @classmethod
    def read(cls, directory: Place) -> DatasetHeader:
        """The header of ``directory``.

        UserError if there is no data set or it follows another schema, DamagedDataError if the
        file is not a header.
        """
        path = directory / HEADER_NAME
        if not path.is_file():
            raise UserError(
                f"no data set in {directory}: {path} is missing. Make one with collect, or name "
                f"another directory{_those_below(directory)}"
            )
        try:
            return cls._parse(path, parsed(path.read_bytes()))
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, UserError):
                raise
            raise DamagedDataError(
                f"damaged header {path}: {error}. Restore the file, or collect into a new directory"
            ) from error

    @classmethod
    def _parse(cls, path: Place, content: object) -> DatasetHeader:
        if not isinstance(content, dict):
            raise ValueError("expected a JSON object")
        values = _translated(content) if content.get("schema") == FIRST_SCHEMA else content
        schema = values.get("schema")
        if schema != SCHEMA:
            raise UserError(
                f"{path} follows the schema {schema!r}, expected {SCHEMA!r}: it was written by "
                "another version of this program; use that version, or collect again"
            )
        values = unsealed(path, values)
        odd = ", ".join(sorted(set(values) ^ {field.name for field in fields(cls)}))
        if odd:
            raise ValueError(f"missing or unknown keys: {odd}")
        header = cls(**{**values, "spec": WorldSpec.from_json(values["spec"])})
        header._check()
        return header

    def _check(self) -> None:
        for name in ("seed", "episodes", "episode_steps", "episodes_per_shard"):
            value = getattr(self, name)
            if type(value) is not int or value < 0:  # a bool is an int to Python but not to us
                raise ValueError(f"expected a whole number in '{name}', got {value!r}")
        if not isinstance(self.behaviour, str) or self.episodes_per_shard < 1:
            raise ValueError("expected the name of a behaviour, and episodes in a shard")

    @property
    def sum(self) -> str:
        """Twelve hexadecimal digits of the settings that bind; every shard's line repeats them."""
        binding = {name: value for name, value in self.to_json().items() if name not in _FREE}
        return sum_of(binding)[:12]

    def difference(self, other: DatasetHeader) -> str:
        """Settings that differ, with both values, as ``seed = 1, got 2``; empty if all that bind
        agree.
        """
        mine, theirs = self._told(), other._told()
        return "; ".join(
            f"{name} = {mine.get(name)}, got {theirs.get(name)}"
            for name in {**mine, **theirs}
            if mine.get(name) != theirs.get(name)
        )

    def _told(self) -> dict[str, Any]:
        """What binds by name, each part of the spec by its own: ``x.tolerance`` of a column x."""
        values = {name: value for name, value in self.to_json().items() if name not in _FREE}
        spec = values.pop("spec")
        columns = {
            f"{column['name']}.{part}": value
            for column in spec.pop("state")
            for part, value in column.items()
        }
        told: dict[str, Any] = spec | columns | values
        return told


def _translated(content: Mapping[str, Any]) -> dict[str, Any]:
    """A header of the first schema, which had one world and named it among the settings."""
    kept = ("behaviour", "seed", "episodes", "episode_steps", "episodes_per_shard")
    return {
        "spec": spec_of_first_schema(content).to_json(),
        **{name: content[name] for name in kept},
        "drawn_with": {},
        "schema": SCHEMA,
    }


def _those_below(directory: Place) -> str:
    """Data sets in folders of it, where it is one of several."""
    if not isinstance(directory, Path):
        return ""
    found = [str(path) for path in entries(directory) if (path / HEADER_NAME).is_file()]
    return f": there is {', '.join(found[:_NAMED])}" if found else ""
