"""One page and the tables of the Markdown pages, made from the tables of results alone."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.campaign.cells import Cell
    from benchmarks.campaign.page import Comparison
    from studies.quotes import Source

# Of the repository that DIR is in.
PAGES = ("README.md", "docs/results.md", "docs/live.md", "docs/scaling.md")


@dataclass(frozen=True)
class Report:
    """The tables and figures of ``results``: one HTML page ``out`` and the marked ``pages``.

    ``pages`` None are none; an empty tuple stands for those of the repository. Without the tables
    of runs nothing is written; what else is not there is listed on the page.
    """

    results: Path = Path("results")
    out: Path | None = None
    pages: tuple[Path, ...] | None = None

    def run(self) -> None:
        """Read everything, then write."""
        from agent.commands.console import say
        from agent.commands.places import require_file_place
        from agent.files.durable import write_durably
        from benchmarks.campaign.inputs import CURVES, WORLDS
        from benchmarks.campaign.page import write_comparison
        from benchmarks.campaign.quotable import sources
        from benchmarks.campaign.worlds_table import runs_of_worlds

        self._require_tables()
        place = self.out or self.results / "report.html"
        require_file_place(place, "--out", ".html")
        found = self._comparison()
        worlds = runs_of_worlds(self.results / WORLDS)
        quoted = sources(self.results, found.cells, found.curves)
        pages = dict(pages_made(self._pages(), found.cells, found.curves, worlds, quoted))
        page = write_comparison(place, found)
        say(f"wrote {page}: {len(found.cells)} cells, {len(found.missing)} lines on what is not")
        for picture in draw_curves(found.curves, found.cells, self.results / CURVES):
            say(f"wrote {picture}")
        for path, text in pages.items():
            write_durably(path, text.encode())
            say(f"wrote the tables of {path}")

    def _require_tables(self) -> None:
        from agent.errors import UserError
        from benchmarks.campaign import inputs
        from benchmarks.campaign.tables import RUNS, has_tables

        if not has_tables(self.results / inputs.COMPARISON):
            raise UserError(
                f"expected a directory of results with {inputs.COMPARISON}/{RUNS}, got "
                f"{self.results}: nothing was written"
            )

    def _comparison(self) -> Comparison:
        from benchmarks.campaign import inputs
        from benchmarks.campaign.page import Comparison

        cells, outdated = inputs.cells_in(self.results)
        return Comparison(
            cells,
            inputs.ABOUT_CONTROLLERS,
            inputs.curves_in(self.results),
            inputs.planner_rows(self.results / inputs.PLANNERS),
            dict(inputs.studies_in(self.results)),
            inputs.gaps_in(self.results, cells, outdated),
            datetime.date.today().isoformat(),
        )

    def _pages(self) -> list[Path]:
        from benchmarks.campaign.pages import has_parts

        if self.pages or self.pages is None:
            return list(self.pages or ())
        beside = [self.results.resolve().parent / name for name in PAGES]
        return [p for p in beside if p.exists() and has_parts(p.read_text(encoding="utf-8"))]


def pages_made(
    paths: Sequence[Path],
    cells: Sequence[Cell],
    curves: Sequence[Mapping[str, Any]],
    worlds: Sequence[Mapping[str, Any]] = (),
    quoted: Mapping[str, Source] = MappingProxyType({}),
) -> Iterator[tuple[Path, str]]:
    """Each Markdown page with its tables made from the results; nothing is written.

    Raises:
        UserError: if a page cannot be read or has no marks.
    """
    from agent.errors import UserError
    from benchmarks.campaign.inputs import ABOUT_CONTROLLERS
    from benchmarks.campaign.pages import page_of

    for path in paths:
        try:
            page = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UserError(f"expected a page at {path}, got: {error.strerror}") from error
        yield path, page_of(page, cells, ABOUT_CONTROLLERS, curves, worlds, quoted)


def draw_curves(
    curves: Sequence[Mapping[str, Any]], cells: Sequence[Cell], directory: Path
) -> Iterator[Path]:
    """A picture a protocol, beside the curves' own table; each is written when it is asked for."""
    from agent.reporting.style import save_png
    from benchmarks.campaign.figures import learning_figures

    for protocol, figure in learning_figures(curves, cells):
        yield save_png(figure, directory / f"{protocol}.png")
