"""A result file says what happened, strictly, and is recognised again."""

import dataclasses
import json
from pathlib import Path

import pytest

from agent.data.json_files import write_json
from agent.errors import UserError
from agent.evaluation.provenance import BoughtWith, Origin, origin_of
from agent.evaluation.results import (
    ADDED,
    FIELDS,
    OLDER_SCHEMA,
    SCHEMA,
    _returns,
    read_result,
    summarise,
)
from agent.interfaces import EpisodeResult


def episode(steps: int | None, solved: bool = False, error_rad: float = 0.01) -> EpisodeResult:
    return EpisodeResult(
        seed=1,
        solved_at_start=solved,
        first_touch=steps is not None,
        held=steps is not None,
        steps_to_success=steps,
        final_error_rad=error_rad,
        decision_ms=(1.0, 3.0),
    )


def test_episodes_solved_at_the_start_are_counted_and_left_out() -> None:
    played = [episode(4), episode(6), episode(None, error_rad=2.0), episode(0, solved=True)]
    result = summarise(played, controller="noop", protocol="lewm", seed=0)
    assert result["episodes"] == 4
    assert result["solved_at_start"] == 1
    assert result["first_touch"]["rate"] == result["held"]["rate"] == pytest.approx(2 / 3)
    assert result["steps_to_success"] == {"median": 5.0}
    assert result["final_error_rad"]["median"] == 0.01
    assert result["decision_ms"]["p50"] == 2.0
    assert len(result["per_episode"]) == 4


def test_round_trip(tmp_path: Path) -> None:
    result = summarise(
        [episode(4)],
        controller="sac",
        protocol="anywhere",
        seed=5,
        checkpoint_sha256="ab",
        command="evaluate",
        wall_clock_s=1.5,
    )
    path = tmp_path / "new" / "result.json"
    write_json(path, result)
    assert read_result(path) == result
    assert set(FIELDS) < set(result)
    assert result["hardware"]


def test_a_file_of_the_older_schema_is_read_and_nothing_is_made_up(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    result = summarise([episode(4)], controller="sac", protocol="lewm", seed=0)
    old = {name: value for name, value in result.items() if name not in ADDED}
    path.write_text(json.dumps({**old, "schema": OLDER_SCHEMA}))
    found = read_result(path)
    assert [found[name] for name in ADDED] == [None] * len(ADDED)
    path.write_text(json.dumps(old))  # claims the new schema, lacks its fields
    with pytest.raises(UserError, match="training_seed, bought_with"):
        read_result(path)


def test_returns_are_summarised_over_all_episodes() -> None:
    returns = [0.0, 900.0, 920.0, 940.0, 960.0, 1000.0, 980.0, 100.0]
    found = _returns([dataclasses.replace(episode(4), episode_return=v) for v in returns])
    assert found == {"mean": 725.0, "interquartile_mean": 930.0, "median": 930.0}
    assert _returns([episode(4)]) is None


def test_the_training_is_told_with_all_that_was_recorded_for_it() -> None:
    data = {"episodes": 400, "episode_steps": 200}
    facts = {"env_steps": 76000, "training_s": 429.6, "training": {"seed": 2}, "data": data}
    assert origin_of(facts) == Origin(2, BoughtWith(80_000, 429.6, None))
    assert origin_of({"env_steps": 30_000, "seconds": 9.0, "seed": 1}) == Origin(
        1, BoughtWith(30_000, 9.0)
    )
    cloned = {"data": data, "settings": {"seed": 3}, "training_s": 5.0}
    assert origin_of(cloned) == Origin(3, BoughtWith(80_000, 5.0))
    assert origin_of({}) == Origin(None, BoughtWith())
    result = summarise(
        [episode(4)], controller="sac", protocol="lewm", seed=0, origin=origin_of(facts)
    )
    assert result["training_seed"] == 2
    assert result["bought_with"] == {"env_steps": 80_000, "training_s": 429.6, "memory_mb": None}


def test_what_is_missing_is_null_and_nothing_else_is(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    result = summarise([episode(0, solved=True)], controller="noop", protocol="lewm", seed=0)
    write_json(path, result)
    assert json.loads(path.read_text())["first_touch"] == {"rate": None, "low": None, "high": None}
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {**result, "wall_clock_s": float("nan")})
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('{"schema": "other/3"}', "other/3"),
        ("[]", "schema None"),
        ("not json", "to be JSON"),
        (json.dumps({"schema": SCHEMA, "controller": "x"}), "held"),
    ],
)
def test_another_file_is_named_and_not_guessed_at(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "result.json"
    path.write_text(content)
    with pytest.raises(UserError, match=named):
        read_result(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        read_result(tmp_path / "none.json")
