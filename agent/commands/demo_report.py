"""The pictures, films and page that ``demo`` ends with."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from agent.commands.demo import Demo
    from agent.model.world_model import WorldModel
    from agent.reporting.making import Stage
    from agent.reporting.report import Clip
    from agent.reporting.results_table import Experience

PACKAGES = ("torch", "mujoco", "dm-control", "gymnasium", "stable-baselines3")
LANDSCAPE_GOAL_RAD = np.array([0.5, -1.2])
STRIP_START = 40  # env step of the last frame the imagined strip sees
FILMS = 3


def write_demo_report(
    demo: Demo, results: Sequence[dict[str, Any]], stages: Sequence[Stage]
) -> None:
    """Draw, film and write ``report.html``."""
    from agent.commands.checkpoints import find_checkpoint
    from agent.evaluation.provenance import hardware
    from agent.model.checkpoint import checkpoint_facts, load_checkpoint
    from agent.reporting.report import RunReport, write_run_report
    from agent.training.recorder import read_metrics

    checkpoint = find_checkpoint(demo.world_model)
    model, facts = load_checkpoint(checkpoint), checkpoint_facts(checkpoint)
    strip, landscape = _figures(demo, model)
    report = RunReport(
        results=results,
        experience=_experience(demo, facts, stages),
        metrics=read_metrics(demo.world_model),
        strip=strip,
        landscape=landscape,
        clips=_films(demo, model),
        stages=stages,
        hardware=hardware(),
        versions={name: version(name) for name in PACKAGES},
        date=datetime.date.today().isoformat(),
    )
    write_run_report(demo.out / "report.html", report)


def _experience(
    demo: Demo, facts: dict[str, Any], stages: Sequence[Stage]
) -> dict[str, Experience]:
    from agent.reporting.results_table import Experience

    seconds = {stage.name: stage.seconds for stage in stages}
    return {
        "world-model": Experience(facts["env_steps"], facts["training_s"]),
        "sac": Experience(demo.sac_env_steps, seconds["SAC"]),
    }


def _figures(demo: Demo, model: WorldModel) -> tuple[Any, Any]:
    from agent.config import preset
    from agent.data import RolloutStore
    from agent.reporting.figures import cost_landscape, imagined_strip, save_png
    from envs import ReacherSimulator, Renderer

    store = RolloutStore.open(demo.data)
    train, held_out = store.split(preset(demo.preset).training.holdout_fraction)
    start = min(STRIP_START, store.header.episode_steps // 2)
    strip = imagined_strip(model, store.load(), train.tolist(), int(held_out[0]), start)
    profile, size = model.config.render_profile, model.config.encoder.image_size
    with Renderer(ReacherSimulator(), profile, size) as renderer:
        landscape = cost_landscape(model, renderer, LANDSCAPE_GOAL_RAD)
    save_png(strip, demo.out / "imagination.png")
    save_png(landscape, demo.out / "landscape.png")
    return strip, landscape


def _films(demo: Demo, model: WorldModel) -> list[Clip]:
    """The first episodes of `anywhere`, whatever their outcome."""
    from agent.commands.progress import progress
    from agent.control.mpc import WorldModelController
    from agent.evaluation.protocols import protocol_named
    from agent.reporting.film import FRAMES_PER_S, Studio
    from agent.reporting.report import Clip
    from agent.reporting.video import write_video

    protocol = protocol_named("anywhere")
    studio = Studio(model.config.render_profile, model.config.encoder.image_size)
    clips = []
    for number, spec in enumerate(protocol.episodes(FILMS, demo.evaluation_seed)):
        goal = studio.goal_at(spec.goal_qpos_rad)
        with progress(f"film {number + 1} of {FILMS}, ticks") as update:
            film = studio.film(
                WorldModelController(model), spec.start_qpos_rad, goal,
                protocol.budget_steps, spec.seed, update,
            )  # fmt: skip
        path: Path = demo.out / f"film-{number + 1}.webm"
        write_video(path, film.frames, FRAMES_PER_S)
        clips.append(Clip(path, f"anywhere, final error {film.errors_rad[-1]:.3f} rad"))
    studio.close()
    return clips
