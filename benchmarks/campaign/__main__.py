"""``python -m benchmarks.campaign``: plan, measure, add to and report the published results."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from agent.commands.calling import call
from agent.commands.console import say
from agent.evaluation.results import read_result
from benchmarks.campaign.campaign import Campaign
from benchmarks.campaign.report import Report
from benchmarks.campaign.tables import put_run, run_id

ABOUT = {
    "plan": "say what is measured, what is missing, how long it takes and which commands train it",
    "measure": "measure what is missing, by processes; run it again after an interruption",
    "curves": "measure the checkpoints along the trainings: success against experience",
    "add": "put results of `run_agent.py evaluate --json` into the tables",
    "report": "make the page and the figures, and with --pages the tables of Markdown pages",
}


LEFT = "Every finished run is kept; run the same command again to continue."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit code."""
    try:
        asked = _parser().parse_args(argv)
    except SystemExit as leaving:  # argparse has said why
        return leaving.code if isinstance(leaving.code, int) else 0
    return call(lambda: _run(asked), lambda: LEFT)


def _run(asked: argparse.Namespace) -> None:
    words = vars(asked)
    name = words.pop("command")
    if name == "add":
        for result in [read_result(path) for path in asked.files]:
            say(f"{asked.out}: {run_id(put_run(asked.out, result))}")
        return
    lists = {key: tuple(value) for key, value in words.items() if isinstance(value, list)}
    if name == "report":
        Report(**{**words, **lists}).run()
    else:
        only_plan = name == "plan" or words.pop("dry", False)
        Campaign(**{**words, **lists}, plan=only_plan, curves=name == "curves").run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.campaign", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    made = {name: commands.add_parser(name, help=x, description=x) for name, x in ABOUT.items()}
    for name in ("plan", "measure", "curves"):
        _add_choices(made[name])
    made["measure"].add_argument("--again", action="store_true", help="replace what is outdated")
    for name in ("plan", "measure"):
        made[name].add_argument(
            "--commit", default="", help="what another commit measured counts as outdated"
        )
    made["curves"].add_argument("--dry", action="store_true", help="only say what is missing")
    made["add"].add_argument("files", type=Path, nargs="+", metavar="FILE", help="what it wrote")
    made["add"].add_argument(
        "--out", type=Path, default=Path("results/comparison"), metavar="DIR",
        help="the tables of one world; those of others are results/worlds/NAME",
    )  # fmt: skip
    made["report"].add_argument(
        "results", type=Path, nargs="?", default=Path("results"), help="where the tables are"
    )
    made["report"].add_argument("--out", type=Path, help="the page (default: report.html there)")
    made["report"].add_argument(
        "--pages", type=Path, nargs="*", metavar="FILE",
        help="make the tables of these Markdown pages anew; of README.md and those of docs/ that "
        "quote results, if none is named",
    )  # fmt: skip
    return parser


def _add_choices(parser: argparse.ArgumentParser) -> None:
    default = Campaign()
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the tables are and go")
    parser.add_argument("--runs", type=Path, default=default.runs, help="DIR/CONTROLLER-SEED")
    parser.add_argument("--controllers", nargs="+", default=[], help="who plays (default: all)")
    parser.add_argument("--protocols", nargs="+", default=[], help="what (default: all)")
    parser.add_argument(
        "--training-seeds", type=int, nargs="+", default=list(default.training_seeds)
    )
    parser.add_argument("--episodes", type=int, help="of each run (default: 300; curves: 100)")
    parser.add_argument("--seed", type=int, default=default.seed, help="decides starts and goals")
    parser.add_argument("--workers", type=int, default=default.workers, help="cores to use")
    parser.add_argument(
        "--cluster", default="", metavar="ADDRESS",
        help="measure on the Ray cluster at HOST:PORT, or `local`, one that is started here",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
