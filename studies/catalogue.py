"""The studies by name, none of them imported before it is asked for."""

from __future__ import annotations

import importlib

from agent.errors import UserError
from studies.study import Study

HOMES = {
    "worlds": "studies.worlds_study",
    "scaling": "studies.scaling_study",
    "law": "studies.law_study",
    "bound": "studies.bound_study",
    "conditions": "studies.conditions_study",
    "circles": "studies.circles_study",
    "circle-law": "studies.circle_law_study",
    "closed-loop": "studies.closed_loop_study",
    "reacher-ou": "studies.reacher_ou_study",
    "reacher-trajectories": "studies.reacher_trajectories_study",
    "latent": "studies.latent_study",
}


def load(name: str) -> Study:
    """The study called ``name``.

    Raises:
        UserError: if there is none; it lists those there are.
    """
    if name not in HOMES:
        raise UserError(f"expected a study among {', '.join(HOMES)}, got {name!r}")
    study: Study = importlib.import_module(HOMES[name]).STUDY
    assert study.name == name
    return study
