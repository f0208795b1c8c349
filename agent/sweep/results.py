"""What a sweep found: settings by their mean error over seeds, as a table and as a figure."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from agent.errors import UserError
from agent.sweep.trial import Line

HEADER = ("data", "settings", "held-out error", "from", "to", "seeds", "steps", "remark")


@dataclass(frozen=True)
class Group:
    """The trainings of one data set and one choice of settings, one a seed."""

    data: str
    settings: dict[str, Any]
    lines: tuple[Line, ...]

    @property
    def errors(self) -> list[float]:
        """Of those that did not fail."""
        ended = [line for line in self.lines if "failed" not in line]
        return [line["held_out_error"] for line in ended if line["held_out_error"] is not None]

    @property
    def failures(self) -> list[str]:
        """Why trainings failed, one reason each."""
        return [line["failed"] for line in self.lines if "failed" in line]

    @property
    def rank(self) -> tuple[str, bool, bool, int, float]:
        """By data set; first where nothing failed, then who was trained to the end, then the
        smaller error.
        """
        early = any(line.get("stopped_early") for line in self.lines)
        steps = min((line["curve"][-1][0] for line in self.lines if line["curve"]), default=0)
        error = fmean(self.errors or [float("inf")])
        return self.data, bool(self.failures), early, -steps if early else 0, error

    def row(self, names: Sequence[str]) -> tuple[str, ...]:
        """Cells for ``HEADER``."""
        chosen = ", ".join(f"{n}={shown_value(self.settings[n])}" for n in names)
        errors = [f"{f(self.errors):.4g}" for f in (fmean, min, max)] if self.errors else ["-"] * 3
        steps = max((line["curve"][-1][0] for line in self.lines if line["curve"]), default=0)
        seeds = " ".join(str(line["seed"]) for line in self.lines)
        return self.data, chosen or "-", *errors, seeds, str(steps), self._remark()

    def _remark(self) -> str:
        failed, all_of_them = self.failures, len(self.lines)
        told = [f"{len(failed)} of {all_of_them} failed: {_first(why)}" for why in failed[:1]]
        told += ["ended early" for line in self.lines if line.get("stopped_early")][:1]
        return ", ".join(told)


def groups(lines: Sequence[Line]) -> list[Group]:
    """Lines by data set and settings, the best first within each data set."""
    found: dict[tuple[str, str], list[Line]] = {}
    for line in sorted(lines, key=lambda line: line["seed"]):
        key = (line["data"], json.dumps(line["settings"], sort_keys=True))
        found.setdefault(key, []).append(line)
    names = _told_apart({data for data, _ in found})
    made = [
        Group(names[data], json.loads(said), tuple(members))
        for (data, said), members in found.items()
    ]
    return sorted(made, key=lambda group: group.rank)


def _told_apart(places: Collection[str]) -> dict[str, str]:
    """Short names of data sets: the ends of their paths, as long as it takes."""
    for length in range(1, 1 + max((len(Path(place).parts) for place in places), default=0)):
        names = {place: "/".join(Path(place).parts[-length:]) for place in places}
        if len(set(names.values())) == len(places):
            return names
    return {place: place for place in places}


def markdown(found: Sequence[Group], names: Sequence[str]) -> str:
    """A table of Markdown, which says where each training lies as well."""
    header = (*HEADER, "in trials/")
    rows = [header, tuple("---" for _ in header)]
    rows += [
        (*group.row(names), " ".join(line["trial"] for line in group.lines)) for group in found
    ]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in rows)


def shown_value(value: Any) -> str:
    """A setting in few characters."""
    return f"{value:.4g}" if isinstance(value, float) else json.dumps(value)


def require_one(lines: Sequence[Line]) -> None:
    """UserError with the first reason if every training failed."""
    failed = [line["failed"] for line in lines if "failed" in line]
    if lines and len(failed) == len(lines):
        raise UserError(
            f"expected a training that comes to its end, got {len(failed)} that failed, the first "
            f"because of: {_first(failed[0])}"
        )


def _first(reason: str) -> str:
    return reason.partition("\n")[0]
