"""What a sweep varies: settings by dotted name, each with values to choose from or a range."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.errors import UserError
from agent.settings import leaves


@dataclass(frozen=True)
class Choices:
    """Any of ``values`` (JSON)."""

    values: tuple[Any, ...]

    def draw(self, rng: np.random.Generator) -> Any:
        """One of them, each as likely."""
        return self.values[int(rng.integers(len(self.values)))]


@dataclass(frozen=True)
class Range:
    """Any number from ``low`` to ``high``, whole where both are; with ``log`` each decade alike.

    UserError for a range that is none.
    """

    low: float
    high: float
    log: bool = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise UserError(f"expected a range LOW..HIGH, got {self.low}..{self.high}")
        if self.log and self.low <= 0:
            raise UserError(
                f"expected a range above 0 for a logarithmic scale, got {self.low}..{self.high}: "
                "in a file say {low = …, high = …, log = false}"
            )

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def draw(self, rng: np.random.Generator) -> float:
        """A number in the range."""
        low, high = (map(math.log, (self.low, self.high))) if self.log else (self.low, self.high)
        value = low + (high - low) * rng.random()
        value = math.exp(value) if self.log else value
        return round(value) if self.is_whole else float(f"{value:.4g}")


Space = Mapping[str, Choices | Range]


def read_words(settings: Mapping[str, str]) -> Space:
    """Of the command line: ``8,16,32`` are choices, ``1e-4..1e-2`` is a range, ``8`` is fixed."""
    return {_plain(name): _read(name, text) for name, text in settings.items()}


def read_tables(settings: Mapping[str, Any]) -> Space:
    """Of a TOML file: a list is choices, ``{low, high, log}`` a range, anything else fixed."""
    ranges: dict[str, dict[str, Any]] = {}
    fixed: dict[str, Choices] = {}
    for name, value in leaves(settings):
        room, _, last = name.rpartition(".")
        if last in ("low", "high", "log"):
            ranges.setdefault(room, {})[last] = value
        else:
            fixed[name] = Choices(tuple(value) if isinstance(value, list) else (value,))
    try:
        found: Space = {**fixed, **{name: Range(**ends) for name, ends in ranges.items()}}
    except TypeError as error:
        raise UserError(f"expected low and high of each range, got {ranges}") from error
    return {_plain(name): domain for name, domain in found.items()}


def with_whole_lists(space: Space, usual: Mapping[str, Any]) -> Space:
    """Where a setting of ``usual`` is a list, one that holds no lists is a value, as for train.

    Raises:
        UserError: for lists to try among which something is none.
    """
    listed = {name for name, value in usual.items() if isinstance(value, (list, tuple))}
    return {
        name: _whole(name, domain) if name in listed and isinstance(domain, Choices) else domain
        for name, domain in space.items()
    }


def _whole(name: str, domain: Choices) -> Choices:
    lists = sum(isinstance(value, list) for value in domain.values)
    if 0 < lists < len(domain.values):
        raise UserError(
            f"expected lists to try for {name}, which is one, or one list, got "
            f"{list(domain.values)}"
        )
    return domain if lists else Choices((list(domain.values),))


def grid(space: Space) -> Iterator[dict[str, Any]]:
    """Every combination of the choices; UserError of a range, which has no end of values."""
    for name, domain in space.items():
        if isinstance(domain, Range):
            raise UserError(
                f"expected values like 1,2,3 for {name} in a grid, got {domain.low}.."
                f"{domain.high}: name the values, or search at random or by Optuna"
            )
    values = [domain.values for domain in space.values() if isinstance(domain, Choices)]
    for chosen in itertools.product(*values):
        yield dict(zip(space, chosen, strict=True))


def draw(space: Space, seed: int, number: int) -> dict[str, Any]:
    """Draw ``number`` of the random search seeded ``seed``: more draws later go on from there."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    return {name: domain.draw(rng) for name, domain in space.items()}


def is_within(settings: Mapping[str, Any], space: Space) -> bool:
    """Whether ``settings`` are a choice of ``space``: of the same settings, each as it says."""
    return settings.keys() == space.keys() and all(
        settings[name] in domain.values
        if isinstance(domain, Choices)
        else domain.low <= settings[name] <= domain.high
        for name, domain in space.items()
    )


def varied(space: Space) -> list[str]:
    """The settings that have more than one value."""
    return [name for name, domain in space.items() if is_varied(domain)]


def is_varied(domain: Choices | Range) -> bool:
    """Whether there is more than one value."""
    return isinstance(domain, Range) or len(domain.values) > 1


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _read(name: str, text: str) -> Choices | Range:
    low, dots, high = text.partition("..")
    if dots:
        ends = [_value(low), _value(high)]
        if not all(isinstance(end, (int, float)) for end in ends):
            raise UserError(f"expected --{name} like 1e-4..1e-2 or 1,2,3, got {text!r}")
        return Range(*ends)
    values = _value(f"[{text}]")
    whole = values if isinstance(values, list) else [_value(part) for part in text.split(",")]
    return Choices(tuple(whole))


def _value(word: str) -> Any:
    """As JSON where it is, else a text."""
    try:
        return json.loads(word.lower() if word in ("True", "False") else word)
    except (ValueError, RecursionError):
        return word.strip()
