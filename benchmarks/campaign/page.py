"""The page of all results: tables, pairs, bars, learning curves, planners, what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from agent.reporting.html import Section, fold, notes, paragraph, picture, row, table, write_report
from agent.reporting.markup import Markup, element, joined
from benchmarks.campaign.cells import Cell
from benchmarks.campaign.comparison_tables import differences_table, goals_table, returns_table
from benchmarks.campaign.figures import learning_figures, rates_figures, returns_figure
from benchmarks.campaign.pareto import pareto
from benchmarks.campaign.words import definitions_of, main_and_variants, summary_of

TITLE = "World model against its rivals"
LEAD = (
    "Every controller plays the same episodes, with starts and goals that no training has seen. "
    "A world model learned from pixels, rivals that learned from the true state or a reward, and "
    "floors and ceilings that learned nothing stand side by side, each with what it cost."
)
INTERVALS = (
    "means over training seeds with 95 % intervals over seeds and episodes: both are drawn anew "
    "4000 times, every draw keeping the cross of the two (Owen 2007). A rate's interval is never "
    "narrower than Wilson's on as many episodes. With one training seed the interval says nothing "
    "of other seeds; with three it still promises a little too much."
)
TOUCH = (
    "first touch is being within 0.05 rad of the goal on both joints at any moment; held is being "
    "within it for the whole last 0.4 s. Episodes solved at the start do not count."
)


@dataclass(frozen=True)
class Comparison:
    """All that the page tells; any part may be empty.

    ``cells`` in the order of the page; ``about`` by controller; ``curves`` points of them;
    ``planners`` rows of ``planners.json``; ``studies`` figures by name; ``missing`` lines on what
    is not there.
    """

    cells: Sequence[Cell]
    about: Mapping[str, str]
    curves: Sequence[Mapping[str, Any]]
    planners: Sequence[Mapping[str, Any]]
    studies: Mapping[str, Figure]
    missing: Sequence[str]
    date: str


def write_comparison(path: Path, comparison: Comparison) -> Path:
    """Write the page as one HTML file that needs nothing else.

    Raises:
        UserError, MachineError: if nothing can be written there.
    """
    found = " ".join(summary_of(comparison.cells))
    head = joined(
        [
            paragraph(LEAD, kind="lead"),
            *([paragraph(found)] if found else []),
            paragraph(f"Made {comparison.date}.", kind="made"),
        ]
    )
    return write_report(path, TITLE, head, list(sections_of(comparison)))


def sections_of(comparison: Comparison) -> Iterable[Section]:
    """The chapters there is something to say in."""
    cells = comparison.cells
    goals = [cell for cell in cells if not cell.has_return]
    rewarded = [cell for cell in cells if cell.has_return]
    if goals:
        yield Section("goals", "Reaching goals", _goals(goals, comparison.about))
    if rewarded:
        yield Section("reward", "dm_control's own reward", _reward(rewarded, comparison.about))
    if cells:
        yield Section("pairs", "The world model against each", _pairs(cells))
    if comparison.curves:
        yield Section("learning", "What experience buys", _learning(comparison))
    if comparison.planners:
        yield Section("planners", "Planners", _planners(comparison.planners))
    if comparison.studies:
        yield Section("studies", "When the world is identified", _studies(comparison.studies))
    yield Section("missing", "What is missing", _missing(comparison.missing))
    if cells:
        yield Section("making", "How this was made", _making(cells))


def _goals(cells: Sequence[Cell], about: Mapping[str, str]) -> Markup:
    reading = (
        "Longer is better. Pale bars: first touch, dark bars: held. Whiskers are the intervals of "
        "the table; where two overlap, the pairs below decide, as they compare episode by episode."
    )
    alt = "Bars of success rates by controller and protocol; the numbers are in the table"
    main, variants = main_and_variants(cells)
    bars = [picture(figure, alt, reading) for figure in rates_figures(main)]
    known = notes([("Figures", INTERVALS), ("Rates", TOUCH), *definitions_of(main)])
    parts = [goals_table(main, about), known, *bars] if main else [known]
    if variants:
        more = [picture(figure, alt, reading) for figure in rates_figures(variants)]
        inside = joined(
            [goals_table(variants, about), notes(list(definitions_of(variants))), *more]
        )
        parts.append(fold("Longer goals, other budgets, starts at rest", inside))
    return joined(parts)


def _reward(cells: Sequence[Cell], about: Mapping[str, str]) -> Markup:
    reading = (
        "One for every physics step of 1000 with the fingertip on the target. Pale bars: the mean; "
        "dark bars: the mean of the middle half of all episodes. The world model never saw this "
        "reward: its goal is a picture of the arm with its fingertip on the target."
    )
    alt = "Bars of returns by controller; the numbers are in the table"
    known = notes(list(definitions_of(cells)))
    return joined(
        [returns_table(cells, about), known, picture(returns_figure(cells), alt, reading)]
    )


def _pairs(cells: Sequence[Cell]) -> Markup:
    reading = (
        "World model minus the other, on the episodes both played: what makes an episode hard "
        "cancels. Points are per cent of episodes; on dm_control's reward, return."
    )
    main, variants = main_and_variants(cells)
    parts = [paragraph(reading), differences_table(main)]
    if variants:
        parts.append(fold("The variants", differences_table(variants)))
    return joined(parts)


def _learning(comparison: Comparison) -> Markup:
    reading = (
        "Left against experience, right against the wall clock of training, both on a log scale. "
        "Thin lines are training seeds, thick ones their mean at the env steps that every seed has."
    )
    return joined(
        picture(figure, f"Learning curves on {name}", reading)
        for name, figure in learning_figures(comparison.curves, comparison.cells)
    )


def _planners(rows: Sequence[Mapping[str, Any]]) -> Markup:
    reading = (
        "The same model, cost and horizon, another search: success against the time of a tick. "
        "Points of one planner are its budgets; what lies right of the dashed line cannot be done "
        "at every control tick."
    )
    return picture(pareto(rows), "Success against the time of a tick by planner", reading)


def _studies(figures: Mapping[str, Figure]) -> Markup:
    reading = "see docs/identifiability.md for the study and its figures."
    return joined(
        picture(figure, f"Study {name}", f"{name}: {reading}") for name, figure in figures.items()
    )


def _missing(lines: Sequence[str]) -> Markup:
    if not lines:
        return paragraph("Nothing: every run of the comparison is there.")
    items = (element("li", line) for line in lines)
    return joined([paragraph("Not measured, or not shown:"), element("ul", *items)])


def _making(cells: Sequence[Cell]) -> Markup:
    results = [result for cell in cells for result in cell.results]
    lines = [
        row(
            f"{r['controller']}, {r['protocol']}",
            "" if r["training_seed"] is None else str(r["training_seed"]),
            r["date"][:10],
            r["commit"] or "not recorded",
            r["hardware"],
            element("code", r["command"] or "not recorded"),
        )
        for r in results
    ]
    header = ("Run", "Training seed", "Date", "Commit", "Machine", "Command")
    return fold(f"{len(results)} runs, their commands and machines", table(header, lines, True))
