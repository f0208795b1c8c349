"""``report``: one page and the tables of the Markdown pages, made from result files alone."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from agent.evaluation.cells import Cell

PAGES = ("README.md", "docs/results.md")  # of the repository that DIR is in


@dataclass(frozen=True)
class Report:
    """Make tables and figures of all results: one HTML page, learning curves, Markdown tables.

    Reads comparison/, curves/, planners.json, identifiability/ and identifiability-full/ of the
    directory. What is not there yet is listed on the page. A file of another schema is named and
    nothing is written.

    Examples:
      python run_agent.py report results/
      python run_agent.py report results/ --out results/report.html --pages README.md
    """

    results: Annotated[Positional[Path], arg(metavar="DIR")] = Path("results")
    """Where the result files are."""
    out: Annotated[
        Path | None, arg(metavar="FILE", help_behavior_hint="(default: report.html in DIR)")
    ] = None
    """The page."""
    pages: Annotated[
        tuple[Path, ...] | None,
        arg(
            metavar="FILE",
            help_behavior_hint="(default: README.md and docs/results.md beside DIR, if marked)",
        ),
    ] = None
    """Markdown files whose tables between the marks are made anew."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return "No page was written; run the same command again."

    def run(self) -> None:
        """Read everything, then write."""
        from agent.commands import report_inputs as inputs
        from agent.commands.console import say
        from agent.errors import UserError
        from agent.reporting.comparison_page import Comparison, write_comparison

        if not self.results.is_dir():
            raise UserError(f"expected a directory of results, got {self.results}")
        cells, outdated = inputs.cells_in(self.results)
        curves = inputs.curves_in(self.results)
        pages = dict(pages_made(self._pages(), cells, curves))
        comparison = Comparison(
            cells,
            inputs.about_controllers(),
            curves,
            inputs.planner_rows(self.results / inputs.PLANNERS),
            dict(inputs.studies_in(self.results)),
            inputs.gaps_in(self.results, cells, outdated),
            datetime.date.today().isoformat(),
        )
        page = write_comparison(self.out or self.results / "report.html", comparison)
        say(f"wrote {page}: {len(cells)} cells, {len(comparison.missing)} lines of what is missing")
        for picture in draw_curves(comparison.curves, self.results / inputs.CURVES):
            say(f"wrote {picture}")
        for path, text in pages.items():
            path.write_text(text, encoding="utf-8")
            say(f"wrote the tables of {path}")

    def _pages(self) -> list[Path]:
        from agent.reporting.pages import has_parts

        if self.pages is not None:
            return list(self.pages)
        beside = [self.results.resolve().parent / name for name in PAGES]
        return [p for p in beside if p.exists() and has_parts(p.read_text(encoding="utf-8"))]


def pages_made(
    paths: Sequence[Path], cells: Sequence[Cell], curves: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Path, str]]:
    """Each Markdown page with its tables made from ``cells`` and ``curves``; nothing is written.

    Raises:
        UserError: if a page cannot be read or has no marks.
    """
    from agent.commands.report_inputs import about_controllers
    from agent.errors import UserError
    from agent.reporting.pages import page_of

    for path in paths:
        try:
            page = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UserError(f"expected a page at {path}, got: {error.strerror}") from error
        yield path, page_of(page, cells, about_controllers(), curves)


def draw_curves(curves: Sequence[Mapping[str, Any]], directory: Path) -> Iterator[Path]:
    """A picture a protocol, beside the curves' own files; each is written when it is asked for."""
    from agent.reporting.comparison_figures import learning_figures
    from agent.reporting.style import save_png

    for protocol, figure in learning_figures(curves):
        yield save_png(figure, directory / f"{protocol}.png")
