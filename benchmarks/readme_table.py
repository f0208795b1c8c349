"""The README's table of results, made from ``results/*.json`` and from nothing else.

    python benchmarks/readme_table.py            # print it
    python benchmarks/readme_table.py --write    # put it into README.md

A test compares README.md with what this makes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.evaluation.results import read_result

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "results" / "evaluation"
BEGIN = "<!-- results:begin (python benchmarks/readme_table.py --write) -->"
END = "<!-- results:end -->"
PROTOCOLS = ("lewm", "anywhere", "swift")
CONTROLLERS = ("world-model", "sac", "oracle", "computed-torque", "random", "noop")
HEAD = (
    "| protocol | controller | episodes | touch % | held % | median error [rad] "
    "| tick [ms], p50 / p95 |",
    "|---|---|---|---|---|---|---|",
)


def table() -> str:
    """The table as Markdown, with the hardware it was measured on."""
    results = [read_result(path) for path in sorted(RESULTS.glob("*.json"))]
    ordered = sorted(results, key=_place)
    machines = sorted({f"{result['hardware']}, {result['date'][:10]}" for result in ordered})
    made = "; ".join(machines)
    note = f"`results/evaluation/*.json` hold each command, seed and episode. Machine: {made}."
    return "\n".join([*HEAD, *map(_row, ordered), "", note])


def with_table(readme: str) -> str:
    """``readme`` with the table between its marks."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _place(result: Mapping[str, Any]) -> tuple[int, int]:
    return PROTOCOLS.index(result["protocol"]), CONTROLLERS.index(result["controller"])


def _row(result: Mapping[str, Any]) -> str:
    tick, error = result["decision_ms"], result["final_error_rad"]["median"]
    cells = (
        result["protocol"],
        result["controller"],
        str(result["episodes"]),
        _rate(result["first_touch"]),
        _rate(result["held"]),
        f"{error:.3f}",
        f"{tick['p50']:.1f} / {tick['p95']:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _rate(rate: Mapping[str, float]) -> str:
    return f"{100 * rate['rate']:.1f} ({100 * rate['low']:.1f} to {100 * rate['high']:.1f})"


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(table())
