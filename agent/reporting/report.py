"""The report of a whole run, from data to a steered world: what ``demo`` writes at its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from agent.reporting import html
from agent.reporting.bars import results_bars
from agent.reporting.curves import learning_curves
from agent.reporting.making import Stage, stages_table, trail
from agent.reporting.markup import Markup, element, joined
from agent.reporting.results_table import (
    OURS,
    duration,
    interval,
    milliseconds,
    percent,
    results_table,
)
from agent.reporting.verdict import verdict
from envs import WorldSpec

# What is to be seen on a figure, and how to read it.
LEARNING = (
    "Curves of training: losses, probe scores, prediction errors, effective rank, SIGReg",
    "Top left: losses fall as the model learns to predict. Top right: how well a straight-line "
    "fit finds the true state in an embedding (1 is perfect); the model was never told "
    "it. Dotted lines ask the same of an embedding imagined ten steps ahead. Bottom left: "
    "the error of predictions that reach further ahead, dark lines late in training. Bottom "
    "right: how many directions the embedding makes use of, which would drop to 1 in a "
    "collapse, and how far it is from the Gaussian that SIGReg asks for.",
)
IMAGINATION = (
    "Real frames above, imagined frames below, at growing times after the last frame seen",
    "Above is what happened in an episode kept from training. Below is what the model, which "
    "saw nothing after the first column and was told only the actions, believed would happen. "
    "It cannot draw: each of its predictions is shown as the training frame whose embedding "
    "is nearest. The number is how far the true states of the two pictures are apart.",
)
LANDSCAPE = (
    "Two heat maps of the distance to a goal over the states of the world",
    "Every point is a state of the world, the cross is the goal. Dark is near, by the model's "
    "own measure. A planner that goes downhill arrives from wherever there is a slope towards "
    "the cross and gets stuck in any other valley. The left map is the measure in use, which "
    "stretches directions that change slowly; the right one is what the embedding gives "
    "without it. Agreement is the rank correlation with the true distance to the goal.",
)


@dataclass(frozen=True)
class Clip:
    """A filmed episode: ``video`` is a .webm or .mp4 that shows the goal beside the scene."""

    video: Path
    caption: str


@dataclass(frozen=True)
class RunReport:
    """All that a report tells.

    ``spec`` of the world; ``results``: dictionaries of
    :func:`agent.evaluation.results.summarise`; ``metrics``: lines of
    :func:`agent.training.recorder.read_metrics`; ``strip`` and ``landscape``: from
    :mod:`agent.reporting.imagination` and ``landscape``, the latter where the world has a map;
    ``versions`` by package; ``date`` as it shall be printed.
    """

    spec: WorldSpec
    results: Sequence[Mapping[str, Any]]
    metrics: Sequence[Mapping[str, Any]]
    strip: Figure
    landscape: Figure | None
    clips: Sequence[Clip]
    stages: Sequence[Stage]
    hardware: str
    versions: Mapping[str, str]
    date: str


def write_run_report(path: Path, run: RunReport) -> Path:
    """Write ``run`` as one HTML file that needs nothing else.

    Raises:
        UserError: if results or metrics are empty, or the place is forbidden.
        MachineError: if the disk is full.
    """
    title = f"A world model of {run.spec.world}, trained from pixels"
    return html.write_report(path, title, _head(run), sections_of(run))


def sections_of(run: RunReport) -> list[html.Section]:
    """The chapters, most important first."""
    sections = [
        html.Section("results", "Results", _results(run)),
        html.Section("films", "On film", _films(run.clips)),
        html.Section(
            "learning", "How it learned", html.picture(learning_curves(run.metrics), *LEARNING)
        ),
        html.Section("imagination", "What it imagines", html.picture(run.strip, *IMAGINATION)),
    ]
    if run.landscape is not None:
        body = html.picture(run.landscape, *LANDSCAPE)
        sections.append(html.Section("landscape", "How far is the goal?", body))
    made = joined([stages_table(run.stages), trail(run.results, run.hardware, run.versions)])
    return [*sections, html.Section("making", "How this was made", made)]


def _head(run: RunReport) -> Markup:
    lead = (
        f"A LeJEPA world model watched {run.spec.world} being moved at random and was trained to "
        "predict what actions do to the camera picture: no reward, no state, no decoder. Given the "
        "picture of a goal, a planner asks it which actions lead there."
    )
    made = f"Made {run.date} on {run.hardware}."
    said = (html.paragraph(line) for line in verdict(run.results, run.metrics))
    return joined([
        html.paragraph(lead, kind="lead"),
        html.paragraph(made, kind="made"),
        html.tiles(_tiles(run)),
        *said,
    ])  # fmt: skip


def _tiles(run: RunReport) -> Iterable[Markup]:
    ours = [result for result in run.results if result["controller"] == OURS]
    for result in ours[:2]:
        rate, held = result["first_touch"], percent(result["held"])
        note = f"95 %: {interval(rate)}; held {held} %"
        yield html.tile(f"{percent(rate)} %", f"first touch, {result['protocol']}", note)
    for result in ours[:1]:
        slow = milliseconds(result["decision_ms"]["p95"])
        note = f"95 of 100 are faster; a control tick is {1e3 * run.spec.step_s:.0f} ms"
        yield html.tile(f"{slow} ms", "from picture to action", note)
        bought = result["bought_with"]
        steps = bought["env_steps"]
        seen_s = None if steps is None else steps * run.spec.step_s
        note = f"on {duration(seen_s)} of recorded motion"
        yield html.tile(duration(bought["training_s"]), "training from scratch", note)
    total_s = sum(stage.seconds for stage in run.stages)
    yield html.tile(duration(total_s), "the whole run", "recording, training, evaluation, films")


def _results(run: RunReport) -> Markup:
    reading = (
        "Longer is better. Pale bars: the world came within tolerance of the goal at some moment. "
        "Dark bars: it also stayed there to the end. Where two black whiskers overlap, the "
        "difference may be chance. random and noop are the floor."
    )
    alt = "Bars of success rates by controller and protocol; the numbers are in the table"
    bars = html.picture(results_bars(run.results), alt, reading)
    return joined([results_table(run.results), bars])


def _films(clips: Sequence[Clip]) -> Markup:
    reading = (
        "Left in each film is the world, right the goal picture the controller was given. The "
        "error above is the distance of the true state to the goal's; the controller never sees it."
    )
    players = (html.video(clip.video, clip.caption) for clip in clips)
    return joined([html.paragraph(reading), element("div", *players, class_="films")])
