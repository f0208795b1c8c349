"""How well a controller does after ever more experience: one file a controller and seed.

A point is one checkpoint on one protocol. A file gains points until all are measured, so the
measurement can stop and go on at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.data.json_files import read_json
from agent.errors import UserError

SCHEMA = "lejepa-agent/curve/1"
KEPT = (
    "protocol", "episodes", "seed", "solved_at_start", "first_touch", "held", "final_error_rad",
    "episode_return", "bought_with", "checkpoint_sha256", "command", "commit", "hardware", "date",
    "wall_clock_s",
)  # fmt: skip

Curve = dict[str, Any]


def new_curve(controller: str, training_seed: int) -> Curve:
    """A curve without points."""
    return {
        "schema": SCHEMA,
        "controller": controller,
        "training_seed": training_seed,
        "points": [],
    }


def with_point(curve: Curve, result: Mapping[str, Any]) -> Curve:
    """``curve`` with what ``result`` (of ``summarise``) says, in order of protocol and steps.

    Raises:
        UserError: if the checkpoint does not say what it was bought with, comes from another
            training seed or controller, or would replace a point of more or of other episodes.
    """
    if (result["bought_with"] or {}).get("env_steps") is None:
        raise UserError(
            f"expected a checkpoint that says its env_steps, got none in {result['command']}: "
            "train it again"
        )
    if result["training_seed"] != curve["training_seed"]:
        raise UserError(
            f"expected a checkpoint of training seed {curve['training_seed']}, got "
            f"{result['training_seed']}: {result['command']}"
        )
    if result["controller"] != curve["controller"]:
        raise UserError(
            f"expected {curve['controller']} in its own curve, got {result['controller']}: "
            f"{result['command']}"
        )
    point = {name: result[name] for name in KEPT}
    others = [p for p in curve["points"] if place_of(p) != place_of(point)]
    _require_no_less(point, [p for p in curve["points"] if p not in others])
    return {**curve, "points": sorted([*others, point], key=place_of)}


def _require_no_less(point: Mapping[str, Any], replaced: list[Mapping[str, Any]]) -> None:
    for old in replaced:
        if old["seed"] != point["seed"] or old["episodes"] > point["episodes"]:
            raise UserError(
                f"expected at least {old['episodes']} episodes of seed {old['seed']}, as the curve "
                f"has at {place_of(old)[1]} env steps, got {point['episodes']} of seed "
                f"{point['seed']}: choose another --out"
            )


def place_of(point: Mapping[str, Any]) -> tuple[str, int]:
    """Protocol and env steps: a curve has one point for each."""
    return point["protocol"], point["bought_with"]["env_steps"]


def read_curve(path: Path) -> Curve:
    """A curve from its file.

    Raises:
        UserError: if there is no such file, or it is no curve of this schema.
    """
    return read_json(path, "a curve", (SCHEMA,), "`compare --curves`")
