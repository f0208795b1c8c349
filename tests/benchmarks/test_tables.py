"""Runs come back from the tables as they went in, and equal content gives equal bytes."""

import gzip
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from made_results import result

from agent.errors import UserError
from agent.files.durable import write_durably
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


@pytest.mark.parametrize(
    "given", [result(paid=3.5), result(training_seed=None, solved=(0, 1)), result(env_steps=None)]
)
def test_a_run_comes_back_as_it_went_in(given: dict[str, Any], tmp_path: Path) -> None:
    put_run(tmp_path, given)
    (run,) = read_runs(tmp_path)
    error = given["final_error"]
    assert run.pop("unit") == error["unit"] == "rad"
    assert run.pop("final_error") == {name: error[name] for name in ("median", "p90")}
    assert run == {name: given[name] for name in run}
    assert {"per_episode", "world", "protocol_definition"} < set(run)


def test_a_run_replaces_that_of_the_same_key_alone(tmp_path: Path) -> None:
    for seed, hits in ((1, 2), (None, 2), (1, 3)):
        put_run(tmp_path, result([True] * hits, training_seed=seed))
    assert [(r["training_seed"], r["episodes"]) for r in read_runs(tmp_path)] == [(None, 2), (1, 3)]


def test_a_result_of_another_world_is_refused(tmp_path: Path) -> None:
    put_run(tmp_path, result())
    with pytest.raises(UserError, match=r"in reacher, which .* is about, got one in kitchen"):
        put_run(tmp_path, result(world="kitchen", training_seed=1))
    assert len(read_runs(tmp_path)) == 1


def test_the_published_curves_are_rewritten_byte_by_byte(tmp_path: Path) -> None:
    runs = read_runs(RESULTS / "curves", episodes=False)
    assert len({run_id(run, CURVE_KEY) for run in runs}) == len(runs)
    write_runs(tmp_path, runs[::-1], CURVE_KEY)
    assert (tmp_path / RUNS).read_bytes() == (RESULTS / "curves" / RUNS).read_bytes()


def test_the_order_and_the_time_of_writing_leave_no_trace(tmp_path: Path) -> None:
    orders = ((0, 1), (1, 0))
    for seeds in orders:
        for seed in seeds:
            put_run(tmp_path / str(seeds), result(training_seed=seed))
    first, second = (tmp_path / str(seeds) for seeds in orders)
    for name in (RUNS, EPISODES):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_what_is_no_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"runs\.csv.*campaign measure"):
        read_runs(tmp_path)
    for content, said in (
        (b"a,b\n", "^expected .* columns"),
        (b"", "columns"),
        (b"\xff", "csv, got"),
    ):
        (tmp_path / RUNS).write_bytes(content)
        with pytest.raises(UserError, match=said):
            read_runs(tmp_path)


def test_a_row_that_means_nothing_is_named(tmp_path: Path) -> None:
    put_run(tmp_path, result())
    whole = (tmp_path / RUNS).read_text()
    for torn in (whole[:-30], whole.replace(",rad,", ","), whole.replace(",2,5,", ",2,five,")):
        (tmp_path / RUNS).write_text(torn)
        with pytest.raises(UserError, match=r"numbers and texts in .*runs\.csv"):
            read_runs(tmp_path)


def test_damaged_or_lacking_episodes_are_named(tmp_path: Path) -> None:
    put_run(tmp_path, result())
    path = tmp_path / EPISODES
    whole = path.read_bytes()
    broken = bytearray(whole)
    broken[20] ^= 255
    for content in (b"torn", whole[:-9], bytes(broken)):
        path.write_bytes(content)
        with pytest.raises(UserError, match="gzip"):
            read_runs(tmp_path)
    lines = gzip.decompress(whole).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:-1])))
    with pytest.raises(UserError, match="expected 2 episodes of lewm/sac/0"):
        read_runs(tmp_path)
    path.unlink()
    with pytest.raises(UserError, match=r"episodes\.csv\.gz"):
        put_run(tmp_path, result(training_seed=1))
    assert len(read_runs(tmp_path, episodes=False)) == 1


@pytest.mark.parametrize(("was", "now"), [(",2,5,", ",2,6,"), ("abc", "abd")])
def test_another_digit_in_a_row_is_named(was: str, now: str, tmp_path: Path) -> None:
    put_run(tmp_path, result())
    whole = (tmp_path / RUNS).read_text()
    assert was in whole
    (tmp_path / RUNS).write_text(whole.replace(was, now))
    with pytest.raises(UserError, match="another row than was written"):
        read_runs(tmp_path)


def test_the_episodes_of_another_measurement_are_named(tmp_path: Path) -> None:
    for place, seed in ((tmp_path / "a", 5), (tmp_path / "b", 6)):
        put_run(place, result([True, True], seed=seed) | {"per_episode": _lines(seed)})
    (tmp_path / "b" / EPISODES).replace(tmp_path / "a" / EPISODES)
    with pytest.raises(UserError, match="that its row was made of, got others"):
        read_runs(tmp_path / "a")


def _lines(seed: int) -> list[dict[str, Any]]:
    return [{**line, "seed": seed + i} for i, line in enumerate(result()["per_episode"])]


def test_tables_without_sums_are_read_and_get_them(tmp_path: Path) -> None:
    put_run(tmp_path, result())
    rows = [line.split(",") for line in (tmp_path / RUNS).read_text().splitlines()]
    assert rows[0][-2:] == ["sum_of_episodes", "sum_of_row"]
    whole = (tmp_path / RUNS).read_bytes()
    (tmp_path / RUNS).write_text("".join(",".join(row[:-2]) + "\n" for row in rows))
    write_runs(tmp_path, read_runs(tmp_path))
    assert (tmp_path / RUNS).read_bytes() == whole


def test_a_replacement_cut_short_leaves_a_run_to_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for seed in (0, 1):
        put_run(tmp_path, result(training_seed=seed))

    def cut_short(path: Path, content: bytes) -> None:
        write_durably(path, content)
        if path.name == EPISODES:
            raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.campaign.tables.write_durably", cut_short)
    with pytest.raises(KeyboardInterrupt):
        put_run(tmp_path, result([False, False], training_seed=1))
    assert [run["training_seed"] for run in read_runs(tmp_path)] == [0]
    assert "lacks lewm/sac/1, whose episodes are known" in caplog.text


def test_formulas_and_endless_archives_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="no formula, got '=1"):
        put_run(tmp_path, result(controller="=1+1"))
    put_run(tmp_path, result())
    monkeypatch.setattr("benchmarks.campaign.tables.MAX_EPISODES_BYTES", 10)
    with pytest.raises(UserError, match="got more"):
        read_runs(tmp_path)


def put_five(place: Path, first: int, made: list[dict[str, Any]]) -> None:
    """In a process of its own."""
    for seed in range(5):
        put_run(place, {**made[first + seed]})


def test_two_writers_of_one_table_lose_nothing(tmp_path: Path) -> None:
    context, made = get_context("spawn"), [result(training_seed=seed) for seed in range(10)]
    writers = [context.Process(target=put_five, args=(tmp_path, n, made)) for n in (0, 5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(read_runs(tmp_path)) == 10
