"""The table of the study ``closed-loop``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studies.tables.markdown import table

Result = Mapping[str, Any]
NAMES = {"lejepa": "LeJEPA", "whitening": "whitening"}
SPOILT = {
    "nothing": "nothing",
    "steps": "{:g} steps of training",
    "pairs": "{:g} pairs in all",
    "uniform": "uniform law",
    "rates": "one axis {:g} times as fast",
}


def closed_loop_table(result: Result) -> list[str]:
    """R² and cost over the optimum of each way to spoil recovery."""
    lines = [
        [NAMES[one["objective"]], SPOILT[one["spoilt"]].format(one["amount"]),
         f"{one['r2']['mean']:.4f}", f"{one['r2_reverse']['mean']:.4f}",
         f"{one['rotation_r2']['mean']:.4f}",
         f"{one['cost_ratio']['mean']:.3f}", f"{one['later_ratio']['mean']:.3f}",
         f"{one['median_ratio']['mean']:.3f}",
         f"{one['lost']['mean']:.0%}", f"{one['r2']['n']}"]
        for one in result["summary"]["table"]
    ]  # fmt: skip
    head = ["objective", "spoilt", "R², h → z", "R², z → h", "by a rotation", "cost / optimum"]
    head += ["after the first step", "median", "episodes worse than no force", "seeds"]
    return table(head, lines)
