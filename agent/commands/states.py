"""States given on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.interfaces import Array
    from envs import World


def state_given(numbers: tuple[float, ...], world: World, flag: str) -> Array:
    """The state (S,) that ``numbers`` begin; those left out at the end are 0.

    Raises:
        UserError: naming ``flag``, if the world cannot be posed, the numbers do not fit, or the
            world cannot be in that state.
    """
    import numpy as np

    from agent.errors import UserError
    from envs import Posable, PoseError

    names = world.spec.state_names
    if not isinstance(world, Posable):
        raise UserError(f"{flag}: {world.spec.world} cannot be posed; give a goal picture")
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
