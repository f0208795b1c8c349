"""``report``: one page and the README's tables, made from result files alone."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from agent.commands.matrix import Wanted
    from agent.evaluation.cells import Cell

COMPARISON, EVALUATION, CURVES = "comparison", "evaluation", "curves"
PLANNERS, STUDIES = "planners.json", "identifiability"
PLANNERS_SCHEMA = "lejepa-agent/planners/1"


@dataclass(frozen=True)
class Report:
    """Make tables and figures of all results: one HTML page, learning curves, the README's tables.

    Reads comparison/, evaluation/ (for cells that comparison/ lacks), curves/, planners.json,
    identifiability/ and identifiability-full/ of the directory. What is not there yet is listed on
    the page. A file of another schema is named and nothing is written.

    Examples:
      python run_agent.py report results/
      python run_agent.py report results/ --out results/report.html --readme README.md
    """

    results: Annotated[Positional[Path], arg(metavar="DIR")] = Path("results")
    """Where the result files are."""
    out: Annotated[
        Path | None, arg(metavar="FILE", help_behavior_hint="(default: report.html in DIR)")
    ] = None
    """The page."""
    readme: Annotated[
        Path | None, arg(metavar="FILE", help_behavior_hint="(default: left as it is)")
    ] = None
    """A Markdown file whose tables between the marks are made anew."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return "No page was written; run the same command again."

    def run(self) -> None:
        """Read everything, then write."""
        from agent.commands.console import say
        from agent.errors import UserError
        from agent.reporting.comparison_page import Comparison, write_comparison

        if not self.results.is_dir():
            raise UserError(f"expected a directory of results, got {self.results}")
        cells, outdated = cells_in(self.results)
        readme = self._readme(cells)
        comparison = Comparison(
            cells,
            _about(),
            _curves(self.results / CURVES),
            _planners(self.results / PLANNERS),
            dict(_studies(self.results)),
            [*_outdated(outdated), *missing(self.results, cells)],
            datetime.date.today().isoformat(),
        )
        page = write_comparison(self.out or self.results / "report.html", comparison)
        say(f"wrote {page}: {len(cells)} cells, {len(comparison.missing)} lines of what is missing")
        for picture in draw_curves(comparison.curves, self.results / CURVES):
            say(f"wrote {picture}")
        if self.readme is not None:
            self.readme.write_text(readme, encoding="utf-8")
            say(f"wrote the tables of {self.readme}")

    def _readme(self, cells: Sequence[Cell]) -> str:
        if self.readme is None:
            return ""
        return readme_of(self.readme.read_text(encoding="utf-8"), cells)


def readme_of(readme: str, cells: Sequence[Cell]) -> str:
    """``readme`` with the tables of ``cells`` between its marks."""
    from agent.commands.controllers import CONTROLLERS
    from agent.reporting.readme import with_tables

    return with_tables(readme, cells, tuple(CONTROLLERS))


def cells_in(results: Path) -> tuple[list[Cell], list[Cell]]:
    """The cells to show, in order, and those whose protocol has changed since.

    Whoever played more than the others is shown on the episodes that the others played.

    Raises:
        UserError: naming the first file that is no result of a known schema.
    """
    from agent.commands.controllers import CONTROLLERS
    from agent.commands.matrix import EPISODES
    from agent.evaluation.cells import is_current, read_cells
    from agent.reporting.ordering import in_order

    found = in_order(read_cells([results / COMPARISON, results / EVALUATION]), tuple(CONTROLLERS))
    current: list[Cell] = []
    outdated: list[Cell] = []
    for cell in found:
        (current if is_current(cell) else outdated).append(cell.of_first(EPISODES))
    return current, outdated


def missing(results: Path, cells: Sequence[Cell]) -> Iterator[str]:
    """A line for each controller of the comparison that lacks files, and one for absent parts."""
    from agent.commands.matrix import EPISODES, EVALUATION_SEED, PROTOCOLS, wanted_cells

    there = {
        (cell.controller, cell.protocol, seed) for cell in cells for seed in cell.training_seeds
    }
    lacking: dict[str, list[Wanted]] = {}
    place = results / COMPARISON
    for want in wanted_cells(place, PROTOCOLS, (0, 1, 2), EPISODES, EVALUATION_SEED):
        if (want.controller, want.protocol, want.training_seed) not in there:
            lacking.setdefault(want.controller, []).append(want)
    for controller, wanted in lacking.items():
        yield f"{controller}, {len(wanted)} files: {_places(wanted)}"
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


def _about() -> dict[str, str]:
    from agent.commands.controllers import CONTROLLERS

    return {name: entry.about for name, entry in CONTROLLERS.items()}


def _curves(directory: Path) -> list[Mapping[str, Any]]:
    from agent.evaluation.curves import read_curve

    return [read_curve(path) for path in sorted(directory.glob("*.json"))]


def draw_curves(curves: Sequence[Mapping[str, Any]], directory: Path) -> Iterator[Path]:
    """A picture a protocol, beside the curves' own files; each is written when it is asked for."""
    from agent.reporting.comparison_figures import learning_figures
    from agent.reporting.style import save_png

    for protocol, figure in learning_figures(curves):
        yield save_png(figure, directory / f"{protocol}.png")


def _planners(path: Path) -> list[Mapping[str, Any]]:
    from agent.errors import UserError

    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"expected {path} to be JSON, got: {error}") from error
    found = content.get("schema") if isinstance(content, dict) else None
    if found != PLANNERS_SCHEMA:
        raise UserError(
            f"expected {path} with schema {PLANNERS_SCHEMA!r}, got schema {found!r}; make it again "
            "with benchmarks/control.py"
        )
    return list(content["rows"])


def _studies(results: Path) -> Iterator[tuple[str, Figure]]:
    """The figure of each study; one that this version cannot draw is named and refused."""
    from agent.errors import UserError
    from agent.identifiability.records import read_study
    from agent.reporting.identifiability import HOMES, draw
    from agent.reporting.identifiability_tables import FOLDERS

    for folder in FOLDERS.values():
        for path in sorted((results / folder).glob("*.json")):
            result = read_study(path)
            if result["study"] not in HOMES:
                raise UserError(f"expected {path} to be a study of {', '.join(HOMES)}")
            yield f"{result['study']}, preset {result['preset']}", draw(result)
