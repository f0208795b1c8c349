"""The tables of the studies of the arm, lines of markdown from one study's result each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studies.reacher_ou_study import is_larger
from studies.tables.markdown import table as _table

Result = Mapping[str, Any]


def reacher_ou_table(result: Result) -> list[str]:
    """R² by correlation: published, ours in both worlds, and the paper's other quantities."""
    summary, rows = result["summary"], result["rows"]
    lines = []
    for rho, published in summary["published_r2"].items():
        inside = [
            r for r in rows
            if r["world"] == "one-turn" and str(r["rho"]) == rho and not is_larger(r)
        ]  # fmt: skip
        ours = summary["r2"]["one-turn"].get(rho)
        theirs = summary["r2"]["as-published"].get(rho)
        lines.append(
            [
                rho, f"{published:.2f}", _mean(ours, "r2_raw"), _mean(theirs, "r2_raw"),
                _mean(theirs, "r2_wrapped"), _average(inside, "orthogonality_error"),
                _average(inside, "excess_alignment"), _average(inside, "whitening_error"),
            ]
        )  # fmt: skip
    head = ["ρ", "published R²", "one turn R²", "as published, R² raw", "the same, modulo a turn",
            "orthogonality error", "δ", "ε"]  # fmt: skip
    return [*_table(head, lines), *_larger(summary.get("r2_larger", {}))]


def _larger(found: Result) -> list[str]:
    """What a larger run gives, where there is one."""
    head = ["ρ", "one turn R², 40 000 poses at 64², twice the channels and steps"]
    return ["", *_table(head, [[r, f"{e['mean']:.3f}"] for r, e in found.items()])] if found else []


def trajectories_table(result: Result) -> list[str]:
    """Each source's own cell, then what is varied around it: D and objective, stride, episodes."""
    summary = result["summary"]
    head = [
        "motion",
        "objective",
        "D",
        "seeds",
        "linear R² on unseen motion",
        "on posed arms",
    ]
    lines = [
        [
            source, f"`{found['objective']}`", str(found["latent_dim"]), str(found["worst"]["n"]),
            ", ".join(f"{n} {entry['mean']:.3f}" for n, entry in found["coordinates"].items()),
             _mean(found, "on_poses"),
        ]
        for source, found in summary["headline"].items()
    ]  # fmt: skip
    widths = {
        f"{source}, `{kind}`": entries
        for source, by_objective in summary["by_dimension"].items()
        for kind, entries in by_objective.items()
    }
    return [
        *_table(head, lines),
        *_varied("motion, objective", "D =", widths),
        *_varied("motion", "stride", summary["by_stride"]),
        *_varied("motion", "episodes", summary["by_episodes"]),
        *_slowest(summary["slowest"]),
    ]


def _slowest(found: Result) -> list[str]:
    """The worst coordinate in the slowest functions of the joints: a line a motion and number."""
    strides = list(next(iter(found.values())))
    lines = [
        [source, number, *(f"{by_stride[stride][number]:.3f}" for stride in strides)]
        for source, by_stride in found.items()
        for number in by_stride[strides[0]]
    ]
    head = ["motion", "slowest functions of the joints", *(f"stride {s}: worst" for s in strides)]
    return ["", *_table(head, lines)]


def _varied(head: str, what: str, found: Result) -> list[str]:
    """A line a name, a column a value; mean over the coordinates / the worst of them."""
    many = {name: entries for name, entries in found.items() if len(entries) > 1}
    values = sorted({value for entries in many.values() for value in entries}, key=int)
    lines = [
        [name, *(_mean_and_worst(entries.get(v)) for v in values)] for name, entries in many.items()
    ]
    columns = [f"{what} {value}" for value in values]
    return ["", *_table([f"{head}: mean / worst R²", *columns], lines)]


def _mean_and_worst(entry: Result | None) -> str:
    return "–" if entry is None else f"{_mean(entry, 'mean')} / {_mean(entry, 'worst')}"


def _mean(entry: Result | None, name: str) -> str:
    return "–" if entry is None else f"{entry[name]['mean']:.3f}"


def _average(rows: Sequence[Result], name: str) -> str:
    return f"{sum(row[name] for row in rows) / len(rows):.3f}" if rows else "–"
