"""What ``diagnose`` writes: a page, verdicts first, then the figures behind them; and a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.diagnosis import Diagnosis, Finding
from agent.diagnosis.figures import (
    gaussian_figure,
    noise_figure,
    spectrum_figure,
    time_figure,
)
from agent.files.json_files import write_json
from agent.reporting import html
from agent.reporting.markup import Markup, element, joined

TITLE = "Can LeJEPA learn this world's own variables?"
MARKS = {"holds": "\N{CHECK MARK}", "roughly": "~", "fails": "\N{MULTIPLICATION X}", "unclear": "?"}

ASKING = ("roughly", "fails", "unclear")
SCHEMA = "lejepa-agent/diagnosis/1"
CAUTION = (
    "The theory knows no actions, no angles that go round, and no spare directions: a failed "
    "condition is a warning, not a proof that control fails."
)


def write_diagnosis(path: Path, found: Sequence[Diagnosis], sources: Mapping[str, str]) -> Path:
    """Write everything ``found``, one chapter a subject, as one HTML file.

    UserError or MachineError if nothing can be written there.
    """
    return html.write_report(path, TITLE, _head(found, sources), [_section(one) for one in found])


def write_record(path: Path, found: Sequence[Diagnosis], about: Mapping[str, Any]) -> None:
    """Write all of ``found`` for programs, and ``about`` beside it: where it comes from.

    UserError or MachineError if nothing can be written there.
    """
    write_json(path, {"schema": SCHEMA, **about, "subjects": [_subject(one) for one in found]})


def _subject(found: Diagnosis) -> dict[str, Any]:
    names = ("question", "test", "level", "effect", "p")
    lines = [{name: getattr(line, name) for name in names} for line in found.findings]
    read = {} if found.readings is None else {"readings": asdict(found.readings)}
    return {"name": found.data.name, "about": found.about, "findings": lines, **read}


def _head(found: Sequence[Diagnosis], sources: Mapping[str, str]) -> Markup:
    lead = (
        "In theory (Klindt, LeCun & Balestriero 2026, arXiv:2605.26379) LeJEPA recovers a world's "
        "variables up to a rotation if they are Gaussian, stationary, driven by noise that adds, "
        f"and all of one speed. {CAUTION}"
    )
    reading = (
        "Verdicts rest on the size of an effect, measured on all rows. With enough data every "
        "p-value is small; it only says whether the effect might be chance ('unclear')."
    )
    return joined([
        html.paragraph(lead, kind="lead"),
        html.paragraph(reading),
        html.facts(sources),
        html.tiles(_tile(one) for one in found),
    ])  # fmt: skip


def _tile(found: Diagnosis) -> Markup:
    levels = [line.level for line in found.findings]
    note = ", ".join(
        f"{levels.count(level)} {word}"
        for level, word in (("roughly", "roughly"), ("fails", "not"), ("unclear", "unclear"))
        if level in levels
    )
    return html.tile(
        f"{levels.count('holds')} of {len(levels)}", f"hold for {found.data.name}", note
    )


def _section(found: Diagnosis) -> html.Section:
    anchor = found.data.name.replace(" ", "-")
    about = html.paragraph(f"{found.about.capitalize()}. {found.thinning}", kind="made")
    header = ("Question", "Verdict", "Effect", "p", "What it means, and what to do")
    verdicts = html.table(header, [_line(line) for line in found.findings], wordy=True)
    body = joined([about, verdicts, *_pictures(found)])
    return html.Section(anchor, found.data.name.capitalize(), body)


def _line(line: Finding) -> Markup:
    verdict = element("strong", f"{MARKS[line.level]}\N{NO-BREAK SPACE}{line.level}")
    advice = (
        html.with_note(line.means, f"Do: {line.advice}")
        if line.level in ASKING
        else "Nothing to do."
    )
    question = html.with_note(line.question, line.test)
    return html.row(question, verdict, line.effect, line.p_text, advice)


def _pictures(found: Diagnosis) -> list[Markup]:
    return [
        html.picture(
            gaussian_figure(found), "Quantiles, a histogram, skewness and kurtosis",
            "Left: sorted values against those of a Gaussian; on the dashed line all is well, an S "
            "means short tails, a reversed S long ones. Middle: the column farthest from "
            "Gaussian. Right: each point is a direction, coloured ones are the columns; all "
            "belong in the shaded square around zero.",
        ),
        html.picture(
            time_figure(found), "Mean and spread over time and over episodes",
            "Each line is a principal direction in its own standard deviations. Level lines are "
            "stationary. A fan that opens is motion that starts from rest; a slope in the lower "
            "row is something that changed while recording.",
        ),
        html.picture(
            noise_figure(found), "Size of the noise by state and by episode",
            "Left: the size of what cannot be foreseen, from the quietest tenth of the states to "
            "the loudest; level is additive. Right: each point is an episode, its noise early and "
            "late; a round cloud is one world, a diagonal is a strength of its own per episode.",
        ),
        html.picture(
            spectrum_figure(found), "Variance and forgetting rate of each direction",
            "Left: variance of each direction; below the dashed line it is dead. Right: how fast "
            "each live direction forgets, relative to the slowest; above the dashed line the "
            "square of the slowest outlasts it.",
        ),
    ]  # fmt: skip
