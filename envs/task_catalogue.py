"""Every task by name: those of any world, and those a world offers of its own."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches

from envs.anywhere import BUDGET_S, Anywhere, Crossed
from envs.base import Posable, World
from envs.errors import WorldError
from envs.hindsight import Hindsight
from envs.tasks import OffersTasks, Task

VARIANT = re.compile(r"hindsight-t(\d+)-b(\d+)")
LONGER = re.compile(r"anywhere-b([1-9]\d*)")  # for a world in which 4 s do not reach everywhere


def tasks_of(world: World) -> dict[str, Task]:
    """All tasks of ``world`` by name; ``hindsight`` has a variant for any distance and budget."""
    known: dict[str, Task] = {"hindsight": Hindsight()}
    if isinstance(world, Posable):
        budget_s = world.crossing_s if isinstance(world, Crossed) else BUDGET_S
        known["anywhere"] = Anywhere(max(1, round(budget_s / world.spec.step_s)))
    if isinstance(world, OffersTasks):
        known.update(world.tasks)
    return known


def task_named(name: str, world: World) -> Task:
    """The task of that name: one of ``tasks_of(world)``, ``hindsight-tN-bM`` or ``anywhere-bM``.

    The variant's goal is N steps ahead, its budget M steps.

    Raises:
        WorldError: with the nearest name, if there is none.
    """
    known = tasks_of(world)
    if name in known:
        return known[name]
    variant, hindsight = VARIANT.fullmatch(name), known["hindsight"]
    if variant and isinstance(hindsight, Hindsight):
        offset, budget = map(int, variant.groups())
        return replace(hindsight, offset_steps=offset, budget_steps=budget, name=name)
    longer, anywhere = LONGER.fullmatch(name), known.get("anywhere")
    if longer and isinstance(anywhere, Anywhere):
        return replace(anywhere, budget_steps=int(longer[1]), name=name)
    nearest = get_close_matches(name, known, n=1, cutoff=0.0)[0]
    raise WorldError(
        f"unknown task {name!r} for {world.spec.world}: expected one of {', '.join(known)}, or a "
        f"variant like hindsight-t100-b150; did you mean {nearest!r}?"
    )
