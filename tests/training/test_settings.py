"""Settings as plain values and back, and changed one by one by name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent.config import ExperimentConfig, preset
from agent.errors import UserError
from agent.settings import flat, from_dict, leaves, to_dict, with_changes


@dataclass(frozen=True)
class Round:
    """The first kind carries no ``kind``."""

    radius: float = 1.0


@dataclass(frozen=True)
class Square:
    """Another kind."""

    side: int = 2
    kind: str = "square"


@dataclass(frozen=True)
class Drawing:
    """Every type of setting once."""

    shape: Round | Square = field(default_factory=Round)
    layers: tuple[int, ...] = (8, 16)
    corner: tuple[float, float] = (0.0, 0.5)
    filled: bool = True
    copies: int = 3
    colour: str = "red"

    def __post_init__(self) -> None:
        if self.copies < 1:
            raise ValueError(f"expected copies >= 1, got {self.copies}")


def through_json(settings: Drawing) -> Drawing:
    return from_dict(Drawing, json.loads(json.dumps(to_dict(settings))))


@pytest.mark.parametrize(
    "drawing",
    [
        Drawing(),
        Drawing(Square(5), (), (1.0, -2.0), False, 7, "blue"),
        Drawing(Round(0.25), (1, 2, 3)),
    ],
    ids=str,
)
def test_settings_survive_json(drawing: Drawing) -> None:
    assert through_json(drawing) == drawing


def test_what_is_left_out_is_the_default() -> None:
    assert from_dict(Drawing, {"shape": {"kind": "square"}}) == Drawing(Square())
    assert from_dict(Drawing, {}) == Drawing()


@pytest.mark.parametrize(
    ("word", "name", "expected"),
    [
        ("16", "copies", 16),
        ("5e2", "copies", 500),
        ("[16,32,64]", "layers", (16, 32, 64)),
        ("[]", "layers", ()),
        ("[1, 2.5]", "corner", (1.0, 2.5)),
        ("false", "filled", False),
        ("False", "filled", False),
        ("true", "filled", True),
        ("7", "colour", "7"),
        ("true", "colour", "true"),
        ("3", "shape.radius", 3.0),
        ("1e-3", "shape.radius", 0.001),
    ],
)
def test_a_word_is_read_as_the_setting_wants(word: str, name: str, expected: object) -> None:
    found = dict(flat(with_changes(Drawing(), {name: word})))
    assert found.pop(name) == expected and type(expected) is type(dict(flat(Drawing()))[name])
    before = dict(flat(Drawing()))
    del before[name]
    assert found == before


@pytest.mark.parametrize(
    ("name", "word", "said"),
    [
        ("copies", "many", "copies like 3, got 'many'"),
        ("copies", "2.5", "copies: expected a whole number, got 2.5"),
        ("copies", "true", "copies: expected a whole number, got True"),
        ("copies", "null", "copies: expected a whole number, got None"),
        ("copies", "1e999", "copies: expected a whole number, got inf"),
        ("copies", "0", "expected copies >= 1, got 0"),
        ("filled", "1", "filled: expected true or false, got 1"),
        ("filled", "yes", "filled like true, got 'yes'"),
        ("layers", "16", "layers: expected a list, got 16"),
        ("layers", "[1.5]", "layers: expected a whole number, got 1.5"),
        ("corner", "[1]", r"corner: expected 2 values, got \[1\]"),
        ("shape.radius", "[1]", r"radius: expected a number, got \[1\]"),
    ],
)
def test_a_wrong_word_is_told_what_was_expected(name: str, word: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        with_changes(Drawing(), {name: word})


@pytest.mark.parametrize(
    ("name", "near"),
    [("copy", "copies"), ("shape.radios", "shape.radius"), ("shpe.radius", "shape.radius")],
)
def test_an_unknown_name_is_told_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UserError, match=f"unknown setting '{name}'; did you mean '{near}'"):
        with_changes(Drawing(), {name: "1"})


def test_a_kind_is_chosen_and_an_unknown_one_told_the_nearest() -> None:
    with pytest.raises(
        UserError, match="one of \\['square'\\], got 'sqare'; did you mean 'square'"
    ):
        from_dict(Drawing, {"shape": {"kind": "sqare"}})
    with pytest.raises(UserError, match="unknown setting 'side' of Round"):
        from_dict(Drawing, {"shape": {"side": 4}})
    assert with_changes(Drawing(Square()), {"shape.side": "9"}).shape == Square(9)


def test_dashes_in_names_are_underscores() -> None:
    config = with_changes(preset("tiny"), {"model.encoder.latent-dim": "16"})
    assert config.model.encoder.latent_dim == 16
    assert config.training == preset("tiny").training


def test_flat_names_say_where_each_setting_is_and_put_it_back() -> None:
    settings = preset("lewm")
    names = dict(flat(settings))
    assert names["training.steps"] == 5500 and names["model.encoder.kind"] == "vit"
    assert with_changes(settings, names) == settings
    assert dict(flat(Drawing()))["shape.radius"] == 1.0


def test_leaves_are_the_flat_names_of_nested_tables() -> None:
    table: dict[str, Any] = {"a": 1, "b": {"c": [2], "d": {"e": "x"}}, "f": {}}
    assert dict(leaves(table)) == {"a": 1, "b.c": [2], "b.d.e": "x"}
    settings = preset("default")
    assert with_changes(ExperimentConfig(), dict(leaves(to_dict(settings)))) == settings
