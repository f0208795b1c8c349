"""What the study of real motion says: one cell of each source, and what is varied around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from studies.intervals import mean_interval
from studies.study import Row, bar

HEADLINE: Mapping[str, Mapping[str, Any]] = {
    "gaussian": {"objective": "lejepa", "latent_dim": 2, "stride": 8, "steps": 1000},
    "uniform": {"objective": "whitening", "latent_dim": 16, "stride": 8, "steps": 1000},
    "ou": {"objective": "whitening", "latent_dim": 32, "stride": 8, "steps": 1000},
    "controller": {"objective": "whitening", "latent_dim": 32, "stride": 2, "steps": 1000},
}
EPISODES = 2000
SEEDS = (0, 1, 2)  # of each source's own cell
SLOWEST = "slowest"  # no encoder at all: functions of the joints
MOST = 32
DIMENSIONS = (2, 4, 8, 16)  # once, twice, four and eight times the joints
ANGLES = ("shoulder", "wrist")
CIRCLES = ("sin shoulder", "sin wrist", "cos shoulder", "cos wrist")
PUBLISHED_R2 = (0.80, 0.78)
ASKED = {"gaussian": 0.98, "ou": 0.98, "uniform": 0.98, "controller": 0.95}


def is_angular(source: str) -> bool:
    """Whether angles themselves are to be read from embeddings of a source, or sine and cosine."""
    return source == "gaussian"


def coordinate_r2(row: Row) -> list[float]:
    """R² of each coordinate of a row's source."""
    return list(row["r2_raw_by_joint" if is_angular(row["source"]) else "r2_sincos_by_target"])


def conclude(rows: Sequence[Row]) -> dict[str, Any]:
    """Each source's headline with intervals over seeds, what is varied around it, and the bars.

    ``slowest``: the worst coordinate's R² in the slowest functions, by source, stride and D.
    """
    slow = {source: _slowest(rows, source) for source in HEADLINE}
    rows = [row for row in rows if row["objective"] != SLOWEST]
    headline = {source: _headline(rows, source) for source in HEADLINE}
    return {
        "headline": headline,
        "by_dimension": {source: _by_dimension(rows, source) for source in HEADLINE},
        "by_stride": {source: _varied(rows, source, "stride") for source in HEADLINE},
        "by_episodes": {source: _varied(rows, source, "episodes") for source in HEADLINE},
        "slowest": slow,
        "published_r2": list(PUBLISHED_R2),
        "bars": _bars(headline),
    }


def _slowest(rows: Sequence[Row], source: str) -> dict[str, Any]:
    mine = _chosen(rows, {"source": source, "objective": SLOWEST})
    return {
        str(row["stride"]): {
            number: min(row["r2_slowest"][number]) for number in sorted(row["r2_slowest"], key=int)
        }
        for row in sorted(mine, key=lambda row: row["stride"])
    }


def _headline(rows: Sequence[Row], source: str) -> dict[str, Any]:
    cell = HEADLINE[source]
    chosen = _headline_rows(rows, source, ())
    return {
        **cell,
        "episodes": EPISODES,
        "coordinates": {
            name: mean_interval([coordinate_r2(row)[place] for row in chosen])
            for place, name in enumerate(ANGLES if is_angular(source) else CIRCLES)
        },
        **_entry(chosen),
    }


def _by_dimension(rows: Sequence[Row], source: str) -> dict[str, Any]:
    about = _headline_rows(rows, source, ("objective", "latent_dim"))
    found: dict[str, Any] = {}
    for objective in dict.fromkeys(row["objective"] for row in about):
        of_it = [row for row in about if row["objective"] == objective]
        found[objective] = _by(of_it, "latent_dim")
    return found


def _varied(rows: Sequence[Row], source: str, name: str) -> dict[str, Any]:
    return _by(_headline_rows(rows, source, (name,)), name)


def _headline_rows(rows: Sequence[Row], source: str, free: Sequence[str]) -> list[Row]:
    """Rows that differ from the source's headline in the settings ``free`` alone."""
    cell = {"source": source, **HEADLINE[source]}
    fixed = {name: value for name, value in cell.items() if name not in free}
    if "episodes" not in free:
        fixed["episodes"] = EPISODES
    return _chosen(rows, fixed)


def _chosen(rows: Sequence[Row], cell: Mapping[str, Any]) -> list[Row]:
    return [row for row in rows if all(row[name] == value for name, value in cell.items())]


def _by(rows: Sequence[Row], name: str) -> dict[str, Any]:
    values = sorted({row[name] for row in rows})
    return {str(v): _entry([row for row in rows if row[name] == v]) for v in values}


_FIGURES: Mapping[str, Callable[[Row], float]] = {
    "mean": lambda row: sum(coordinate_r2(row)) / len(coordinate_r2(row)),
    "worst": lambda row: min(coordinate_r2(row)),
    "on_poses": lambda row: sum(row["r2_on_poses_by_joint"]) / 2,
    "worst_on_poses": lambda row: min(row["r2_on_poses_by_joint"]),
    "pair_correlation": lambda row: row["pair_correlation"],
    "white_step": lambda row: row["white_step"],
    "white_step_of_joints": lambda row: row["white_step_of_joints"],
}


def _entry(rows: Sequence[Row]) -> dict[str, Any]:
    """Over seeds: mean and worst of the coordinates, and what the paper scores."""
    return {name: mean_interval([of(row) for row in rows]) for name, of in _FIGURES.items()}


def _bars(headline: Mapping[str, Any]) -> dict[str, Any]:
    bars = {}
    for source, found in headline.items():
        least = min(entry["mean"] for entry in found["coordinates"].values())
        what = "angles" if is_angular(source) else "sin, cos"
        name = f"R² of the worst of {what}, {source}"
        bars[name] = bar(least, f"at least {ASKED[source]}", least >= ASKED[source])
    posed = headline["gaussian"]["on_poses"]["mean"]
    name = "R² on posed arms, the published scoring, gaussian"
    return {**bars, name: bar(posed, "above .80 / .78", posed > max(PUBLISHED_R2))}
