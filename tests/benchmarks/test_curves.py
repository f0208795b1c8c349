"""Learning curves: which checkpoints are points of them, what is kept, and what is shown."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_checkpoints import make_checkpoint
from made_results import cell, point_in, result, share

from agent.commands.measurement import Measurement
from agent.errors import UserError
from benchmarks.campaign.campaign import Campaign
from benchmarks.campaign.curve_points import keep_point, points_in
from benchmarks.campaign.curve_table import curve_table
from benchmarks.campaign.curves import checkpoints_along, points_of
from benchmarks.campaign.figures import learning_figure, learning_figures
from benchmarks.campaign.tables import CURVE_KEY, EPISODES, as_run, write_runs

Output = pytest.CaptureFixture[str]


def asked_for(tmp_path: Path, *controllers: str, **changes: Any) -> Campaign:
    chosen: dict[str, Any] = {
        "controllers": controllers, "protocols": ("anywhere",), "training_seeds": (0,),
        "episodes": 2, "curves": True,
    }  # fmt: skip
    return Campaign(tmp_path / "curves", tmp_path / "runs", **(chosen | changes))


def test_the_checkpoints_along_a_training_are_its_points(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "sac-0"
    for steps in (100_000, 20_000):
        make_checkpoint(run / "checkpoints" / str(steps), steps)
    (run / "checkpoints" / "300000").mkdir()  # begun, not finished
    assert [p.name for p in checkpoints_along(run)] == ["20000", "100000"]
    make_checkpoint(run / "checkpoint", 100_000)  # where it ended, which is the last point
    assert [p.name for p in checkpoints_along(run)] == ["20000", "100000"]
    make_checkpoint(run / "checkpoint", 120_000)
    found = [p.name for p in checkpoints_along(run)]
    assert found == ["20000", "100000", "checkpoint"]
    asked = asked_for(tmp_path, "sac", episodes=None, training_seeds=(0, 1))
    assert len(list(points_of(asked))) == 3 and asked.count == 100


def test_curves_of_nothing_measure_nothing(
    tmp_path: Path, capsys: Output, measured: list[Measurement]
) -> None:
    asked_for(tmp_path, "sac", protocols=(), training_seeds=(7,)).run()
    shown = capsys.readouterr().out
    assert "to measure now: 0 points" in shown and "baseline --algorithm sac" in shown
    assert not measured and points_in(tmp_path / "curves") == []


def test_a_measured_point_is_neither_measured_nor_trained_again(
    tmp_path: Path, capsys: Output, measured: list[Measurement]
) -> None:
    asked = asked_for(tmp_path, "sac")
    make_checkpoint(asked.runs / "sac-0" / "checkpoint", 300_000)
    asked.run()
    assert [p["bought_with"]["env_steps"] for p in points_in(asked.place)] == [300_000]
    assert not (asked.place / EPISODES).exists()
    capsys.readouterr()
    asked.run()
    shown = capsys.readouterr().out
    assert "to measure now: 0 points" in shown and "--algorithm sac" not in shown
    (run,) = points_in(asked.place)
    write_runs(asked.place, [{**run, "protocol_definition": "0" * 12}], CURVE_KEY)
    replace(asked, plan=True).run()
    assert "to measure now: 1 points" in capsys.readouterr().out
    replace(asked, runs=tmp_path / "elsewhere", episodes=3, plan=True).run()
    assert "baseline --algorithm sac" in capsys.readouterr().out
    assert len(measured) == 1


def test_a_point_needs_its_price_and_its_training(tmp_path: Path) -> None:
    for other, said in (
        (result(env_steps=None), "says its env_steps"),
        (result(training_seed=1), "sac of training seed 0, got sac of 1"),
        (result(controller="td3"), "sac of training seed 0, got td3 of 0"),
    ):
        with pytest.raises(UserError, match=said):
            keep_point(point_in(tmp_path), other)
    assert points_in(tmp_path) == []


def test_a_point_is_not_replaced_by_less(tmp_path: Path) -> None:
    point = point_in(tmp_path)
    for steps in (300, 100):
        keep_point(point, result(env_steps=steps))
    keep_point(point, result([True] * 3, env_steps=300))
    kept = [(p["bought_with"]["env_steps"], p["episodes"]) for p in points_in(tmp_path)]
    assert kept == [(100, 2), (300, 3)]
    for less in (result(env_steps=300), result([True] * 3, env_steps=300, seed=6)):
        with pytest.raises(UserError, match="at least 3 episodes of seed 5"):
            keep_point(point, less)


def curve(controller: str, seed: int, *points: tuple[int, float]) -> list[dict[str, Any]]:
    return [
        as_run(result(share(rate), controller=controller, training_seed=seed, env_steps=steps))
        for steps, rate in points
    ]


SAC = [
    *curve("sac", 0, (10_000, 0.2), (100_000, 0.9)),
    *curve("sac", 1, (10_000, 0.2), (100_000, 0.7)),
]


def test_the_thick_line_is_the_mean_of_the_seeds_where_all_have_the_point() -> None:
    left, right = learning_figure(SAC, "lewm").axes
    mean = left.get_lines()[-1]
    assert mean.get_xdata() == pytest.approx([10_000, 100_000])
    assert mean.get_ydata() == pytest.approx([20.0, 80.0])
    assert right.get_lines()[-1].get_xdata() == pytest.approx([1.0, 1.0])  # minutes
    fewer = learning_figure([*SAC[:2], SAC[3]], "lewm").axes[0].get_lines()[-1]
    assert fewer.get_xdata() == pytest.approx([100_000])
    with pytest.raises(UserError, match="points on swift"):
        learning_figure(SAC, "swift")


def test_who_is_told_the_goal_is_drawn_beside_who_is_told_the_reward() -> None:
    kind = {"protocol": "dmc-hard", "controller": "sac-dmc", "paid": 500.0}
    points = [as_run(result(**kind))]
    cells = [cell("sac-brief", "dmc-hard", [0.9]), cell("sac", "lewm", [1.0])]
    ((name, figure),) = learning_figures(points, cells)
    drawn = {str(line.get_label()): line for line in figure.axes[0].get_lines()}
    assert name == "dmc-hard" and drawn["sac"].get_ydata() == pytest.approx([900.0])
    assert "sac" not in {str(a.get_label()) for _, f in learning_figures(points)
                         for a in f.axes[0].get_lines()}  # fmt: skip


def test_a_curve_is_shown_at_the_world_models_env_steps() -> None:
    ours = curve("world-model", 0, (30_000, 0.5), (90_000, 1.0))
    shown = curve_table([*({**point, "commit": "x-dirty"} for point in SAC), *ours])
    lines = [line.split(" | ")[1:6] for line in shown.splitlines()[2:6]]
    assert lines == [
        ["world-model", "30 000", "1 × 40", "50.0", "50.0"],
        ["world-model", "90 000", "1 × 40", "100.0", "100.0"],
        ["sac", "10 000", "2 × 40", "20.0", "20.0"],
        ["sac", "100 000", "2 × 40", "80.0", "80.0"],
    ]
    assert "6 points in all" in shown and "4 were measured with uncommitted changes" in shown
    assert curve_table([]) == "No learning curve has been measured yet."
