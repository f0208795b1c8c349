"""The result of an evaluation as one strict JSON file: no NaN, what is missing is null.

Rates, errors and steps are over the episodes that were not solved at the start. Schema 2 adds the
training seed, what was paid for the training, the commit and, for protocols with a reward, the
return. Files of schema 1 are read with these unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.data.json_files import read_json, require_fields
from agent.evaluation.provenance import Origin, circumstances
from agent.evaluation.statistics import interquartile_mean, median, percentile, wilson
from agent.interfaces import EpisodeResult

SCHEMA = "lejepa-agent/evaluation/2"
OLDER_SCHEMA = "lejepa-agent/evaluation/1"
FIELDS = (
    "controller", "protocol", "episodes", "seed", "solved_at_start", "first_touch", "held",
    "final_error_rad", "steps_to_success", "decision_ms", "checkpoint_sha256", "per_episode",
)  # fmt: skip
ADDED = ("training_seed", "bought_with", "episode_return", "commit")  # by schema 2


def summarise(
    results: Sequence[EpisodeResult],
    *,
    controller: str,
    protocol: str,
    seed: int,
    checkpoint_sha256: str | None = None,
    command: str | None = None,
    wall_clock_s: float | None = None,
    origin: Origin | None = None,
    definition: str | None = None,
) -> dict[str, Any]:
    """Everything a table needs about one controller on one protocol, ready for JSON.

    ``origin`` is the training of a controller that learned, ``definition`` the fingerprint of the
    protocol as it was played.
    """
    return {
        "schema": SCHEMA,
        "controller": controller,
        "protocol": protocol,
        "protocol_definition": definition,
        "episodes": len(results),
        "seed": seed,
        "training_seed": origin.training_seed if origin else None,
        "bought_with": asdict(origin.bought_with) if origin else None,
        **_figures(results),
        "checkpoint_sha256": checkpoint_sha256,
        "command": command,
        **circumstances(),
        "wall_clock_s": wall_clock_s,
        "per_episode": [_line(result) for result in results],
    }


def _figures(results: Sequence[EpisodeResult]) -> dict[str, Any]:
    counted = [result for result in results if not result.solved_at_start]
    errors = [result.final_error_rad for result in counted]
    steps = [r.steps_to_success for r in counted if r.steps_to_success is not None]
    times = [ms for result in results for ms in result.decision_ms]
    return {
        "solved_at_start": len(results) - len(counted),
        "first_touch": asdict(wilson(sum(r.first_touch for r in counted), len(counted))),
        "held": asdict(wilson(sum(r.held for r in counted), len(counted))),
        "final_error_rad": {"median": median(errors), "p90": percentile(errors, 90.0)},
        "steps_to_success": {"median": median(steps)},
        "decision_ms": {"p50": percentile(times, 50.0), "p95": percentile(times, 95.0)},
        "episode_return": _returns(results),
    }


def _returns(results: Sequence[EpisodeResult]) -> dict[str, float | None] | None:
    """Over all episodes: a reward has no episode that is solved at the start."""
    given = [result.episode_return for result in results]
    returns = [value for value in given if value is not None]
    if not returns:
        return None
    return {
        "mean": sum(returns) / len(returns),
        "interquartile_mean": interquartile_mean(returns),
        "median": median(returns),
    }


def _line(result: EpisodeResult) -> dict[str, Any]:
    # The tick-by-tick times are summarised above; here they would be most of the file.
    return {name: value for name, value in asdict(result).items() if name != "decision_ms"}


def read_result(path: Path) -> dict[str, Any]:
    """A result that was written as JSON, now or under the older schema.

    Raises:
        UserError: if there is no such file, or it is no result of this schema.
    """
    result = read_json(path, "a result file", (SCHEMA, OLDER_SCHEMA), "`evaluate --json`")
    unknown = dict.fromkeys(ADDED) if result["schema"] == OLDER_SCHEMA else {}
    whole = {**result, **unknown}
    require_fields(path, whole, (*FIELDS, *ADDED))
    return whole
