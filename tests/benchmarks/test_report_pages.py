"""The page and the tables of the README say what the cells say, whatever there is of them."""

import html
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_results import cell, result, share

from agent.errors import UserError
from benchmarks.campaign.comparison_tables import differences_table
from benchmarks.campaign.full_tables import full_tables
from benchmarks.campaign.glance import glance
from benchmarks.campaign.inputs import studies_in
from benchmarks.campaign.ordering import in_order
from benchmarks.campaign.page import Comparison, write_comparison
from benchmarks.campaign.pages import page_of
from benchmarks.campaign.subject import task
from benchmarks.campaign.tables import as_run
from benchmarks.campaign.worlds_table import worlds_table

ORDER = ("world-model", "sac", "noop")
CELLS = [
    cell("noop", "lewm", [0.0], learned=False),
    cell("sac", "lewm", [0.8, 0.9, 1.0]),
    cell("world-model", "lewm", [1.0, 1.0, 1.0]),
    cell("world-model", "lewm-t50-b2t", [1.0, 0.5]),
    cell("world-model", "dmc-easy", [0.95, 0.97, 0.99]),
    cell("sac", "dmc-easy", [0.9, 0.9, 0.9]),
    cell("world-model", "dmc-hard", [0.97]),
    cell("sac", "dmc-hard", [0.9]),
]
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
ABOUT = {name: f"what {name} is" for name in ORDER}


def test_the_tables_hold_means_intervals_and_prices() -> None:
    shown = full_tables(CELLS, ORDER)
    ours = next(line for line in shown.splitlines() if line.startswith("| world-model | 3"))
    assert ours.split(" | ")[2] == "100.0 (91.2 to 100.0)"  # Wilson's, 40 of 40
    theirs = next(line for line in shown.splitlines() if line.startswith("| sac | 3"))
    assert "| 90.0 (" in theirs and theirs.endswith("| 1 000 | 60 s, 500 MB |")
    assert "| world-model | 100.0 / 100.0 |" not in shown  # longer goals: mean of 1 and .5
    assert "| world-model | 75.0 / 75.0 |" in shown
    assert "| `dmc-easy` | world-model | 3 × 40 | 970 (950 to 990)" in shown
    assert full_tables([], ORDER) == "No result has been measured yet."


def test_controllers_come_in_the_order_given_and_strangers_last() -> None:
    strange = cell("another", "lewm", [0.5])
    ordered = in_order([strange, *CELLS], ORDER)
    names = [one.controller for one in ordered if one.protocol == "lewm"]
    assert names == ["world-model", "sac", "noop", "another"]
    longer = [cell("noop", "lewm-t50-b50", [0.0]), cell("sac", "lewm-t100-b50", [0.5])]
    shown = full_tables(longer, ORDER)
    assert shown.index("| sac |") < shown.index("| noop |")


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
    ours, theirs = (line.split(" | ") for line in glance(CELLS, ABOUT).splitlines()[2:4])
    assert ours[0] == "| **world-model**: what world-model is"
    assert ours[3:] == ["100.0", "–", "–", "970", "2.0 |"]
    assert theirs[1:4] == ["1 000", "60 s", "90.0"] and theirs[6] == "900"
    assert "noop" not in glance(CELLS, ABOUT)  # not one of those shown
    both = glance([*CELLS, cell("sac-brief", "lewm", [0.7])], ABOUT).splitlines()
    assert both[4].startswith("| sac-brief: the same, stopped early | 1 000 | 60 s | 70.0 |")
    assert glance([], ABOUT) == "No result has been measured yet."


def test_what_a_system_leaves_beside_a_study_is_none(tmp_path: Path) -> None:
    (tmp_path / "identifiability").mkdir()
    (tmp_path / "identifiability" / "._bound.json").write_bytes(b"\x00\x05\x16\x07")
    assert list(studies_in(tmp_path)) == []


def test_a_glance_says_who_played_less() -> None:
    little = replace(CELLS[0], controller="random").of_first(10)
    assert "Training seeds 3 × 40 episodes" in glance([*CELLS, little], ABOUT)
    assert "; random 1 × 10." in glance([*CELLS, little], ABOUT)


def test_the_better_one_is_named_only_where_the_interval_says_so() -> None:
    shown = differences_table(CELLS)
    assert "+10.0" in shown and "world-model is better" in shown
    alike = [cell("world-model", "lewm", [1.0]), cell("sac", "lewm", [1.0])]
    assert "the same in all 40 episodes" in differences_table(alike)
    other = cell("sac", "lewm", [1.0])
    for line in other.results[0]["per_episode"]:
        line["seed"] += 1
    assert "no episode in common" in differences_table([alike[0], other])


def test_other_worlds_have_a_line_a_task_beside_the_floor() -> None:
    def of_kitchen(controller: str, hits: list[bool], seed: int | None) -> dict[str, Any]:
        return as_run(result(hits, controller=controller, world="kitchen", training_seed=seed))

    ours, floor = of_kitchen("world-model", share(0.9), 0), of_kitchen("random", share(0.1), None)
    row = worlds_table([floor, ours]).splitlines()[2].split(" | ")
    assert row[:4] == ["| `kitchen`", "`lewm`", "40", "90.0 (77 to 96)"]
    assert row[5].startswith("10.0 (") and row[6:] == ["0.3 rad", "60 s |"]
    assert worlds_table([ours]).splitlines()[2].split(" | ")[5] == "–"
    assert worlds_table([floor]) == "No other world has been measured yet."


def test_a_world_whose_goals_were_all_reached_before_has_no_rate() -> None:
    ours = as_run(result([True], controller="world-model", solved=(0,)))
    row = worlds_table([ours]).splitlines()[2].split(" | ")
    assert row[2:7] == ["0", "–", "–", "–", "–"] and len(row) == 8


def test_the_page_shows_what_there_is_and_names_what_is_not(tmp_path: Path) -> None:
    full = Comparison(
        in_order(CELLS, ORDER), {"sac": "on <true> states"}, [], [], {}, ["td3: all"], "today"
    )
    page = write_comparison(tmp_path / "full.html", full).read_text()
    for title in ("Reaching goals", "own reward", "against each", "missing"):
        assert title in page
    assert "on &lt;true&gt; states" in page and "td3: all" in page
    assert "On lewm the world model holds 100.0 % of its goals; the best of 2 others, sac" in page
    assert all(html.escape(task(name).about) in page for name in ("lewm", "dmc-easy", "dmc-hard"))
    empty = write_comparison(tmp_path / "empty.html", replace(full, cells=[])).read_text()
    assert "Reaching goals" not in empty and "td3: all" in empty
