"""Which tasks ``demo`` measures: those whose episodes can be drawn in its world."""

from __future__ import annotations

from contextlib import closing
from functools import cache

from envs import Posable, World, WorldError, episodes_of, make_world, task_named, tasks_of

OF_ANY_WORLD = (  # that has no tasks of its own; each with what stands in for it
    ("anywhere",),
    ("hindsight-t100-b150", "hindsight-t50-b75", "hindsight-t25-b37"),
    ("hindsight", "hindsight-t12-b25", "hindsight-t6-b12"),
)
_TRIED_EPISODES = 3


@cache
def protocols_of(world_name: str, seed: int) -> dict[str, str]:
    """Two to four tasks, by what would be taken in a world whose episodes last: mostly the same.

    Where episodes end too soon a goal is nearer in time, half and half again.

    Raises:
        WorldError: if episodes are too short even for that.
    """
    with closing(make_world(world_name)) as world:
        own = [name for name in ("lewm", "anywhere") if name in tasks_of(world)]
        if "lewm" in own:
            return {name: name for name in own}
        chosen = [c for c in OF_ANY_WORLD if isinstance(world, Posable) or c[0] != "anywhere"]
        return {names[0]: _first_possible(names, world, seed) for names in chosen}


def _first_possible(names: tuple[str, ...], world: World, seed: int) -> str:
    refusal = None
    for name in names:
        try:
            episodes_of(task_named(name, world), world, range(_TRIED_EPISODES), seed)
            return name
        except WorldError as error:
            refusal = error
    raise WorldError(
        f"{refusal}; demo has none nearer: use collect, train and evaluate --protocol"
    ) from refusal
