"""Which world a command is about, as asked for or as a checkpoint's; its tasks, and its states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from agent.commands.checkpoints import world_of_checkpoint
from agent.errors import UserError
from agent.model.shipped import SHIPPED

if TYPE_CHECKING:
    from agent.interfaces import Array
    from envs import Task, World, WorldSpec

DEFAULT_WORLD = SHIPPED.name  # that of ``envs``, which help must not wait for
USUAL_BEHAVIOUR = "restless"  # the same


@dataclass(frozen=True)
class WorldAsked:
    """A world by name, drawn in a look at a size; what is empty is the world's own choice.

    ``told`` names which of the two no flag asked for: a checkpoint says so, and a world that has no
    choice of them is made without.
    """

    name: str
    look: str = ""
    image_size: int | None = None
    told: tuple[str, ...] = ()

    def make(self) -> World:
        """One more such world."""
        from envs import make_world

        return make_world(self.name, self.look, self.image_size, self.told)

    def make_sized(self, side_px: int) -> World:
        """One more, drawn with so many pixels a side."""
        return replace(self, image_size=side_px).make()


def world_asked(name: str | None, look: str, checkpoint: Path | None) -> WorldAsked:
    """The world that ``--world`` and ``--look`` ask for, or the checkpoint was made for.

    Raises:
        UserError: if the checkpoint's world must be named, or there is none behind its recordings.
    """
    from envs import names_code, opens_by_name, without_tolerances

    spec = None if checkpoint is None else world_of_checkpoint(checkpoint)
    if spec is None:
        return WorldAsked(name or DEFAULT_WORLD, look)
    if name is None and spec.is_recording:
        raise UserError(
            f"{checkpoint} was learned from recordings of {spec.world.partition(':')[2]}, behind "
            "which no world stands: name one with --world whose frames and actions mean the same, "
            "evaluate offline with --data, or steer with agent.Agent"
        )
    if name is None and names_code(spec.world):
        raise UserError(
            f"{checkpoint} was made for a world that is code: if it is code you trust, say "
            f"--world {quote(spec.world)}"
        )
    if name is None and not opens_by_name(spec.world):
        raise UserError(
            f"{checkpoint} was made for the world {spec.world!r}, which has no such name here: say "
            "where it is with --world FILE.py:CLASS"
        )
    square = spec.image_size[0] if len(set(spec.image_size)) == 1 else None
    told = ("image_size",) if look else ("image_size", "look")
    named = spec if name is None else replace(spec, world=without_tolerances(name))
    if name is None or named.is_of_the_world_of(spec):
        judged = _judged(named) if name is None or name == named.world else name
        return WorldAsked(judged, look or spec.look, square, told)
    return WorldAsked(name, look, square, told)


def _judged(spec: WorldSpec) -> str:
    """The world's name, with what counted as a goal before where it does not say so itself."""
    from envs import entry_of, with_tolerances

    entry = entry_of(spec.world)
    return spec.world if entry is not None and entry.says_goals else with_tolerances(spec)


def task_asked(name: str | None, world: World) -> Task:
    """The task of that name; the world's own first one if none is named, else ``hindsight``."""
    from envs import OffersTasks, task_named

    if name is not None:
        return task_named(name, world)
    own = list(world.tasks.values()) if isinstance(world, OffersTasks) else []
    return own[0] if own else task_named("hindsight", world)


def state_given(numbers: tuple[float, ...], world: World, flag: str) -> Array:
    """The state (S,) that ``numbers`` begin; those left out at the end are 0.

    Raises:
        UserError: naming ``flag``, if the world cannot be posed, the numbers do not fit, or the
            world cannot be in that state.
    """
    import numpy as np

    from envs import Posable, PoseError

    names = world.spec.state_names
    if not isinstance(world, Posable):
        instead = "give a goal picture" if flag == "--goal-state" else f"leave {flag} away"
        raise UserError(f"{flag}: {world.spec.world} cannot be posed; {instead}")
    if len(numbers) > len(names) or not np.isfinite(numbers).all():
        raise UserError(
            f"expected {flag} with up to {len(names)} finite numbers ({', '.join(names)}), got "
            f"{' '.join(f'{number:g}' for number in numbers)}"
        )
    for column, number in zip(world.spec.state, numbers, strict=False):
        if not column.low <= number <= column.high:
            raise UserError(
                f"expected {flag} with {column.name} from {column.low:.4g} to "
                f"{column.high:.4g} {column.unit}, got {number:g}"
            )
    state: Array = np.pad(np.array(numbers, np.float64), (0, len(names) - len(numbers)))
    try:
        world.reset(np.random.default_rng(0), state)  # refuses what the world cannot be in
    except PoseError as error:
        raise UserError(f"{flag}: {error}") from error
    return state
