"""Which figure draws which study; each is a function of the study's result."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from matplotlib.figure import Figure

HOMES = {
    "worlds": "agent.reporting.identifiability_worlds:worlds_figure",
    "scaling": "agent.reporting.identifiability_worlds:scaling_figure",
    "law": "agent.reporting.identifiability_law:law_figure",
    "bound": "agent.reporting.identifiability_law:bound_figure",
    "conditions": "agent.reporting.identifiability_conditions:conditions_figure",
    "reacher-ou": "agent.reporting.identifiability_reacher:reacher_ou_figure",
    "reacher-trajectories": "agent.reporting.identifiability_reacher:trajectories_figure",
    "action": "agent.reporting.identifiability_action:action_figure",
}


def draw(result: Mapping[str, Any]) -> Figure:
    """The figure of a study's result (``OUT/STUDY.json``): from its ``summary`` and ``rows``."""
    module, name = HOMES[result["study"]].split(":")
    figure: Callable[[Mapping[str, Any], list[Mapping[str, Any]]], Figure]
    figure = getattr(importlib.import_module(module), name)
    return figure(result["summary"], result["rows"])
