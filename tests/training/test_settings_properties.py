"""Any change of settings survives dotted flags and a TOML file."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent.config import ExperimentConfig, as_toml, preset, toml_value
from agent.config import changed as with_steps
from agent.errors import UserError
from agent.settings import flat, from_dict, leaves, to_dict, with_changes

PRESETS = ("default", "vicreg", "lewm")
often = settings(max_examples=60, deadline=None, derandomize=True)


def other(value: Any) -> st.SearchStrategy[Any]:
    """Values of the same kind; what the settings then refuse is not a matter of writing."""
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, int):
        return st.integers(1, 10**9)
    if isinstance(value, float):
        return st.floats(allow_nan=False)
    if isinstance(value, tuple) and value:
        return st.tuples(*(other(one) for one in value))
    return st.just(value)


@st.composite
def changed(draw: st.DrawFn) -> tuple[str, ExperimentConfig, ExperimentConfig]:
    named = draw(st.sampled_from(PRESETS))
    base = preset(named)
    known = dict(flat(base))
    names = draw(st.lists(st.sampled_from(sorted(known)), max_size=3, unique=True))
    try:
        config = with_changes(base, {name: draw(other(known[name])) for name in names})
    except UserError:
        assume(False)
    return named, base, config


@often
@given(changed())
def test_settings_survive_a_toml_file(
    drawn: tuple[str, ExperimentConfig, ExperimentConfig],
) -> None:
    named, base, config = drawn
    read = tomllib.loads(as_toml(config, named))
    assert read.pop("preset") == named
    assert with_steps(base, dict(leaves(read))) == config


@often
@given(changed())
def test_settings_survive_flags(drawn: tuple[str, ExperimentConfig, ExperimentConfig]) -> None:
    _, base, config = drawn
    flags = {
        name.replace("_", "-"): value if isinstance(value, str) else json.dumps(value)
        for name, value in flat(config)
    }
    assert with_changes(base, flags) == config


@often
@given(changed())
def test_settings_survive_json(drawn: tuple[str, ExperimentConfig, ExperimentConfig]) -> None:
    config = drawn[2]
    assert from_dict(ExperimentConfig, json.loads(json.dumps(to_dict(config)))) == config


@often
@given(st.text())
def test_any_text_survives_toml(text: str) -> None:
    assert tomllib.loads(f"one = {toml_value(text)}")["one"] == text
