"""The studies by name, none of them imported before it is asked for."""

from __future__ import annotations

import importlib

from agent.errors import UserError
from agent.identifiability.study import Study

HOMES = {
    "worlds": "agent.identifiability.worlds_study",
    "scaling": "agent.identifiability.scaling_study",
    "law": "agent.identifiability.law_study",
    "bound": "agent.identifiability.bound_study",
    "conditions": "agent.identifiability.conditions_study",
    "reacher-ou": "agent.identifiability.reacher_ou_study",
    "reacher-trajectories": "agent.identifiability.reacher_trajectories_study",
    "action": "agent.identifiability.action_study",
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
