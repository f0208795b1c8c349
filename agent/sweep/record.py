"""``trials.jsonl``: a line for every finished training of a sweep, on the disk before the next."""

from __future__ import annotations

import json
from pathlib import Path

from agent.errors import DamagedDataError
from agent.files.durable import append_line_durably, drop_torn_line, explained_disk_errors
from agent.files.folders import SWEEP_MARK
from agent.sweep.trial import Line

RECORD_NAME = SWEEP_MARK


def read_record(out: Path) -> dict[str, Line]:
    """Finished trainings by their name; what a kill cut short is dropped.

    Raises:
        DamagedDataError: if a line is no finished training.
    """
    path = out / RECORD_NAME
    with explained_disk_errors(out):
        drop_torn_line(path)
    if not path.exists():
        return {}
    found = {}
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            line = json.loads(text)
            found[str(line["trial"])] = line
            line["settings"], line["curve"], line["seed"], line["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedDataError(
                f"{path}, line {number} is no finished training ({error!r}): remove that line and "
                "run the same command again"
            ) from error
    return found


def keep(out: Path, line: Line) -> None:
    """Append the line of a finished training."""
    with explained_disk_errors(out):
        append_line_durably(out / RECORD_NAME, json.dumps(line, sort_keys=True, allow_nan=False))
