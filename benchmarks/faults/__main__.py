"""``python -m benchmarks.faults SUITE``: run it, write its JSON, and put its table on the page.

A suite that was interrupted goes on where it stopped: each part is kept as soon as it is done.
"""

from __future__ import annotations

import argparse
import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: a fork has one thread, whatever it needs

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.commands.console import note
from agent.commands.progress import progress
from agent.errors import UserError
from agent.evaluation.provenance import circumstances
from agent.files.json_files import read_json, write_json
from benchmarks.faults.page import fill_page
from benchmarks.faults.suites import SUITES, Row, Suite

PAGE = Path("docs/reliability.md")


def main(argv: Sequence[str] | None = None) -> int:
    """0 where nothing went wrong that must not, 1 otherwise."""
    asked = _parse(argv)
    import_everything()
    rows = _run(SUITES[asked.suite], asked)
    if asked.page.exists():
        fill_page(asked.page, asked.out)
    wrong = [row for row in rows if row["wrong"]]
    for row in wrong:
        note(f"{next(iter(row.values()))}: {row['wrong']}")
    return 1 if wrong else 0


def import_everything() -> None:
    """Whatever a fork may need, so that none of them imports it again."""
    import torch
    import torch._dynamo  # what an optimiser imports when it is made

    import agent.commands.calling
    import agent.commands.demo_report
    import agent.commands.train
    import agent.export.exporting
    import agent.reporting.report
    import agent.rivals.learners  # noqa: F401
    import benchmarks.campaign.campaign  # noqa: F401

    torch.set_num_threads(1)


def _run(suite: Suite, asked: argparse.Namespace) -> list[Row]:
    parts = [part for part in suite.parts() if not asked.only or part in asked.only]
    path, end_s = asked.out / f"{asked.suite}.json", time.monotonic() + asked.limit_s
    rows = _done_before(path, asked)
    left = [part for part in parts if part not in [next(iter(row.values())) for row in rows]]
    total = len(left) * asked.count
    with progress(f"{asked.suite}, faults") as update:
        for number, part in enumerate(left):
            share_s = (end_s - time.monotonic()) / (len(left) - number)
            at = number * asked.count
            rows.append(suite.run(part, asked, share_s, lambda n, at=at: update(at + n, total)))
            write_json(path, _result(asked, rows))
    return rows


def _done_before(path: Path, asked: argparse.Namespace) -> list[Row]:
    wanted = _result(asked, [])
    try:
        found = read_json(path, "a suite's rows", (wanted["schema"],), wanted["command"])
    except UserError:
        return []
    same = all(found[name] == wanted[name] for name in ("command", "commit"))
    return list(found["rows"]) if same and not asked.anew else []


def _result(asked: argparse.Namespace, rows: Sequence[Row]) -> dict[str, Any]:
    command = f"python -m benchmarks.faults {asked.suite} --count {asked.count} --seed {asked.seed}"
    return {
        "schema": f"lejepa-agent/faults-{asked.suite}/1", "command": command, **circumstances(),
        "rows": list(rows),
    }  # fmt: skip


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    suites = parser.add_subparsers(dest="suite", required=True)
    for name, suite in SUITES.items():
        one = suites.add_parser(name, help=suite.about, description=suite.about)
        one.add_argument("--count", type=int, default=suite.count, help="faults in each part")
        one.add_argument("--seed", type=int, default=0, help="everything random follows from it")
        one.add_argument("--only", nargs="*", metavar="PART", help="these parts alone")
        one.add_argument("--limit-s", type=float, default=1800.0, help="what all may take")
        one.add_argument("--anew", action="store_true", help="do again what was done before")
        one.add_argument("--out", type=Path, default=Path("results/reliability"), metavar="DIR")
        one.add_argument("--page", type=Path, default=PAGE)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
