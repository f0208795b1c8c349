"""Runs come together by training seed, controllers by the episodes they share."""

from pathlib import Path
from typing import Any

import pytest
from made_results import cell_of, result

from agent.errors import UserError
from benchmarks.campaign.cells import Cell, is_current, paired, read_cells
from benchmarks.campaign.subject import definition, first_stream
from benchmarks.campaign.tables import as_run, put_run, write_runs


def test_seeds_of_one_controller_are_one_cell(tmp_path: Path) -> None:
    for seed, hits in enumerate(([True, True, False, True], [True, False, True, True])):
        made = result(hits, training_seed=seed, solved=(3,), env_steps=1000 * (seed + 1))
        made["bought_with"]["memory_mb"] = None
        put_run(tmp_path, made)
    (cell,) = read_cells(tmp_path)
    assert (cell.protocol, cell.controller, cell.training_seeds) == ("lewm", "sac", (0, 1))
    assert cell.values("held").tolist() == [[1, 1, 0], [1, 0, 1]]
    rate = cell.rate("first_touch")
    assert rate is not None and rate.value == pytest.approx(4 / 6)
    assert cell.median_error() == 0.1 + 0.2
    assert cell.price("env_steps") == 1500.0
    assert cell.price("memory_mb") is None
    assert not cell.has_return


def test_where_all_were_solved_at_the_start_there_is_no_rate() -> None:
    cell = cell_of(result([True, True], solved=(0, 1)))
    assert cell.rate("held") is None and cell.median_error() is None


def test_a_training_seed_counts_once(tmp_path: Path) -> None:
    once = result(training_seed=None)
    put_run(tmp_path, once)
    put_run(tmp_path, once)
    assert read_cells(tmp_path)[0].training_seeds == (None,)
    write_runs(tmp_path, [as_run(once), as_run(once)])  # as no command would
    with pytest.raises(UserError, match="expected 2 episodes of lewm/sac/ in"):
        read_cells(tmp_path)


@pytest.mark.parametrize("other", [result([True]), result(solved=(1,))])
def test_other_episodes_do_not_mix(other: dict[str, Any], tmp_path: Path) -> None:
    put_run(tmp_path, result(training_seed=1))
    put_run(tmp_path, other)
    with pytest.raises(UserError, match=r"lewm/sac/1 to have the episodes of lewm/sac/0"):
        read_cells(tmp_path)


def test_pairs_are_made_of_the_episodes_both_played() -> None:
    ours = cell_of(result([True, True, True, False], controller="world-model"))
    theirs = result([True, False], controller="oracle")
    found = paired(ours, cell_of(theirs), "held")
    assert found is not None
    assert (found.episodes, found.estimate.value) == (2, 0.5)
    for line in theirs["per_episode"]:
        line["seed"] += 1
    assert paired(ours, cell_of(theirs), "held") is None


@pytest.mark.parametrize("alike", [True, False])
def test_two_ways_to_act_with_one_model_share_its_luck(alike: bool) -> None:
    """They succeed and fail together, training by training: nothing is between them."""

    def acting(controller: str, name: str) -> Cell:
        hits = ([True] * 4, [True] * 4, [False] * 4)
        return cell_of(
            *(
                result(one, controller=controller, training_seed=seed)
                | {"checkpoint_sha256": f"{name}{seed}"}
                for seed, one in enumerate(hits)
            )
        )

    found = paired(acting("world-model", "a"), acting("direct", "a" if alike else "b"), "held")
    assert found is not None and found.estimate.value == 0
    assert (found.estimate.high - found.estimate.low == 0) == alike


def test_whoever_played_more_is_read_on_the_first_episodes() -> None:
    cell = cell_of(result([True, False, True, True], solved=(0,)))
    assert cell.episodes == 4
    first = cell.of_first(2)
    assert (first.episodes, first.values("held").tolist()) == (2, [[0.0]])
    assert cell.of_first(9).values("held").tolist() == cell.values("held").tolist()


def test_a_result_of_another_definition_is_not_current() -> None:
    def said(definition: str | None, **changes: Any) -> bool:
        made = result(protocol="anywhere", protocol_definition=definition, **changes)
        made["per_episode"][0]["seed"] = first_stream("anywhere", 5)
        return is_current(cell_of(made))

    assert said(None) and said(definition("anywhere"))
    assert not said("0" * 12)
    assert not said(None, seed=6)  # other episodes than those seed 6 stands for
    assert is_current(cell_of(result(protocol="nobody-knows")))
