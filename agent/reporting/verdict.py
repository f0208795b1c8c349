"""What the numbers of a run say, in sentences: first whether the model learned to steer at all.

Two rates differ where their intervals do not meet; anything less may be chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.model.sigreg import GAUSSIAN
from agent.reporting.results_table import (
    OURS,
    Result,
    in_groups,
    interval,
    percent,
    protocols_of,
)

FLOORS = ("random", "noop")
RIVAL = "sac"
USUAL_RIVAL_STEPS = 300_000  # env steps: what published figures of the rival take at least
FAR_FROM_GAUSSIAN = 2.0  # times a Gaussian's statistic
RATES = {"first_touch": "touches", "held": "holds"}


def verdict(results: Sequence[Result], metrics: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences on ``results`` of ``summarise``; ``metrics`` are the lines of a training."""
    lines = [line for protocol in protocols_of(results) for line in _steering(results, protocol)]
    return [*lines, *_of_rival(results), *_of_shape(metrics)]


def _steering(results: Sequence[Result], protocol: str) -> Iterator[str]:
    """How the model does beside what knows nothing."""
    mine = {one["controller"]: one for one in results if one["protocol"] == protocol}
    floors = [mine[name] for name in FLOORS if name in mine]
    if OURS not in mine or not floors:
        return
    if mine[OURS]["first_touch"]["rate"] is None:
        yield f"{protocol}: nothing was measured, as every episode began within tolerance."
        return
    words, above = [], []
    for key, does in RATES.items():
        best = max(floors, key=lambda one: one[key]["rate"] or 0.0)
        above.append(is_above(mine[OURS][key], best[key]))
        words.append(
            f"{does} {percent(mine[OURS][key])} % of its goals ({interval(mine[OURS][key])}) where "
            f"{best['controller']} {does} {percent(best[key])} % ({interval(best[key])})"
        )
    failed = "the model has not been shown to have learned to steer. It "
    yield f"{protocol}: {'the world model ' if any(above) else failed}{' and '.join(words)}."


def is_above(ours: Mapping[str, float | None], theirs: Mapping[str, float | None]) -> bool:
    """Whether the whole interval of one rate lies above that of another."""
    low, high = ours["low"], theirs["high"]
    return low is not None and high is not None and low > high


def _of_rival(results: Sequence[Result]) -> Iterator[str]:
    bought = [one["bought_with"] for one in results if one["controller"] == RIVAL]
    steps = bought[0]["env_steps"] if bought and bought[0] else None
    if steps is None:
        return
    said = f"{RIVAL}, which is told the true state and the goal's, learned from {in_groups(steps)}"
    if steps >= USUAL_RIVAL_STEPS:
        yield f"{said} env steps."
        return
    yield (
        f"{said} env steps and was stopped there; published figures take "
        f"{in_groups(USUAL_RIVAL_STEPS)} and "
        "more, so where it loses here it may only not have been done."
    )


def _of_shape(metrics: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """How far the embedding is from what its regulariser asks for."""
    seen = [line["diagnostics"]["sigreg"] for line in metrics if line.get("diagnostics")]
    if not seen or seen[-1] is None:
        return
    times = seen[-1] / GAUSSIAN
    if times < FAR_FROM_GAUSSIAN:
        yield f"Of frames far apart the embedding is about Gaussian: SIGReg is {seen[-1]:.2f}."
        return
    yield (
        f"Of frames far apart the embedding is not Gaussian: SIGReg is {seen[-1]:.1f}, {times:.0f} "
        "times a Gaussian's, so the theory promises nothing of it (diagnose says where it "
        "differs). What it steers is measured above."
    )
