"""Files come together by training seed, controllers by the episodes they share."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.data.json_files import write_json
from agent.errors import UserError
from agent.evaluation.cells import Cell, is_current, paired, read_cells
from agent.evaluation.curves import new_curve, read_curve, with_point
from agent.evaluation.definition import fingerprint
from agent.evaluation.protocols import PROTOCOLS

Make = Callable[..., dict[str, Any]]


def test_seeds_of_one_controller_are_one_cell(tmp_path: Path, make_result: Make) -> None:
    for seed, hits in enumerate(([True, True, False, True], [True, False, False, True])):
        result = make_result(hits, training_seed=seed, solved=(3,), env_steps=1000 * (seed + 1))
        write_json(tmp_path / f"lewm-sac-{seed}.json", result)
    (cell,) = read_cells(tmp_path)
    assert (cell.protocol, cell.controller, cell.training_seeds) == ("lewm", "sac", (0, 1))
    assert cell.values("held").tolist() == [[1, 1, 0], [1, 0, 0]]
    rate = cell.rate("first_touch")
    assert rate is not None and rate.value == 0.5
    assert cell.median_error_rad() == pytest.approx(0.01)
    assert cell.price("env_steps") == 1500.0
    assert cell.price("memory_mb") is None
    assert not cell.has_return


def test_a_training_seed_counts_once(tmp_path: Path, make_result: Make) -> None:
    for name in ("a", "b"):
        write_json(tmp_path / f"{name}.json", make_result([True]))
    with pytest.raises(UserError, match=r"seed 0 in .*a\.json and in .*b\.json"):
        read_cells(tmp_path)


def test_other_episodes_do_not_mix(tmp_path: Path, make_result: Make) -> None:
    write_json(tmp_path / "a.json", make_result([True]))
    write_json(tmp_path / "b.json", make_result([True, True], training_seed=1))
    with pytest.raises(UserError, match=r"b\.json to have the episodes of .*a\.json"):
        read_cells(tmp_path)


def test_another_schema_is_named(tmp_path: Path) -> None:
    (tmp_path / "strange.json").write_text('{"schema": "somebody/9"}')
    with pytest.raises(UserError, match=r"strange\.json.*somebody/9"):
        read_cells(tmp_path)


def test_pairs_are_made_of_the_episodes_both_played(make_result: Make) -> None:
    ours = Cell("lewm", "world-model", (make_result([True, True, True, False]),))
    theirs = Cell("lewm", "oracle", (make_result([True, False]),))
    found = paired(ours, theirs, "held")
    assert found is not None
    assert (found.episodes, found.estimate.value) == (2, 0.5)
    shifted = make_result([True, False])
    for line in shifted["per_episode"]:
        line["seed"] += 1
    assert paired(ours, Cell("lewm", "oracle", (shifted,)), "held") is None


def test_whoever_played_more_is_read_on_the_first_episodes(make_result: Make) -> None:
    cell = Cell("lewm", "sac", (make_result([True, False, True, True], solved=(0,)),))
    assert cell.episodes == 4
    first = cell.of_first(2)
    assert (first.episodes, first.values("held").tolist()) == (2, [[0.0]])
    assert cell.of_first(9).values("held").tolist() == cell.values("held").tolist()


def test_the_same_seed_from_another_start_is_another_episode(
    tmp_path: Path, make_result: Make
) -> None:
    write_json(tmp_path / "a.json", make_result([True, True]))
    write_json(tmp_path / "b.json", make_result([True, True], training_seed=1, solved=(1,)))
    with pytest.raises(UserError, match=r"b\.json to have the episodes of .*a\.json"):
        read_cells(tmp_path)


def test_a_curve_grows_point_by_point_in_order(tmp_path: Path, make_result: Make) -> None:
    curve = new_curve("sac", 0)
    for steps in (300, 100, 300):
        curve = with_point(curve, make_result([True], env_steps=steps))
    write_json(tmp_path / "c.json", curve)
    found = read_curve(tmp_path / "c.json")
    assert [point["bought_with"]["env_steps"] for point in found["points"]] == [100, 300]
    assert "per_episode" not in found["points"][0]


def test_a_point_needs_its_price_and_its_seed(make_result: Make) -> None:
    with pytest.raises(UserError, match="says its env_steps"):
        with_point(new_curve("sac", 0), make_result([True], env_steps=None))
    with pytest.raises(UserError, match="training seed 1, got 0"):
        with_point(new_curve("sac", 1), make_result([True]))


def test_a_point_is_not_replaced_by_less_or_by_another_controller(make_result: Make) -> None:
    curve = with_point(new_curve("sac", 0), make_result([True, True]))
    assert len(with_point(curve, make_result([True, False, True]))["points"]) == 1
    with pytest.raises(UserError, match="at least 2 episodes of seed 5"):
        with_point(curve, make_result([True]))
    with pytest.raises(UserError, match="at least 2 episodes of seed 5"):
        with_point(curve, {**make_result([True, True]), "seed": 6})
    with pytest.raises(UserError, match="expected sac in its own curve, got td3"):
        with_point(curve, make_result([True, True], controller="td3"))


def test_a_result_of_another_definition_is_not_current(make_result: Make) -> None:
    protocol = PROTOCOLS["anywhere"]
    result = make_result([True], protocol="anywhere")
    result["per_episode"][0]["seed"] = protocol.episodes(1, result["seed"])[0].seed
    for said, current in ((None, True), (fingerprint(protocol), True), ("0" * 12, False)):
        played = {**result, "protocol_definition": said}
        assert is_current(Cell("anywhere", "sac", (played,))) is current
    strange = replace(protocol, budget_steps=3), replace(protocol, tolerance_rad=0.2)
    assert len({fingerprint(one) for one in (protocol, PROTOCOLS["lewm"], *strange)}) == 4


def test_what_is_no_curve_is_named(tmp_path: Path, make_result: Make) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(make_result([True])))
    with pytest.raises(UserError, match=r"c\.json.*evaluation/2.*compare --curves"):
        read_curve(path)
    with pytest.raises(UserError, match="No such file"):
        read_curve(tmp_path / "none.json")
