"""What counts as a goal, said with a world's name: ``gym:Pendulum-v1@obs_0=0.1,obs_1=0.1``.

A third party's environment seldom says when a goal is reached. Named columns of the state, or
points, get these tolerances, in the column's own units; all others lose theirs.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping

from envs.base import World, WorldSpec
from envs.errors import SpecError, WorldError

_ASKED = re.compile(r"(?P<name>.+)@(?P<tolerances>[^@=,]+=[^@=,/]+(?:,[^@=,]+=[^@=,/]+)*)")


def without_tolerances(name: str) -> str:
    """The world's name alone."""
    found = _ASKED.fullmatch(name)
    return found["name"] if found else name


def tolerances_asked(name: str) -> dict[str, float]:
    """Those that a world's ``name`` asks for, by column; none if it asks for none.

    Raises:
        WorldError: on what is no number.
    """
    found = _ASKED.fullmatch(name)
    if found is None:
        return {}
    pairs = [pair.split("=") for pair in found["tolerances"].split(",")]
    if len(dict(pairs)) < len(pairs):
        raise WorldError(f"expected each column once after the @, got {name!r}")
    try:
        return {column: float(value) for column, value in pairs}
    except ValueError as error:
        raise WorldError(
            f"expected numbers as tolerances, COLUMN=NUMBER after the @, got {name!r}"
        ) from error


def tolerances_of(spec: WorldSpec) -> dict[str, float | None]:
    """What a goal of ``spec`` is about, by column."""
    return {spec.state[i].name: spec.state[i].tolerance for i in spec.goal_columns}


def with_tolerances(spec: WorldSpec) -> str:
    """The world of ``spec`` by name, with its tolerances, as :func:`tolerances_asked` reads it."""
    told = [f"{name}={tolerance!r}" for name, tolerance in tolerances_of(spec).items()]
    return f"{spec.world}@{','.join(told)}" if told else spec.world


def judge_by(world: World, tolerances: Mapping[str, float]) -> None:
    """Make goals of ``world`` a matter of these columns alone, in place.

    Raises:
        WorldError: if there is no such column, a tolerance makes no sense, or the world does not
            let its spec be changed.
    """
    if tolerances_of(world.spec) == dict(tolerances):
        return
    try:
        world.spec = spec_judged_by(world.spec, tolerances)  # type: ignore[misc]
    except AttributeError as error:
        raise WorldError(
            f"{world.spec.world} does not let its spec be changed: give its columns their "
            "tolerances there"
        ) from error


def spec_judged_by(spec: WorldSpec, tolerances: Mapping[str, float]) -> WorldSpec:
    """``spec`` with these tolerances and no others; WorldError as :func:`judge_by`."""
    known = {*spec.state_names, *(column.point for column in spec.state if column.point)}
    for name in tolerances:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise WorldError(
                f"{spec.world} has no number of state called {name!r}"
                + (f"; did you mean {near[0]!r}? " if near else ". ")
                + (f"There are {', '.join(spec.state_names)}" if known else "It tells no state")
            )
    asked = {
        column.name: tolerances.get(column.name, tolerances.get(column.point))
        for column in spec.state
    }
    for point in {column.point for column in spec.state if column.point}:
        parts = [asked[column.name] for column in spec.state if column.point == point]
        said = sorted({value for value in parts if value is not None})
        if len(said) > 1:
            raise WorldError(
                f"expected one tolerance of the point {point!r} of {spec.world}, got {said}: its "
                "columns are one distance"
            )
    try:
        columns = tuple(
            dataclasses.replace(column, tolerance=asked[column.name]) for column in spec.state
        )
        return dataclasses.replace(spec, state=columns)
    except SpecError as error:
        raise WorldError(f"{spec.world}: {error}") from error
