"""A diagnosis as a file: the verdicts and what they rest on, for tables that are made from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.diagnosis.diagnosis import Diagnosis
from agent.files.json_files import read_json, require_fields, write_json

SCHEMA = "lejepa-agent/diagnosis/1"
FIELDS = ("subjects", "data", "checkpoint_sha256", "command", "commit", "hardware", "date")


def write_record(path: Path, found: Sequence[Diagnosis], about: Mapping[str, Any]) -> None:
    """Write all of ``found``; ``about`` holds the other ``FIELDS``.

    Raises:
        UserError, MachineError: if nothing can be written there.
    """
    write_json(path, {"schema": SCHEMA, **about, "subjects": [_subject(one) for one in found]})


def read_record(path: Path) -> dict[str, Any]:
    """What :func:`write_record` wrote.

    Raises:
        UserError: if there is no such file, or it is none of these.
    """
    content = read_json(path, "a diagnosis", (SCHEMA,), "`diagnose --json`")
    require_fields(path, content, FIELDS)
    return content


def _subject(found: Diagnosis) -> dict[str, Any]:
    names = ("question", "test", "level", "effect", "p")
    lines = [{name: getattr(line, name) for name in names} for line in found.findings]
    return {"name": found.data.name, "about": found.about, "findings": lines}
