"""The tables of the studies of the arm, lines of markdown from one study's result each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studies.tables.markdown import table as _table

Result = Mapping[str, Any]


def reacher_ou_table(result: Result) -> list[str]:
    """R² by correlation: published, ours in both worlds, and the paper's other quantities."""
    summary, rows = result["summary"], result["rows"]
    lines = []
    for rho, published in summary["published_r2"].items():
        inside = [r for r in rows if r["world"] == "one-turn" and str(r["rho"]) == rho]
        ours = summary["r2"]["one-turn"].get(rho)
        theirs = summary["r2"]["as-published"].get(rho)
        lines.append(
            [
                rho, f"{published:.2f}", _mean(ours, "r2_raw"), _mean(theirs, "r2_raw"),
                _mean(theirs, "r2_wrapped"), _average(inside, "orthogonality_error"),
                _average(inside, "excess_alignment"), _average(inside, "whitening_error"),
            ]
        )  # fmt: skip
    return _table(
        ["ρ", "published R²", "one turn R²", "as published, R² raw", "the same, modulo a turn",
         "orthogonality error", "δ", "ε"], lines,
    )  # fmt: skip


def trajectories_table(result: Result) -> list[str]:
    """R² by source and stride: modulo one turn and raw."""
    found = result["summary"]["r2"]
    strides = sorted({stride for entries in found.values() for stride in entries}, key=int)
    lines = []
    for source, entries in found.items():
        for name, words in (("r2_wrapped", "modulo a turn"), ("r2_raw", "raw")):
            cells = [_mean(entries.get(stride), name) for stride in strides]
            lines.append([source, words, *cells])
    return _table(["motion", "angles", *(f"stride {stride}" for stride in strides)], lines)


def action_table(result: Result) -> list[str]:
    """What is read from each world model and what it reaches in closed loop."""
    lines = []
    for behaviour, entries in result["summary"]["models"].items():
        for width, entry in entries.items():
            read = [_mean(entry, name) for name in ("r2_wrapped", "r2_sincos", "r2_velocity")]
            bent = _mean(entry, "orthogonality_error_sincos")
            reached = [
                f"{_percent(entry[f'{protocol}_touch'])} / {_percent(entry[f'{protocol}_held'])}"
                for protocol in ("lewm", "anywhere")
            ]
            lines.append([behaviour, width, *read, bent, *reached])
    head = ["data", "D", "angles R²", "sin, cos R²", "velocities R² (two embeddings)"]
    head += ["orthogonality error (sin, cos)", "lewm touch / held %", "anywhere touch / held %"]
    summary = result["summary"]
    lost = f"{summary['collapsed']} of {summary['runs']} runs collapsed and are left out."
    return [*_table(head, lines), "", lost, "", *_links(summary["rank_correlation"])]


def _links(links: Result) -> list[str]:
    rules = list(next(iter(links.values())))
    lines = []
    for name, found in links.items():
        cells = ["–" if found[rule] is None else _link(found[rule]) for rule in rules]
        lines.append([f"`{name}`", *cells])
    words = [f"`{rule}`" for rule in rules]
    return _table(["rank correlation (p), over all runs", *words], lines)


def _link(found: Result) -> str:
    return f"{found['rho']:.2f} ({found['p']:.2g})"


def _mean(entry: Result | None, name: str) -> str:
    return "–" if entry is None else f"{entry[name]['mean']:.3f}"


def _average(rows: Sequence[Result], name: str) -> str:
    return f"{sum(row[name] for row in rows) / len(rows):.3f}" if rows else "–"


def _percent(rate: Result) -> str:
    return f"{100 * rate['rate']:.0f}"
