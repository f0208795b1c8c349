"""The files of a study: its plan, the runs finished so far, and the result.

OUT/STUDY/plan.json    what was asked for, so that nothing else is mixed in
OUT/STUDY/rows.jsonl   a line per finished run, on disk before the next is reported
OUT/STUDY.json         the result: summary, every row, command, machine, date
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import UserError
from agent.files.durable import (
    append_line_durably,
    drop_torn_line,
    explained_disk_errors,
    write_durably,
)
from agent.files.json_files import read_json, read_lines, require_fields
from studies.study import Preset, Settings

SCHEMA = "lejepa-agent/identifiability/1"
PLAN = "plan.json"
FIELDS = (
    "schema", "study", "preset", "summary", "rows", "command", "hardware", "date", "versions",
    "wall_clock_s", "compute_s",
)  # fmt: skip
Line = dict[str, Any]


def key(settings: Settings) -> str:
    """The same text for the same settings, whatever the order of their names.

    Raises:
        ValueError: if a setting is no JSON value, or not finite.
    """
    return json.dumps(settings, sort_keys=True, allow_nan=False)


@dataclass(frozen=True)
class Record:
    """The finished runs of one study in one directory."""

    directory: Path
    jobs: tuple[str, ...]

    @classmethod
    def open(cls, out: Path, name: str, preset: Preset, jobs: Sequence[Settings]) -> Record:
        """Begin the study in ``out``, or find it again.

        Raises:
            UserError: if the directory holds the same study with other settings, or nothing can
                be written there.
        """
        keys = [key(settings) for settings in jobs]
        assert len(set(keys)) == len(keys), f"two runs of {name} have the same settings"
        directory = out / name
        plan = {"schema": SCHEMA, "study": name, "preset": preset, "jobs": list(jobs)}
        text = json.dumps(plan, sort_keys=True, indent=1, allow_nan=False) + "\n"
        path = directory / PLAN
        with explained_disk_errors(out):
            directory.mkdir(parents=True, exist_ok=True)
            if path.exists():
                _refuse_another_plan(path, text, preset)
            else:
                write_durably(path, text.encode())
        return cls(directory, tuple(keys))

    def mend(self) -> None:
        """Drop what a kill cut short; for whoever alone may write here."""
        with explained_disk_errors(self.directory):
            drop_torn_line(self.directory / "rows.jsonl")

    def lines(self) -> dict[str, Line]:
        """Finished runs by their key; DamagedDataError if a line is not one of ours."""
        fields = ("settings", "measured", "wall_s", "elapsed_s")
        lines = read_lines(self.directory / "rows.jsonl", "finished run", fields)
        return {key(line["settings"]): line for line in lines}

    def append(self, line: Line) -> None:
        """Keep a finished run; on disk when this returns."""
        with explained_disk_errors(self.directory):
            append_line_durably(
                self.directory / "rows.jsonl", json.dumps(line, sort_keys=True, allow_nan=False)
            )

    def scratch(self, settings: Settings) -> Path:
        """The directory of one run's own files, there or not."""
        return self.directory / "scratch" / str(self.jobs.index(key(settings)))


def _refuse_another_plan(path: Path, wanted: str, preset: str) -> None:
    text = path.read_text(encoding="utf-8")
    if text == wanted:
        return
    try:
        found = json.loads(text).get("preset")
    except (ValueError, AttributeError):
        found = None
    raise UserError(
        f"expected {path.parent} to hold runs of the preset {preset!r} with today's settings, got "
        f"runs of the preset {found!r} with other settings: choose another --out, or remove "
        f"{path.parent}"
    )


def has_record(out: Path, name: str) -> bool:
    """Whether runs of the study were begun in ``out``."""
    return (out / name / PLAN).exists()


def read_study(path: Path) -> Mapping[str, Any]:
    """The result of a study, ``OUT/STUDY.json``.

    Raises:
        UserError: if there is no such file, or it is no result of this schema.
    """
    result = read_json(path, "a study's result", (SCHEMA,), "`python -m studies`")
    require_fields(path, result, FIELDS)
    return result
