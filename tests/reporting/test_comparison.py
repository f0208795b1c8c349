"""The page and the README's tables say what the cells say, whatever there is of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.errors import UserError
from agent.evaluation.cells import Cell
from agent.evaluation.curves import new_curve, with_point
from agent.evaluation.provenance import BoughtWith, Origin
from agent.evaluation.results import summarise
from agent.interfaces import EpisodeResult
from agent.reporting.comparison_figures import learning_figure
from agent.reporting.comparison_page import Comparison, write_comparison
from agent.reporting.comparison_tables import differences_table
from agent.reporting.curve_table import curve_table
from agent.reporting.full_tables import full_tables
from agent.reporting.glance import glance
from agent.reporting.ordering import in_order
from agent.reporting.pages import page_of

EPISODES = 40
ORDER = ("world-model", "sac", "noop")


def cell(controller: str, protocol: str, rates: Sequence[float], steps: int | None = 1000) -> Cell:
    """A cell with one training seed a rate; of each the first episodes succeed."""
    results = []
    for seed, rate in enumerate(rates):
        hits = np.arange(EPISODES) < round(rate * EPISODES)
        played = [
            EpisodeResult(
                i, False, bool(hit), bool(hit), 3 if hit else None, 0.0 if hit else 1.0, (2.0,),
                1000.0 * rate if protocol.startswith("dmc") else None,
            )
            for i, hit in enumerate(hits)
        ]  # fmt: skip
        origin = Origin(seed, BoughtWith(steps, 60.0 * (seed + 1), 500.0)) if steps else None
        made = summarise(
            played, controller=controller, protocol=protocol, seed=5, origin=origin, command="x"
        )
        results.append(made)
    return Cell(protocol, controller, tuple(results))


CELLS = [
    cell("noop", "lewm", [0.0], None),
    cell("sac", "lewm", [0.8, 0.9, 1.0]),
    cell("world-model", "lewm", [1.0, 1.0, 1.0]),
    cell("world-model", "lewm-t50-b2t", [1.0, 0.5]),
    cell("world-model", "dmc-easy", [0.95, 0.97, 0.99]),
    cell("sac", "dmc-easy", [0.9, 0.9, 0.9]),
]


def test_the_tables_hold_means_intervals_and_prices() -> None:
    shown = full_tables(CELLS, ORDER)
    ours = next(line for line in shown.splitlines() if line.startswith("| world-model | 3"))
    assert ours.split(" | ")[2] == "100.0 (91.2 to 100.0)"  # Wilson's, 40 of 40
    theirs = next(line for line in shown.splitlines() if line.startswith("| sac | 3"))
    assert "| 90.0 (" in theirs and theirs.endswith("| 1 000 | 2.0 min, 500 MB |")
    assert "| world-model | 100.0 / 100.0 |" not in shown  # longer goals: mean of 1 and .5
    assert "| world-model | 75.0 / 75.0 |" in shown
    assert "| `dmc-easy` | world-model | 3 × 40 | 970 (950 to 990)" in shown


def test_controllers_come_in_the_order_given_and_strangers_last() -> None:
    strange = cell("another", "lewm", [0.5])
    ordered = in_order([strange, *CELLS], ORDER)
    names = [one.controller for one in ordered if one.protocol == "lewm"]
    assert names == ["world-model", "sac", "noop", "another"]
    longer = [cell("noop", "lewm-t50-b50", [0.0], None), cell("sac", "lewm-t100-b50", [0.5])]
    shown = full_tables(longer, ORDER)
    assert shown.index("| sac |") < shown.index("| noop |")


BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
ABOUT = {name: f"what {name} is" for name in ORDER}


def test_only_what_is_between_the_marks_changes() -> None:
    before = f"above\n{BEGIN}\nold\n{END}\nbelow\n"
    after = page_of(before, CELLS, ABOUT, [])
    assert after.startswith(f"above\n{BEGIN}\n**`lewm`**") and after.endswith(f"{END}\nbelow\n")
    assert page_of(after, CELLS, ABOUT, []) == after


@pytest.mark.parametrize(
    "page", ["no marks", BEGIN, f"{END} {BEGIN}", f"{BEGIN} {END} {BEGIN} {END}"]
)
def test_a_page_without_a_pair_of_marks_is_refused(page: str) -> None:
    with pytest.raises(UserError, match="expected"):
        page_of(page, CELLS, ABOUT, [])


def test_a_glance_has_a_line_a_controller_with_means_alone() -> None:
    ours, theirs, idle = (line.split(" | ") for line in glance(CELLS, ABOUT).splitlines()[2:5])
    assert ours[0] == "| **world-model**: what world-model is"
    assert ours[3:] == ["100.0", "–", "–", "–", "970", "–", "2.0 |"]
    assert theirs[1:4] == ["1 000", "2.0 min", "90.0"] and theirs[7] == "900"
    assert idle[1:4] == ["–", "–", "0.0"]
    assert glance([], ABOUT) == "No result has been measured yet."


def test_a_glance_says_who_played_less() -> None:
    little = replace(CELLS[0], controller="slow").of_first(10)
    assert "Training seeds 3 × 40 episodes" in glance([*CELLS, little], ABOUT)
    assert "; slow 1 × 10." in glance([*CELLS, little], ABOUT)


def test_the_better_one_is_named_only_where_the_interval_says_so() -> None:
    shown = differences_table(CELLS)
    assert "+10.0" in shown and "world-model is better" in shown
    alike = [cell("world-model", "lewm", [1.0]), cell("sac", "lewm", [1.0])]
    assert "the same in all 40 episodes" in differences_table(alike)
    other = cell("sac", "lewm", [1.0])
    for line in other.results[0]["per_episode"]:
        line["seed"] += 1
    assert "no episode in common" in differences_table([alike[0], other])


def curves() -> list[dict[str, Any]]:
    made = []
    for seed in range(2):
        curve = new_curve("sac", seed)
        for steps, rate in ((10_000, 0.2), (100_000, 0.9)):
            result = cell("sac", "lewm", [rate], steps).results[0]
            curve = with_point(curve, {**result, "training_seed": seed})
        made.append(curve)
    return made


def test_the_thick_line_is_the_mean_of_the_seeds() -> None:
    drawn = curves()
    drawn[1]["points"][1]["held"] = {"rate": 0.7, "low": 0.0, "high": 1.0}
    left, right = learning_figure(drawn, "lewm").axes
    mean = left.get_lines()[-1]
    assert mean.get_xdata() == pytest.approx([10_000, 100_000])
    assert mean.get_ydata() == pytest.approx([20.0, 80.0])
    assert right.get_lines()[-1].get_xdata() == pytest.approx([1.0, 1.0])  # minutes
    with pytest.raises(UserError, match="points on swift"):
        learning_figure(drawn, "swift")


def test_a_curve_is_shown_at_the_world_models_env_steps() -> None:
    ours = new_curve("world-model", 0)
    for steps, rate in ((30_000, 0.5), (90_000, 1.0)):
        result = cell("world-model", "lewm", [rate], steps).results[0]
        ours = with_point(ours, {**result, "training_seed": 0, "commit": "abc"})
    theirs = [{**c, "points": [{**p, "commit": "x-dirty"} for p in c["points"]]} for c in curves()]
    shown = curve_table([*theirs, ours])
    lines = [line.split(" | ")[1:6] for line in shown.splitlines()[2:6]]
    assert lines == [
        ["world-model", "30 000", "1 × 40", "50.0", "50.0"],
        ["world-model", "90 000", "1 × 40", "100.0", "100.0"],
        ["sac", "10 000", "2 × 40", "20.0", "20.0"],
        ["sac", "100 000", "2 × 40", "90.0", "90.0"],
    ]
    assert "6 points in all" in shown and "4 were measured with uncommitted changes" in shown
    assert curve_table([]) == "No learning curve has been measured yet."


def test_a_seed_with_more_points_leaves_the_mean_where_all_have_one() -> None:
    drawn = curves()
    drawn[1]["points"] = drawn[1]["points"][1:]
    mean = learning_figure(drawn, "lewm").axes[0].get_lines()[-1]
    assert mean.get_xdata() == pytest.approx([100_000])


def test_the_page_shows_what_there_is_and_names_what_is_not(tmp_path: Path) -> None:
    full = Comparison(
        in_order(CELLS, ORDER), {"sac": "on <true> states"}, curves(), [], {}, ["td3: all"], "today"
    )
    page = write_comparison(tmp_path / "full.html", full).read_text()
    for title in ("Reaching goals", "own reward", "against each", "experience buys", "missing"):
        assert title in page
    assert "on &lt;true&gt; states" in page and "td3: all" in page
    empty = write_comparison(
        tmp_path / "empty.html", replace(full, cells=[], curves=[])
    ).read_text()
    assert "Reaching goals" not in empty and "td3: all" in empty
    assert full_tables([], ORDER) == "No result has been measured yet."
