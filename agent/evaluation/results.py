"""The result of an evaluation as one strict JSON file: no NaN, what is missing is null.

Rates, errors and steps are over the episodes that were not solved at the start; the return, where
the task pays one, is over all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.evaluation.play import Trial
from agent.evaluation.provenance import circumstances
from agent.evaluation.statistics import interquartile_mean, median, percentile, wilson
from agent.files.json_files import read_json, require_fields
from envs import HELD_S, Task, Verdict, World, WorldSpec, episodes_of

SCHEMA = "lejepa-agent/evaluation/3"
UNLEARNED: Mapping[str, Any] = {"training_seed": None, "bought_with": None}
_DIGITS = 6  # of states: processors differ in the last ones
FIELDS = (
    "controller", "world", "look", "step_s", "protocol", "rule", "episodes", "seed",
    "solved_at_start", "first_touch", "held", "final_error", "steps_to_success", "decision_ms",
    "episode_return", "training_seed", "bought_with", "commit", "checkpoint_sha256", "per_episode",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What was measured: who, in which world, at which task, and as it is defined."""

    controller: str
    spec: WorldSpec
    protocol: str
    rule: str
    definition: str
    seed: int


def summarise(
    trials: Sequence[Trial],
    asked: Asked,
    *,
    checkpoint_sha256: str | None = None,
    command: str | None = None,
    wall_clock_s: float | None = None,
    origin: Mapping[str, Any] = UNLEARNED,
) -> dict[str, Any]:
    """Everything a table needs about one controller on one task, ready for JSON.

    ``origin`` is the training of a controller that learned, as :func:`origin_of` tells it.
    """
    return {
        "schema": SCHEMA,
        "controller": asked.controller,
        "world": asked.spec.world,
        "look": asked.spec.look,
        "step_s": asked.spec.step_s,
        "protocol": asked.protocol,
        "protocol_definition": asked.definition,
        "rule": asked.rule,
        "episodes": len(trials),
        "seed": asked.seed,
        **origin,
        **_figures(trials),
        "checkpoint_sha256": checkpoint_sha256,
        "command": command,
        **circumstances(),
        "wall_clock_s": wall_clock_s,
        "per_episode": [
            {name: value for name, value in asdict(trial.verdict).items() if name != "unit"}
            for trial in trials
        ],
    }


def fingerprint(task: Task, world: World) -> str:
    """Twelve hexadecimal digits of the rule of success, the budget and the first episode.

    What a task asks: figures stand for this definition of it and no other.
    """
    first = episodes_of(task, world, range(1), seed=0)[0]
    start = first.goal[:0] if first.start is None else first.start
    numbers = [
        [round(float(value), _DIGITS) for value in part.ravel()]
        for part in (start, first.goal, first.replay)
    ]
    columns = [(column.tolerance, column.period, column.point) for column in world.spec.state]
    said = (
        f"{world.spec.world} {task.name}: {task.about} {task.budget_steps} steps, "
        f"columns {columns}, held for {HELD_S} s, first episode {numbers}"
    )
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def deadlines(trials: Sequence[Trial], tick_ms: float) -> dict[str, Any]:
    """How many decisions of episodes played alone took longer than ``tick_ms``."""
    times = [ms for trial in trials for ms in trial.decision_ms]
    return {"tick_ms": tick_ms, "ticks": len(times), "missed": sum(ms > tick_ms for ms in times)}


def _figures(trials: Sequence[Trial]) -> dict[str, Any]:
    verdicts = [trial.verdict for trial in trials]
    counted = [verdict for verdict in verdicts if not verdict.solved_at_start]
    errors = [verdict.final_error for verdict in counted]
    steps = [v.steps_to_success for v in counted if v.steps_to_success is not None]
    times = [ms for trial in trials for ms in trial.decision_ms]
    unit = verdicts[0].unit if verdicts else ""
    return {
        "solved_at_start": len(verdicts) - len(counted),
        "ended_early": sum(trial.ended_early for trial in trials),
        "first_touch": asdict(wilson(sum(v.first_touch for v in counted), len(counted))),
        "held": asdict(wilson(sum(v.held for v in counted), len(counted))),
        "final_error": {"median": median(errors), "p90": percentile(errors, 90.0), "unit": unit},
        "steps_to_success": {"median": median(steps)},
        "decision_ms": {"p50": percentile(times, 50.0), "p95": percentile(times, 95.0)},
        "episode_return": _returns(verdicts),
    }


def _returns(verdicts: Sequence[Verdict]) -> dict[str, float | None] | None:
    """Over all episodes: a reward has no episode that is solved at the start."""
    returns = [v.episode_return for v in verdicts if v.episode_return is not None]
    if not returns:
        return None
    return {
        "mean": sum(returns) / len(returns),
        "interquartile_mean": interquartile_mean(returns),
        "median": median(returns),
    }


def read_result(path: Path) -> dict[str, Any]:
    """A result that was written as JSON; UserError if there is none, or of another schema."""
    result = read_json(path, "a result file", (SCHEMA,), "`evaluate --json`")
    require_fields(path, result, FIELDS)
    return result
