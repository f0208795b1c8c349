"""``python -m agent.export``: play an exported controller, print how it did; see ``__main__``."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np

from agent.control.mpc import WorldModelController
from agent.errors import DamagedDataError, MachineError, UserError
from agent.export.onnx_model import OnnxModel, require_threads
from agent.extras import missing_module
from agent.files.bundle import has_bundle
from agent.interfaces import Goals, Seen
from agent.settings import require_seed
from agent.streams import PatientStream, lost_output
from envs import (
    GLError,
    Posable,
    World,
    WorldError,
    distance_to_goal,
    goal_unit,
    make_world,
    names_code,
    worst_error,
)

SHOWN = PatientStream("stdout")
EXIT_CODES: dict[type[Exception], int] = {
    UserError: 2, WorldError: 2, DamagedDataError: 3, MachineError: 4, GLError: 4,
    ModuleNotFoundError: 4,
}  # fmt: skip
MAX_SECONDS, MAX_EPISODES = 600.0, 10_000


def play(controller: WorldModelController, world: World, seed: int, ticks: int) -> list[float]:
    """From one random state to another, which are said at the end; ms of each tick."""
    rng = np.random.default_rng(seed)
    assert isinstance(world, Posable)
    goal = world.sample_state(rng)
    world.reset(rng)
    controller.reset(Goals(pixels=world.picture(goal)[None]), [seed])
    spent_ms = []
    for _ in range(ticks):
        frame = world.frame()
        before_s = time.perf_counter()
        decision = controller.act(Seen(pixels=frame[None]))
        spent_ms.append(1e3 * (time.perf_counter() - before_s))
        world.step(decision.actions[0])
    worst = float(worst_error(world.spec, world.state(), goal))
    reached = "reached" if distance_to_goal(world.spec, world.state(), goal) < 1 else "missed"
    print(f"goal {seed}: {reached}, ended {worst:.3g} {goal_unit(world.spec)} from it", file=SHOWN)
    return spent_ms


def run(options: argparse.Namespace) -> None:
    """Play the episodes that were asked for."""
    _check(options)
    model = OnnxModel(options.directory, options.threads)
    if names_code(model.spec.world):
        raise UserError(
            f"{options.directory} was made for the world {model.spec.world!r}, which is code: "
            "steer it in a program of your own, as README.md in that directory says"
        )
    if model.spec.is_recording:
        raise UserError(
            f"{options.directory} was learned from recordings, and no world stands behind them: "
            "steer the real thing in a program of your own, as README.md in that directory says"
        )
    spec, told = model.spec, ("look", "image_size")
    world = make_world(spec.world, spec.look, spec.image_size[0], told)
    if not isinstance(world, Posable):
        raise UserError(
            f"expected a world that can be posed, to draw goals, got {model.spec.world}"
        )
    model.spec.require_same(world.spec, "this version's world")
    controller = WorldModelController(model, model.planner, model.control)
    ticks, spent_ms = max(1, round(options.seconds / model.spec.step_s)), []
    for seed in range(options.goal_seed, options.goal_seed + options.episodes):
        spent_ms += play(controller, world, seed, ticks)[1:]  # the first plans its memory
    if not spent_ms:
        print("one tick an episode, the first, is none to time: take more --seconds", file=SHOWN)
        return
    p50, p95 = np.percentile(spent_ms, [50, 95])
    print(f"a tick: {p50:.1f} ms median, {p95:.1f} ms p95, {options.threads} thread(s)", file=SHOWN)


def main() -> int:
    """Returns the exit code."""
    try:
        run(_parse())
        if (lost := lost_output()) is not None:
            raise MachineError(f"what was measured could not be shown: {lost.strerror}")
    except tuple(EXIT_CODES) as error:
        missing = missing_module(error) if isinstance(error, ModuleNotFoundError) else None
        print(f"error: {missing or error}", file=PatientStream("stderr"))
        return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
    return 0


def _check(options: argparse.Namespace) -> None:
    if not (math.isfinite(options.seconds) and 0 < options.seconds <= MAX_SECONDS):
        raise UserError(
            f"expected --seconds above 0 and up to {MAX_SECONDS:g}, got {options.seconds}"
        )
    if not options.directory.parts or not has_bundle(options.directory):
        raise UserError(f"expected a directory that `export` wrote, got {str(options.directory)!r}")
    require_seed(options.goal_seed, "--goal-seed")
    if not 1 <= options.episodes <= MAX_EPISODES:
        raise UserError(f"expected --episodes from 1 to {MAX_EPISODES}, got {options.episodes}")
    require_threads(options.threads, "--threads")


def _parse() -> argparse.Namespace:
    about = "See an exported controller steer its simulated world, without torch."
    parser = argparse.ArgumentParser("python -m agent.export", description=about)
    parser.add_argument("directory", type=Path, help="written by run_agent.py export --onnx")
    parser.add_argument("--goal-seed", type=int, default=0, help="decides start and goal")
    parser.add_argument("--episodes", type=int, default=1, help="that many seeds in a row")
    parser.add_argument("--seconds", type=float, default=4.0, help="simulated, each episode")
    parser.add_argument("--threads", type=int, default=1, help="of onnxruntime")
    return parser.parse_args()
