"""What the comparison is about: the tasks of Reacher, as they are defined today."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from agent.commands.worlds_asked import DEFAULT_WORLD
from agent.evaluation.results import fingerprint
from envs import Task, World, make_world, task_named, tasks_of


@cache
def _world() -> World:
    return make_world(DEFAULT_WORLD)


@cache
def tasks() -> dict[str, Task]:
    """Every task by name."""
    return tasks_of(_world())


def task(name: str) -> Task:
    """The task of that name; ``WorldError`` with the nearest if there is none."""
    return task_named(name, _world())


@cache
def first_stream(name: str, seed: int) -> int:
    """The random stream of the first episode of task ``name``."""
    return task(name).episode(_world(), seed, 0).seed


@cache
def definition(name: str) -> str:
    """The fingerprint of the task ``name``."""
    return fingerprint(task(name), _world())


def is_defined_alike(run: Mapping[str, Any]) -> bool:
    """Whether the task of ``run`` is still defined as it was when it was measured.

    What an older run did not record cannot contradict, and neither can a task unknown here.
    """
    name, said = run["protocol"], run["protocol_definition"]
    return said is None or name not in tasks() or said == definition(name)
