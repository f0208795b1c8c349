"""The table of the study ``latent``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studies.tables.markdown import table

Result = Mapping[str, Any]
NAMES = {
    "sigreg": "SIGReg", "none": "none", "vicreg": "VICReg", "whitening": "whitening",
    "subspaces": "SIGReg in subspaces", "block": "SIGReg on 2 outputs",
    "projector": "SIGReg behind a projector",
    "behind": "SIGReg and predictions behind a projector",
}  # fmt: skip


def latent_table(result: Result) -> list[str]:
    """A line a cell: what was set, what is seen of the latent, and what it holds."""
    head = ["world, motion", "regulariser", "λ", "D", "warm start", "joint steps", "SIGReg"]
    head += ["rank", "worst R²", "begun at", "error, 1 / 10", "false minima", "touch / held"]
    head += ["median error"]
    return table(head, [_line(one) for one in result["summary"]["table"]])


def _line(one: Result) -> list[str]:
    cells = [f"{one['world']}, {one['behaviour']}", NAMES[one["regulariser"]], f"{one['weight']:g}"]
    cells += [f"{one[name]}" for name in ("latent_dim", "warm", "main")]
    if "held" not in one:
        return [*cells, "collapsed", *["–"] * 7]
    mean = {name: one[name]["mean"] for name in one if isinstance(one[name], Mapping)}
    return [
        *cells, f"{mean['sigreg']:.1f}", f"{mean['effective_rank']:.1f}",
        f"{mean['worst_r2']:.3f}", f"{mean['begun_r2']:.3f}",
        f"{mean['error_first']:.4f} / {mean['error_last']:.4f}", f"{mean['false_minima']:.1%}",
        f"{mean['touch']:.0%} / {mean['held']:.0%}", f"{mean['median_error']:.2g}",
    ]  # fmt: skip
