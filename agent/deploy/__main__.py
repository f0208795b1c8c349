"""See an exported controller steer the simulated arm, without torch.

    python -m agent.deploy exported/reacher --goal-seed 7

Prints how near each episode ended and how long a tick took.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from agent.deploy.controller import OnnxController
from agent.errors import DamagedDataError, MachineError, UserError
from agent.interfaces import Array, GoalObservation, Image
from envs import ReacherSimulator, Renderer, sample_pose, wrap_angle

EXIT_CODES = {UserError: 2, DamagedDataError: 3, MachineError: 4}


class Bench:
    """The simulated arm, its camera, and a controller, one episode after another."""

    def __init__(self, controller: OnnxController) -> None:
        self._controller = controller
        self._arm = ReacherSimulator()
        self._camera = Renderer(self._arm, controller.render_profile, controller.image_size)

    def play(self, seed: int, seconds: float) -> tuple[float, list[float]]:
        """From one random pose to another: the larger joint error [rad], and ms of each tick."""
        rng = np.random.default_rng(seed)
        goal_rad, start_rad = sample_pose(rng), sample_pose(rng)
        picture = self._camera.render_pose(goal_rad)
        self._arm.reset(start_rad)
        self._controller.reset([self._seen(picture)], [seed])
        spent_ms = []
        for _ in range(round(seconds / self._controller.settings.control_dt_s)):
            observation = self._seen(picture)
            before_s = time.perf_counter()
            torques = self._controller.act([observation])
            spent_ms.append(1e3 * (time.perf_counter() - before_s))
            self._arm.step(torques[0])
        return float(_error_rad(self._arm.qpos_rad, goal_rad)), spent_ms

    def _seen(self, goal: Image) -> GoalObservation:
        unknown = np.zeros(4)
        return GoalObservation(self._camera.render_pose(self._arm.qpos_rad), goal, unknown, unknown)


def _error_rad(pose_rad: Array, goal_rad: Array) -> Array:
    difference: Array = np.abs(wrap_angle(pose_rad - goal_rad)).max()
    return difference


def main() -> int:
    """Play the episodes that were asked for; returns the exit code."""
    options = _parse()
    try:
        bench = Bench(OnnxController(options.directory, options.threads))
    except tuple(EXIT_CODES) as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_CODES[type(error)]
    spent_ms = []
    for seed in range(options.goal_seed, options.goal_seed + options.episodes):
        error_rad, ticks_ms = bench.play(seed, options.seconds)
        spent_ms += ticks_ms[1:]  # onnxruntime plans its memory at the first
        print(f"goal {seed}: ended {error_rad:.3f} rad from it")
    p50, p95 = np.percentile(spent_ms, [50, 95])
    print(f"a tick: {p50:.1f} ms median, {p95:.1f} ms p95, {options.threads} thread(s)")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m agent.deploy", description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, help="written by run_agent.py export --onnx")
    parser.add_argument("--goal-seed", type=int, default=0, help="decides start and goal pose")
    parser.add_argument("--episodes", type=int, default=1, help="that many seeds in a row")
    parser.add_argument("--seconds", type=float, default=4.0, help="simulated, each episode")
    parser.add_argument("--threads", type=int, default=1, help="of onnxruntime")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
