"""A result file says what happened, strictly, and is recognised again."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.errors import UserError
from agent.evaluation.play import Trial
from agent.evaluation.provenance import origin_of
from agent.evaluation.results import FIELDS, SCHEMA, Asked, read_result, summarise
from agent.files.json_files import write_json
from envs import Column, Verdict, WorldSpec

SPEC = WorldSpec("point", "plain", (8, 8), 1, 0.1, (Column("x", "m", tolerance=0.25),))


def episode(
    steps: int | None, solved: bool = False, error: float = 0.01, paid: float | None = None
) -> Trial:
    came = steps is not None
    return Trial(Verdict(1, solved, came, came, steps, error, "m", paid), (1.0, 3.0))


def summary(trials: list[Trial], controller: str = "noop", **more: Any) -> dict[str, Any]:
    asked = Asked(controller, SPEC, "anywhere", "Go there.", "0123456789ab", seed=5)
    return summarise(trials, asked, **more)


def test_episodes_solved_at_the_start_are_counted_and_left_out() -> None:
    played = [episode(4), episode(6), episode(None, error=2.0), episode(0, solved=True)]
    result = summary(played)
    assert result["episodes"] == 4
    assert result["solved_at_start"] == 1
    assert result["first_touch"]["rate"] == result["held"]["rate"] == pytest.approx(2 / 3)
    assert result["steps_to_success"] == {"median": 5.0}
    assert result["final_error"] == {"median": 0.01, "p90": pytest.approx(1.602), "unit": "m"}
    assert result["decision_ms"]["p50"] == 2.0
    assert len(result["per_episode"]) == 4


def test_a_line_says_how_its_episode_went() -> None:
    (line,) = summary([episode(4, paid=3.0)])["per_episode"]
    assert line == {
        "seed": 1, "solved_at_start": False, "first_touch": True, "held": True,
        "steps_to_success": 4, "final_error": 0.01, "episode_return": 3.0,
    }  # fmt: skip


def test_a_result_says_of_what_it_is() -> None:
    result = summary([episode(4)], controller="straight")
    named = ("controller", "world", "look", "step_s", "protocol", "rule", "seed")
    assert [result[name] for name in named] == [
        "straight", "point", "plain", 0.1, "anywhere", "Go there.", 5,
    ]  # fmt: skip
    assert result["protocol_definition"] == "0123456789ab"


def test_round_trip(tmp_path: Path) -> None:
    result = summary(
        [episode(4)], "sac", checkpoint_sha256="ab", command="evaluate", wall_clock_s=1.5
    )
    path = tmp_path / "new" / "result.json"
    write_json(path, result)
    assert read_result(path) == result
    assert set(FIELDS) < set(result)
    assert result["hardware"]


def test_a_file_of_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(json.dumps({**summary([episode(4)]), "schema": "lejepa-agent/evaluation/2"}))
    with pytest.raises(UserError, match="evaluation/2"):
        read_result(path)


def test_returns_are_summarised_over_all_episodes() -> None:
    returns = [0.0, 900.0, 920.0, 940.0, 960.0, 1000.0, 980.0, 100.0]
    played = [episode(4, solved=value == 0.0, paid=value) for value in returns]
    found = summary(played)["episode_return"]
    assert found == {"mean": 725.0, "interquartile_mean": 930.0, "median": 930.0}
    assert summary([episode(4)])["episode_return"] is None


def origin(seed: int | None, env_steps: int | None, training_s: float | None) -> dict[str, Any]:
    bought = {"env_steps": env_steps, "training_s": training_s, "memory_mb": None}
    return {"training_seed": seed, "bought_with": bought}


def test_the_training_is_told_with_all_that_was_recorded_for_it() -> None:
    data = {"episodes": 400, "episode_steps": 200}
    facts = {"env_steps": 76000, "training_s": 429.6, "training": {"seed": 2}, "data": data}
    assert origin_of(facts) == origin(2, 80_000, 429.6)
    assert origin_of({"env_steps": 30_000, "seconds": 9.0, "seed": 1}) == origin(1, 30_000, 9.0)
    cloned = {"data": data, "settings": {"seed": 3}, "training_s": 5.0}
    assert origin_of(cloned) == origin(3, 80_000, 5.0)
    assert origin_of({}) == origin(None, None, None)
    result = summary([episode(4)], "sac", origin=origin_of(facts))
    assert result["training_seed"] == 2
    assert result["bought_with"] == {"env_steps": 80_000, "training_s": 429.6, "memory_mb": None}


def test_what_is_missing_is_null_and_nothing_else_is(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    result = summary([episode(0, solved=True)])
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
