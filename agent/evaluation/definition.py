"""What a task asks, as a fingerprint: its figures stand for this definition and no other."""

from __future__ import annotations

import hashlib

from envs import HELD_S, Task, World

_DIGITS = 6  # of states: processors differ in the last ones


def fingerprint(task: Task, world: World) -> str:
    """Twelve hexadecimal digits of the rule of success, the budget and the first episode."""
    first = task.episodes(world, 1, seed=0)[0]
    start = first.goal[:0] if first.start is None else first.start
    numbers = [
        [round(float(value), _DIGITS) for value in part.ravel()]
        for part in (start, first.goal, first.replay)
    ]
    columns = [(column.tolerance, column.period, column.point) for column in world.spec.state]
    said = (
        f"{world.spec.world} {task.name}: {task.about} {task.budget_steps} steps, "
        f"columns {columns}, held for {HELD_S} s, first episode {numbers}"
    )
    return hashlib.sha256(said.encode()).hexdigest()[:12]
