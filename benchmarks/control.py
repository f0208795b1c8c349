"""Every planner on one world model: success and held against the time of a tick.

    python benchmarks/control.py --json results/planners.json --plot results/planners.png

Goals are those of other evaluations with the same seed; the network, the cost and the horizon are
the same for all planners, only the search differs.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from agent.commands.evaluate import Measurement
from agent.commands.measuring import measure_all
from planners import PLANNERS

PROTOCOLS = ("anywhere", "lewm")
SEED = 2000


def main() -> None:
    """Measure all planners on both protocols, print, and write what was asked for."""
    arguments = _parse()
    jobs = [
        Measurement(
            "world-model", arguments.checkpoint, protocol, arguments.episodes, SEED, planner=name
        )
        for protocol in PROTOCOLS
        for name in reversed(PLANNERS)
    ]
    results = measure_all(jobs, os.cpu_count() or 1)
    rows = [_row(job, result) for job, result in zip(jobs, results, strict=True)]
    print(json.dumps(rows, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    if arguments.plot:
        figure(rows).savefig(arguments.plot, dpi=150)


def figure(rows: Sequence[dict[str, Any]]) -> Figure:
    """First touch (hollow) and held (filled) over the median time of a tick, one panel each."""
    drawing = Figure(figsize=(9, 3.6), layout="constrained")
    panels = drawing.subplots(1, len(PROTOCOLS), sharey=True)
    for panel, protocol in zip(panels, PROTOCOLS, strict=True):
        for row in (row for row in rows if row["protocol"] == protocol):
            tick_ms = row["decision_ms"]["p50"]
            (line,) = panel.plot(tick_ms, 100 * row["held"]["rate"], "o", label=row["planner"])
            touch = 100 * row["first_touch"]["rate"]
            panel.plot(tick_ms, touch, "o", mfc="none", color=line.get_color())
        panel.set(title=protocol, xlabel="ms a tick, one core", ylim=(-3, 103))
    panels[0].set_ylabel("hollow: touch %, filled: held %")
    panels[0].legend()
    return drawing


def _row(job: Measurement, result: dict[str, Any]) -> dict[str, Any]:
    kept = ("protocol", "episodes", "seed", "first_touch", "held", "final_error_rad")
    more = ("decision_ms", "checkpoint_sha256", "command", "hardware", "date")
    return {"planner": job.planner} | {name: result[name] for name in (*kept, *more)}


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoints/reacher"))
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
