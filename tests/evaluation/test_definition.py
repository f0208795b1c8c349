"""A fingerprint stands for what a task asks: it changes with the task and with nothing else."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from point_world import FromTo, PointWorld

from agent.evaluation.results import fingerprint
from envs.anywhere import Anywhere
from envs.hindsight import Hindsight


class Stiff(PointWorld):
    """A world that asks for less."""

    def __init__(self) -> None:
        super().__init__()
        (column,) = self.spec.state
        wider = dataclasses.replace(column, tolerance=0.5)
        self.spec = dataclasses.replace(self.spec, state=(wider,))


def test_it_is_the_same_every_time_and_however_frames_are_drawn() -> None:
    known = fingerprint(Anywhere(20), PointWorld())
    assert len(known) == 12 and int(known, 16) >= 0
    assert fingerprint(Anywhere(20), PointWorld()) == known
    assert fingerprint(Anywhere(20), PointWorld(look="night", side=16)) == known


@pytest.mark.parametrize(
    ("task", "world"),
    [
        (Anywhere(21), PointWorld()),
        (Anywhere(20, "elsewhere"), PointWorld()),
        (Anywhere(20), PointWorld(3)),
        (Anywhere(20), Stiff()),
        (Hindsight(5, 20), PointWorld()),
    ],
)
def test_it_changes_with_what_is_asked(task: Any, world: Any) -> None:
    assert fingerprint(task, world) != fingerprint(Anywhere(20), PointWorld())


def test_it_changes_with_where_episodes_start_and_go() -> None:
    tasks = [FromTo([0.0], [1.0], 5), FromTo([0.0], [0.5], 5), FromTo([0.5], [1.0], 5)]
    assert len({fingerprint(task, PointWorld()) for task in tasks}) == 3
    nearly = FromTo([1e-9], [1.0], 5)  # as another processor might compute it
    assert fingerprint(nearly, PointWorld()) == fingerprint(tasks[0], PointWorld())
