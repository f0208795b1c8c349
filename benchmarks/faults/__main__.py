"""``python -m benchmarks.faults SUITE``: run it, write its JSON, and put its table on the page."""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a fork has one thread, whatever its parent had

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.commands.console import note
from agent.commands.progress import progress
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from benchmarks.faults.page import fill_page

Done = Callable[[int, int], None]
PAGE = Path("docs/reliability.md")


@dataclass(frozen=True)
class Suite:
    """``run`` gives rows; ``count`` is how many faults by default, of what ``unit``."""

    count: int
    about: str
    run: Callable[[argparse.Namespace, Done], list[dict[str, Any]]]


def _kills(asked: argparse.Namespace, done: Done) -> list[dict[str, Any]]:
    from benchmarks.faults.kills import NAMES, kill_jobs

    return kill_jobs(tuple(asked.only or NAMES), asked.count, asked.seed, asked.limit_s, done)


SUITES = {
    "kills": Suite(100, "kill -9 at random moments, this often in each job", _kills),
}


def main(argv: Sequence[str] | None = None) -> int:
    """0 where nothing went wrong that must not, 1 otherwise."""
    asked = _parse(argv)
    _import_everything()
    with progress(f"{asked.suite}, faults") as update:
        rows = SUITES[asked.suite].run(asked, update)
    result = {
        "schema": f"lejepa-agent/faults-{asked.suite}/1",
        "command": f"python -m benchmarks.faults {asked.suite} --count {asked.count} "
        f"--seed {asked.seed}",
        **circumstances(),
        "rows": rows,
    }
    write_json(asked.out / f"{asked.suite}.json", result)
    if asked.page.exists():
        fill_page(asked.page, asked.out)
    wrong = [f"{row}" for row in rows if row["wrong"]]
    for line in wrong:
        note(line)
    return 1 if wrong else 0


def _import_everything() -> None:
    """Whatever a fork may need, so that none of them imports it again."""
    import torch

    import agent.commands.calling
    import agent.commands.demo_report
    import agent.commands.train
    import agent.export.exporting
    import agent.reporting.report
    import agent.rivals.learners
    import benchmarks.campaign.campaign  # noqa: F401

    torch.set_num_threads(1)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    suites = parser.add_subparsers(dest="suite", required=True)
    for name, suite in SUITES.items():
        one = suites.add_parser(name, help=suite.about, description=suite.about)
        one.add_argument("--count", type=int, default=suite.count)
        one.add_argument("--seed", type=int, default=0)
        one.add_argument("--only", nargs="*", help="these rows alone")
        one.add_argument("--limit-s", type=float, default=1800.0, help="give up after so long")
        one.add_argument("--out", type=Path, default=Path("results/reliability"))
        one.add_argument("--page", type=Path, default=PAGE)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
