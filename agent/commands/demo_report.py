"""The pictures, films and page that ``demo`` ends with."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.commands.progress import progress
from agent.commands.steering import steer
from agent.config import preset
from agent.control.mpc import WorldModelController
from agent.control.torch_model import TorchModel
from agent.data import RolloutStore
from agent.evaluation.provenance import hardware
from agent.evaluation.statistics import in_digits
from agent.extras import version_of
from agent.model.checkpoint import load_checkpoint
from agent.model.shipped import find_checkpoint
from agent.reporting.imagination import draw_strip, imagine
from agent.reporting.landscape import draw_landscape, drawn_columns, survey
from agent.reporting.report import Clip, RunReport, write_run_report
from agent.reporting.style import save_png
from agent.reporting.video import write_video
from agent.training.recorder import read_metrics
from envs import Posable, World, episodes_of, make_world, task_named

if TYPE_CHECKING:
    from agent.commands.demo import Demo
    from agent.commands.stages import Stages
    from agent.model.world_model import WorldModel

PACKAGES = ("torch", "mujoco", "dm-control", "gymnasium", "stable-baselines3")
GOAL_SEED = 1  # of the map
FILMS = 3
STRIP_NAME, LANDSCAPE_NAME, REPORT_NAME = "imagination.png", "landscape.png", "report.html"


def pictures_of_demo() -> tuple[str, ...]:
    """The names of the files that are written here."""
    films = (_film_name(number) for number in range(FILMS))
    return (REPORT_NAME, STRIP_NAME, LANDSCAPE_NAME, *films)


def _film_name(number: int) -> str:
    return f"film-{number + 1}.webm"


def write_demo_report(demo: Demo, results: Sequence[dict[str, Any]], stages: Stages) -> None:
    """Draw, film and write ``report.html``, which counts the time until it is written."""
    model = load_checkpoint(find_checkpoint(demo.world_model))
    with closing(make_world(demo.world)) as world:
        strip, landscape = _strip(demo, model), _landscape(demo, model, world)
    clips = _films(demo, model, str(results[0]["protocol"]))
    report = RunReport(
        spec=model.spec,
        results=results,
        metrics=read_metrics(demo.world_model),
        strip=strip,
        landscape=landscape,
        clips=clips,
        stages=stages.so_far(),
        hardware=hardware(),
        versions={name: version for name in PACKAGES if (version := version_of(name))},
        date=datetime.date.today().isoformat(),
    )
    write_run_report(demo.place / REPORT_NAME, report)


def _strip(demo: Demo, model: WorldModel) -> Any:
    """Real and imagined frames of a held-out episode, as far ahead as it is long."""
    store = RolloutStore.open(demo.data)
    share, least = preset(demo.preset).training.holdout_fraction, model.config.memory_frames
    train, held_out = store.split(share, least)
    episodes, block = store.load(), model.config.action_block
    longest = int(held_out[np.argmax(episodes.ep_len[held_out])])
    before = (model.context - 1) * block
    steps = min(16, (int(episodes.ep_len[longest]) - 1 - before) // block)
    start = max(before, min(40, int(episodes.ep_len[longest]) - 1 - steps * block))
    strip = draw_strip(imagine(model, episodes, train.tolist(), longest, start, steps))
    save_png(strip, demo.place / STRIP_NAME)
    return strip


def _landscape(demo: Demo, model: WorldModel, world: World) -> Any:
    """The map of distances to a goal; None where the world has none to draw."""
    if not isinstance(world, Posable) or drawn_columns(world.spec) is None:
        return None
    goal = world.sample_state(np.random.default_rng(GOAL_SEED))
    landscape = draw_landscape(survey(model, world, goal))
    save_png(landscape, demo.place / LANDSCAPE_NAME)
    return landscape


def _films(demo: Demo, model: WorldModel, protocol: str) -> list[Clip]:
    """The first episodes of a task, whatever their outcome."""
    with closing(make_world(demo.world)) as world:
        task = task_named(protocol, world)
        episodes = episodes_of(task, world, range(FILMS), demo.evaluation_seed)
    clips = []
    for number, episode in enumerate(episodes):
        controller = WorldModelController(TorchModel(model))
        with progress(f"film {number + 1} of {FILMS}, ticks") as update:
            ticks, make = task.budget_steps, partial(make_world, demo.world)
            steered = steer(controller, make, episode, ticks, update, partial(make, ""))
        path: Path = demo.place / _film_name(number)
        write_video(path, steered.frames, 1.0 / model.spec.step_s)
        verdict = steered.trial.verdict
        error = (
            f", final error {in_digits(verdict.final_error)} {verdict.unit}" if verdict.unit else ""
        )
        early = ", ended early by the world" if steered.ended_early else ""
        clips.append(Clip(path, f"{protocol}{error}{early}"))
    return clips
