"""Rounds of control, evaluation, and environments made and closed: is anything left behind?

    .venv/bin/python -m benchmarks.long_runs --minutes 600 --json results/reliability/long-runs.json

After each round: resident memory, files open, threads, processes begun, folders in the temporary
directory and OpenGL contexts. All but memory must be what they were after the first round; memory
has a slope, over the rounds after the first fifth, with its standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.commands.console import note
from agent.commands.controllers import make_controller
from agent.evaluation.play import evaluate
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from agent.model.checkpoint import load_checkpoint
from envs import WorldSpec, make_world, task_named

WORLDS = ("reacher", "two-room", "dmc:cartpole-swingup")
PROTOCOL = "anywhere"  # 100 ticks an episode
EVALUATED = 25  # episodes at a time
WARM_UP = 0.2  # of the rounds, in which libraries fill their caches


@dataclass(frozen=True)
class Held:
    """What this process holds; ``temporary`` counts entries of the temporary directory."""

    rss_mb: float
    files: int
    threads: int
    processes: int
    temporary: int
    contexts: int


def held() -> Held:
    """What is held now, after everything that nobody refers to is gone; Linux alone tells.

    Freed memory that malloc kept for later is given back first: it is not held.
    """
    gc.collect()
    with contextlib.suppress(AttributeError):  # of a libc that is not glibc
        ctypes.CDLL(None).malloc_trim(0)
    own = Path("/proc/self")
    pages = int((own / "statm").read_text().split()[1])
    children = [task / "children" for task in (own / "task").iterdir()]
    return Held(
        rss_mb=pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        files=len(list((own / "fd").iterdir())) - 1,  # the listing's own
        threads=len(children),
        processes=sum(len(path.read_text().split()) for path in children if path.exists()),
        temporary=len(list(Path(tempfile.gettempdir()).iterdir())),
        contexts=_contexts(),
    )


def _contexts() -> int:
    rendering = sys.modules.get("dm_control._render.base")
    if rendering is None:
        return 0  # nothing was drawn; imported here it would choose a backend
    return sum(issubclass(type(thing), rendering.ContextBase) for thing in gc.get_objects())


def make_and_close(worlds: tuple[str, ...], count: int) -> None:
    """Make ``count`` environments of each world side by side, draw a frame of each, close them."""
    rng = np.random.default_rng(0)
    for name in worlds:
        made = [make_world(name) for _ in range(count)]
        for world in made:
            world.reset(rng)
            world.step(np.zeros(world.spec.action_dim))
            world.frame()
        for world in made:
            world.close()


def play(checkpoint: Path, spec: WorldSpec, episodes: int, seed: int) -> None:
    """Make the controller anew and play: one episode as ``control`` does, several together."""
    make = partial(make_world, spec.world, spec.look, spec.image_size[0])
    with closing(make()) as world:
        task = task_named(PROTOCOL, world)
    controller = make_controller("world-model", checkpoint, spec)
    evaluate(controller, task, make, episodes, seed, batch=EVALUATED, timed_episodes=1)


def rounds(checkpoint: Path, minutes: float, environments: int) -> Iterator[tuple[float, Held]]:
    """Hours since the beginning, and what is held, after each round until ``minutes`` are over."""
    spec, began_s, seed = load_checkpoint(checkpoint).spec, time.monotonic(), 0
    while time.monotonic() - began_s < 60 * minutes:
        make_and_close(WORLDS, environments)
        play(checkpoint, spec, 1 + EVALUATED, seed)
        seed += 1
        yield (time.monotonic() - began_s) / 3600, held()


def summary(hours: list[float], seen: list[Held]) -> dict[str, Any]:
    """What was left after the last round beside the first, and the slope of memory [MB/h]."""
    first, last = asdict(seen[0]), asdict(seen[-1])
    skipped = int(WARM_UP * len(seen))
    slope, error = _slope(np.array(hours[skipped:]), np.array([h.rss_mb for h in seen[skipped:]]))
    return {
        "rounds": len(seen),
        "hours": round(hours[-1], 3),
        "left": {name: last[name] - first[name] for name in first if name != "rss_mb"},
        "rss_mb": {"first": round(first["rss_mb"], 1), "last": round(last["rss_mb"], 1)},
        "rss_mb_per_hour": slope,
        "rss_mb_per_hour_error": error,
    }


def _slope(times: Any, values: Any) -> tuple[float | None, float | None]:
    if len(times) < 4:
        return None, None  # no line through so few
    fit, spread = np.polyfit(times, values, 1, cov=True)
    return round(float(fit[0]), 2), round(float(np.sqrt(spread[0, 0])), 2)


def main() -> None:
    """Measure, print, and write JSON if asked."""
    arguments = _parse()
    torch.set_num_threads(1)
    hours: list[float] = []
    seen: list[Held] = []
    with tempfile.TemporaryDirectory() as tempfile.tempdir:  # other programs leave things, too
        for hour, now in rounds(arguments.checkpoint, arguments.minutes, arguments.environments):
            hours.append(hour)
            seen.append(now)
            note(f"{60 * hour:.1f} min: {now}")
    made = len(WORLDS) * arguments.environments + 2 + EVALUATED
    result = {
        "command": f"python -m benchmarks.long_runs --minutes {arguments.minutes:g} "
        f"--environments {arguments.environments}",
        "checkpoint": str(arguments.checkpoint), "worlds": WORLDS,
        "environments": made * len(seen), "episodes": (1 + EVALUATED) * len(seen),
        **summary(hours, seen), **circumstances(),
    }  # fmt: skip
    note(json.dumps(result))
    if arguments.json:
        write_json(arguments.json, result)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--environments", type=int, default=10, help="of each world, each round")
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoints/reacher"))
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
