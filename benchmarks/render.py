"""Frames per second of both render profiles, side by side in one process.

Each repeat draws the same random poses with one after the other, so that a change of the
machine's load meets both; the ratio is the median over repeats. ``physics.render`` is dm_control's
own call, which builds a scene for every frame.

    python benchmarks/render.py --json results/render.json
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from envs import configure_gl
from envs.reacher import ReacherSimulator, arm_camera, sample_pose

Draw = Callable[[Any], Any]
DMC_FRAMES = 60
FAST_FRAMES = 1200  # about as long as the slow ones take


def main() -> None:
    """Measure, print a table, and write JSON if asked."""
    arguments = _parse()
    result = measure(arguments.repeats, arguments.size)
    for name, rate in result["frames_per_s"].items():
        print(_row(name, rate, "frames/s"))
    print(_row("fast / dmc", result["fast_over_dmc"], "times"))
    if arguments.json is not None:
        write_json(arguments.json, {**_made_by(), **result})


def measure(repeats: int, size: int) -> dict[str, Any]:
    """Median, lowest and highest frames/s of each way to draw, and the ratio of the profiles."""
    simulator = ReacherSimulator()
    rng = np.random.default_rng(0)
    poses = [sample_pose(rng) for _ in range(FAST_FRAMES)]
    with closing(arm_camera("dmc", size)) as dmc, closing(arm_camera("fast", size)) as fast:
        ways = {
            "physics.render": (_dm_control(simulator, size), DMC_FRAMES),
            "dmc": (dmc.draw, DMC_FRAMES),
            "fast": (fast.draw, FAST_FRAMES),
        }
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for repeat in range(-1, repeats):  # the first round warms up
            for name, (draw, frames) in ways.items():
                rate = _frames_per_s(draw, poses[:frames])
                rates[name] += [rate] if repeat >= 0 else []
    ratios = [f / d for f, d in zip(rates["fast"], rates["dmc"], strict=True)]
    return {
        "image_size": size,
        "repeats": repeats,
        "frames_per_s": {name: _summary(values) for name, values in rates.items()},
        "fast_over_dmc": _summary(ratios),
    }


def _row(name: str, figure: dict[str, float], unit: str) -> str:
    low, median, high = (figure[key] for key in ("low", "median", "high"))
    return f"{name:16s}{median:8.1f} {unit}  (from {low:.1f} to {high:.1f})"


def _dm_control(simulator: ReacherSimulator, size: int) -> Draw:
    def draw(pose: Any) -> Any:
        simulator.reset(pose)
        return simulator.physics.render(size, size, camera_id=0)

    return draw


def _frames_per_s(draw: Draw, poses: list[Any]) -> float:
    started = time.perf_counter()
    for pose in poses:
        draw(pose)
    return len(poses) / (time.perf_counter() - started)


def _summary(values: list[float]) -> dict[str, float]:
    low, median, high = min(values), statistics.median(values), max(values)
    return {"median": round(median, 2), "low": round(low, 2), "high": round(high, 2)}


def _made_by() -> dict[str, Any]:
    return {
        "command": " ".join(["python", "benchmarks/render.py", *sys.argv[1:]]),
        **circumstances(),
        "opengl": _opengl(),
        "mujoco_gl": configure_gl(),
        "lp_num_threads": os.environ["LP_NUM_THREADS"],
        "versions": {name: importlib.metadata.version(name) for name in ("mujoco", "dm-control")},
    }


def _opengl() -> str:
    """What draws: a software rasteriser or a graphics card."""
    gl: Any = importlib.import_module("OpenGL.GL")
    simulator = ReacherSimulator()
    with simulator.physics.contexts.gl.make_current():
        return str(gl.glGetString(gl.GL_RENDERER), "ascii")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=9, help="rounds of all ways (default 9)")
    parser.add_argument("--size", type=int, default=64, help="side of a frame in pixels")
    parser.add_argument("--json", type=Path, help="write the figures and circumstances here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
