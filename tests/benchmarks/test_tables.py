"""Runs come back from the tables as they went in, and equal content gives equal bytes."""

from pathlib import Path
from typing import Any

import pytest

from agent.errors import UserError
from benchmarks.campaign.tables import (
    CURVE_KEY,
    EPISODES,
    RUNS,
    put_run,
    read_runs,
    run_id,
    write_runs,
)

RESULTS = Path(__file__).parents[2] / "results"


def result(seed: int | None = 0, hits: int = 2) -> dict[str, Any]:
    line = {
        "seed": 7, "solved_at_start": False, "first_touch": True, "held": False,
        "steps_to_success": None, "final_error": 0.1 + 0.2, "episode_return": None,
    }  # fmt: skip
    rate = {"rate": 1 / 3, "low": 0.0, "high": 1.0}
    return {
        "world": "reacher", "controller": "sac", "protocol": "lewm",
        "protocol_definition": None, "training_seed": seed, "episodes": hits,
        "seed": 5, "solved_at_start": 0, "first_touch": rate, "held": rate,
        "bought_with": {"env_steps": 10, "training_s": 0.1, "memory_mb": None},
        "final_error": {"median": 0.1 + 0.2, "p90": 1e-17, "unit": "rad"},
        "steps_to_success": {"median": None},
        "decision_ms": {"p50": 1.0, "p95": 2.0}, "episode_return": None, "checkpoint_sha256": None,
        "command": 'a "quoted", one', "commit": None, "hardware": "x", "date": "today",
        "wall_clock_s": None, "per_episode": [line] * hits,
    }  # fmt: skip


def test_a_run_comes_back_as_it_went_in(tmp_path: Path) -> None:
    put = put_run(tmp_path, result())
    assert read_runs(tmp_path) == [put]
    assert repr(put["final_error"]["median"]) == repr(result()["final_error"]["median"])
    assert put["unit"] == "rad"


def test_a_result_of_another_world_is_refused(tmp_path: Path) -> None:
    put_run(tmp_path, result())
    with pytest.raises(UserError, match=r"expected a result in reacher.*name another directory"):
        put_run(tmp_path, {**result(1), "world": "two-room"})
    assert len(read_runs(tmp_path)) == 1


def test_a_run_replaces_that_of_the_same_key_alone(tmp_path: Path) -> None:
    for seed, hits in ((1, 2), (None, 2), (1, 3)):
        put_run(tmp_path, result(seed, hits))
    assert [(r["training_seed"], r["episodes"]) for r in read_runs(tmp_path)] == [(None, 2), (1, 3)]


@pytest.mark.parametrize(("subject", "key"), [("curves", CURVE_KEY)])
def test_the_published_tables_are_rewritten_byte_by_byte(
    subject: str, key: tuple[str, ...], tmp_path: Path
) -> None:
    runs = read_runs(RESULTS / subject)
    assert len({run_id(run, key) for run in runs}) == len(runs)
    write_runs(tmp_path, runs[::-1], key)
    assert (tmp_path / RUNS).read_bytes() == (RESULTS / subject / RUNS).read_bytes()


def test_the_order_and_the_time_of_writing_leave_no_trace(tmp_path: Path) -> None:
    for seeds in ((0, 1), (1, 0)):
        for seed in seeds:
            put_run(tmp_path / str(seeds), result(seed))
    first, second = (tmp_path / str(seeds) for seeds in ((0, 1), (1, 0)))
    for name in (RUNS, EPISODES):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_what_is_no_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"runs\.csv.*campaign measure"):
        read_runs(tmp_path)
    (tmp_path / RUNS).write_text("a,b\n")
    with pytest.raises(UserError, match="columns"):
        read_runs(tmp_path)
    put_run(tmp_path / "x", result())
    (tmp_path / "x" / EPISODES).write_bytes(b"torn")
    with pytest.raises(UserError, match="gzip"):
        read_runs(tmp_path / "x")
