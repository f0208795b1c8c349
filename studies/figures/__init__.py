"""Which figure draws which study; each is a function of the study's result."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from matplotlib.figure import Figure

HOMES = {
    "worlds": "studies.figures.worlds:worlds_figure",
    "scaling": "studies.figures.worlds:scaling_figure",
    "law": "studies.figures.law:law_figure",
    "bound": "studies.figures.law:bound_figure",
    "conditions": "studies.figures.conditions:conditions_figure",
    "circles": "studies.figures.circles:circles_figure",
    "circle-law": "studies.figures.circles:circle_law_figure",
    "closed-loop": "studies.figures.closed_loop:closed_loop_figure",
    "reacher-ou": "studies.figures.reacher:reacher_ou_figure",
    "reacher-trajectories": "studies.figures.motion:trajectories_figure",
    "latent": "studies.figures.latent:latent_figure",
}


def draw(result: Mapping[str, Any]) -> Figure:
    """The figure of a study's result (``OUT/STUDY.json``): from its ``summary`` and ``rows``."""
    module, name = HOMES[result["study"]].split(":")
    figure: Callable[[Mapping[str, Any], list[Mapping[str, Any]]], Figure]
    figure = getattr(importlib.import_module(module), name)
    return figure(result["summary"], result["rows"])
