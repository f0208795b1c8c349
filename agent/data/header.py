"""``dataset.json``: what every shard of a data set has in common, and how it was made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from agent.data.durable import write_durably
from agent.errors import DamagedDataError, UserError

HEADER_NAME = "dataset.json"
SCHEMA = "lejepa-agent/rollouts/1"


@dataclass(frozen=True)
class DatasetHeader:
    """The settings of a data set; ``episodes`` is how many were asked for."""

    render_profile: str
    image_size: int
    physics_dt_s: float
    action_repeat: int
    behaviour: str
    seed: int
    episodes: int
    episode_steps: int
    episodes_per_shard: int
    schema: str = SCHEMA

    @property
    def env_step_s(self) -> float:
        """Seconds between two recorded frames."""
        return self.physics_dt_s * self.action_repeat

    def write(self, directory: Path) -> None:
        """Write or replace the header of ``directory``."""
        write_durably(directory / HEADER_NAME, (json.dumps(asdict(self), indent=2) + "\n").encode())

    @classmethod
    def read(cls, directory: Path) -> DatasetHeader:
        """The header of ``directory``.

        UserError if there is no data set or it follows another schema, DamagedDataError if the
        file is not a header.
        """
        path = directory / HEADER_NAME
        if not path.is_file():
            raise UserError(
                f"no data set in {directory}: {path} is missing. Make one with collect, or name "
                "another directory"
            )
        try:
            return cls._parse(path, json.loads(path.read_bytes()))
        except ValueError as error:
            if isinstance(error, UserError):
                raise
            raise DamagedDataError(
                f"damaged header {path}: {error}. Restore the file, or collect into a new directory"
            ) from error

    @classmethod
    def _parse(cls, path: Path, content: object) -> DatasetHeader:
        if not isinstance(content, dict):
            raise ValueError("expected a JSON object")
        schema = content.get("schema")
        if schema != SCHEMA:
            raise UserError(
                f"{path} follows the schema {schema!r}, expected {SCHEMA!r}: it was written by "
                "another version of this program; use that version, or collect again"
            )
        odd = ", ".join(sorted(set(content) ^ {field.name for field in fields(cls)}))
        if odd:
            raise ValueError(f"missing or unknown keys: {odd}")
        header = cls(**content)
        header._check()
        return header

    def _check(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            # Annotations are text here; a bool is an int to Python but not to us.
            if type(value).__name__ != field.type:
                raise ValueError(f"expected {field.type} in '{field.name}', got {value!r}")
        counts = (self.image_size, self.action_repeat, self.episodes, self.episode_steps)
        if min(*counts, self.episodes_per_shard, self.physics_dt_s) <= 0:
            raise ValueError("expected positive sizes, counts and time step")

    def first_difference(self, other: DatasetHeader) -> str | None:
        """The name of a setting that differs, ``episodes`` aside; None if all agree."""
        mine, theirs = asdict(self), asdict(other)
        return next((k for k in mine if k != "episodes" and mine[k] != theirs[k]), None)
