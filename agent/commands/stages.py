"""A job in stages that is continued where it stopped; each stage's time is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.commands.console import say
from agent.commands.progress import duration
from agent.errors import DamagedDataError, UserError
from agent.files.folders import DEMO_MARK
from agent.files.json_files import parsed, unsealed, write_json
from agent.reporting.making import Stage


class Stages:
    """What is done in ``out`` already, by ``stages.json`` there.

    Raises:
        UserError: if ``out`` was begun with other ``settings``; the message names the first.
        DamagedDataError: if the file is not readable.
    """

    def __init__(self, out: Path, settings: Mapping[str, Any]) -> None:
        self._path = out / DEMO_MARK
        self._record: dict[str, Any] = {"settings": dict(settings), "stages": {}}
        self._running_since_s: dict[str, float] = {}  # the stage under way, if any
        if self._path.exists():
            self._record = _read(self._path)
            _require_same(out, self._record["settings"], settings)
        self._write()

    def do(self, name: str, command: str, job: Callable[[], None]) -> None:
        """Do ``job`` unless it is done; an interrupted stage's time adds up."""
        entry = self._record["stages"].setdefault(
            name, {"seconds": 0.0, "command": command, "done": False}
        )
        if entry["done"]:
            say(f"{name}: done before")
            return
        start_s = time.monotonic()
        self._running_since_s[name] = start_s
        try:
            job()
            entry["done"] = True
        finally:
            del self._running_since_s[name]
            entry["seconds"] += time.monotonic() - start_s
            self._write()

    @property
    def total(self) -> str:
        """The time of all stages in words."""
        return duration(sum(entry["seconds"] for entry in self._record["stages"].values()))

    def so_far(self) -> list[Stage]:
        """The stages that are done, and as far as it is the one under way."""
        now_s, began_s = time.monotonic(), self._running_since_s
        return [
            Stage(name, entry["seconds"] + now_s - began_s.get(name, now_s), entry["command"])
            for name, entry in self._record["stages"].items()
            if entry["done"] or name in began_s
        ]

    def _write(self) -> None:
        write_json(self._path, self._record)


def _read(path: Path) -> dict[str, Any]:
    try:
        record = unsealed(path, parsed(path.read_text(encoding="utf-8")))
        record["settings"], record["stages"]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedDataError(f"{path} is not readable; remove it to begin anew") from error
    return record


def _require_same(out: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for name, value in wanted.items():
        if found.get(name) != value:
            raise UserError(
                f"{out} was begun with {name}={found.get(name)!r}, now {value!r} is asked for; "
                "use the same settings, or another --out"
            )
