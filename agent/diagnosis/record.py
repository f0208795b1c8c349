"""A diagnosis as a file: the verdicts and what they rest on, for tables that are made from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.diagnosis.diagnosis import Diagnosis
from agent.files.json_files import write_json

SCHEMA = "lejepa-agent/diagnosis/1"


def write_record(path: Path, found: Sequence[Diagnosis], about: Mapping[str, Any]) -> None:
    """Write all of ``found``, and ``about`` beside it: where it comes from.

    UserError or MachineError if nothing can be written there.
    """
    write_json(path, {"schema": SCHEMA, **about, "subjects": [_subject(one) for one in found]})


def _subject(found: Diagnosis) -> dict[str, Any]:
    names = ("question", "test", "level", "effect", "p")
    lines = [{name: getattr(line, name) for name in names} for line in found.findings]
    return {"name": found.data.name, "about": found.about, "findings": lines}
