"""What a directory of results holds, for the report: cells, curves, planners, studies, gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.files.durable import entries
from benchmarks.campaign.curve_points import points_in

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from benchmarks.campaign.cells import Cell
    from benchmarks.campaign.matrix import Wanted
    from benchmarks.campaign.tables import Run

COMPARISON, CURVES, WORLDS = "comparison", "curves", "worlds"
PLANNERS, STUDIES = "planners.json", "identifiability"
PLANNERS_SCHEMA = "lejepa-agent/planners/1"
ABOUT_CONTROLLERS = {  # what each is, in the order of tables
    "world-model": "plans through a learned world model, from pixels",
    "direct": "the world model's action head, without a search, from pixels",
    "lewm": "LeWorldModel's own way to plan (CEM, 25 ticks with eyes closed), from pixels",
    "sac": "soft actor-critic with hindsight, on true states",
    "td3": "TD3 with hindsight, on true states",
    "ppo": "PPO, on true states",
    "sac-dmc": "soft actor-critic on dm_control's reward, for dmc-easy or dmc-hard",
    "td3-dmc": "TD3 on dm_control's reward, for dmc-easy or dmc-hard",
    "clone": "actions cloned with hindsight goals, from pixels",
    "inverse-dynamics": "as clone, with goals a few steps ahead",
    "oracle": "Gauss-Newton on the true simulator and its state",
    "computed-torque": "feedback on true states and masses",
    "random": "uniform actions, a floor",
    "noop": "no action, a floor",
}


def cells_in(results: Path) -> tuple[list[Cell], list[Cell]]:
    """The cells to show, in order, and those whose protocol has changed since.

    Whoever played more than the others is shown on the episodes that the others played.

    Raises:
        UserError: if there is no table of runs, or it is of other columns.
    """
    from benchmarks.campaign.cells import is_current, read_cells
    from benchmarks.campaign.matrix import EPISODES
    from benchmarks.campaign.ordering import in_order

    found = in_order(read_cells(results / COMPARISON), tuple(ABOUT_CONTROLLERS))
    current: list[Cell] = []
    outdated: list[Cell] = []
    for cell in found:
        (current if is_current(cell) else outdated).append(cell.of_first(EPISODES))
    return current, outdated


def curves_in(results: Path) -> list[Run]:
    """Every point of the learning curves; none where they have not been measured."""
    return points_in(results / CURVES)


def planner_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of the planners' benchmark; none if there is no such file.

    Raises:
        UserError: if the file is not of the schema that this version reads.
    """
    from agent.files.json_files import read_json

    if not path.exists():
        return []
    read = read_json(path, "the planners", (PLANNERS_SCHEMA,), "benchmarks/control.py")
    return list(read["rows"])


def studies_in(results: Path) -> Iterator[tuple[str, Figure]]:
    """The figure of each study; one that this version cannot draw is named and refused."""
    from agent.errors import UserError
    from studies.figures import HOMES, draw
    from studies.records import read_study
    from studies.tables import FOLDERS

    for folder in FOLDERS.values():
        for path in entries(results / folder, "*.json"):
            result = read_study(path)
            if result["study"] not in HOMES:
                raise UserError(f"expected {path} to be a study of {', '.join(HOMES)}")
            yield f"{result['study']}, preset {result['preset']}", draw(result)


def gaps_in(results: Path, current: Sequence[Cell], outdated: Sequence[Cell]) -> list[str]:
    """Lines on what is not shown because it is out of date or was not measured."""
    return [*_outdated(outdated), *_missing(results, current)]


def _missing(results: Path, cells: Sequence[Cell]) -> Iterator[str]:
    """A line for each controller of the comparison that lacks runs, and one for absent parts."""
    from benchmarks.campaign.matrix import EPISODES, EVALUATION_SEED, PROTOCOLS, wanted_runs

    there = {
        (cell.controller, cell.protocol, seed) for cell in cells for seed in cell.training_seeds
    }
    lacking: dict[str, list[Wanted]] = {}
    for want in wanted_runs(PROTOCOLS, (0, 1, 2), EPISODES, EVALUATION_SEED):
        if (want.controller, want.protocol, want.training_seed) not in there:
            lacking.setdefault(want.controller, []).append(want)
    for controller, wanted in lacking.items():
        yield f"{controller}, {len(wanted)} runs: {_places(wanted)}"
    for name in (CURVES, PLANNERS, STUDIES):
        if not (results / name).exists():
            yield f"{name}: not there yet"


def _places(wanted: Sequence[Wanted], shown: int = 6) -> str:
    protocols = list(dict.fromkeys(want.protocol for want in wanted))
    seeds = sorted({w.training_seed for w in wanted if w.training_seed is not None})
    more = f" and {len(protocols) - shown} more" if len(protocols) > shown else ""
    of = f"; training seeds {', '.join(map(str, seeds))}" if seeds else ""
    return ", ".join(protocols[:shown]) + more + of


def _outdated(cells: Sequence[Cell]) -> Iterator[str]:
    for protocol in dict.fromkeys(cell.protocol for cell in cells):
        names = ", ".join(cell.controller for cell in cells if cell.protocol == protocol)
        yield (
            f"{protocol}: defined anew since it was measured, so the old figures of {names} are "
            "not shown; measure them again"
        )
