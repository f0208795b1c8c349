"""Does the guard of sight stop what must stop, and nothing else?

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.sight --out results/reliability

Healthy episodes first: in how many was one held. Then every kind of camera fault, for a second. It
matters from the first tick at which the shown picture differs from the true one and the action sent
is no longer next to nothing: held within 0.2 s of it is in time. An episode in which it never
matters, or for less than 0.2 s, is harmless: the part that hangs shows what is true all the same,
or the world rests. Last, whether the episode is let go once sight has returned.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.commands.console import note
from agent.commands.progress import progress
from agent.control.mpc import WorldModelController
from agent.control.torch_model import TorchModel
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from agent.interfaces import Array, Decision, Goals, Image, Seen
from agent.model.checkpoint import load_checkpoint
from benchmarks.sight_faults import FAULTS, Fault
from envs import Episode, World, episodes_of, make_world, task_named

SCHEMA = "lejepa-agent/sight/2"
PROTOCOL, SEED = "anywhere", 591
TICKS, LATEST_START, FAULT_S, RETURN_S = 100, 20, 1.0, 1.0
HELD_S = 0.2
TRUE, IDLE = 0.1, 0.1  # a mean difference of 255; a share of the largest action
BATCH = 50

Show = Callable[[list[Image]], Image]


class Stage:
    """Episodes of one world, played in lock step with pictures that may lie."""

    def __init__(self, checkpoint: Path) -> None:
        self.model = TorchModel(load_checkpoint(checkpoint))
        self.spec = self.model.spec
        self.worlds = [self._world() for _ in range(BATCH)]
        self.task = task_named(PROTOCOL, self.worlds[0])

    def _world(self) -> World:
        return make_world(self.spec.world, self.spec.look, self.spec.image_size[0])

    def episodes(self, count: int, seed: int) -> list[Episode]:
        """The first ``count`` of that seed."""
        return episodes_of(self.task, self.worlds[0], range(count), seed)

    def play(self, episodes: Sequence[Episode], show: Show, ticks: int = TICKS) -> list[Decision]:
        """Every decision; ``show`` makes the shown frames of all true ones so far."""
        worlds = self.worlds[: len(episodes)]
        for world, episode in zip(worlds, episodes, strict=True):
            episode.begin(world)
        controller = WorldModelController(self.model)
        goals = np.stack([episode.goal_picture(worlds[0]) for episode in episodes])
        controller.reset(Goals(pixels=goals), [episode.seed for episode in episodes])
        seen: list[Image] = []
        decisions = []
        for _ in range(ticks):
            seen.append(np.stack([world.frame() for world in worlds]))
            decisions.append(controller.act(Seen(pixels=np.ascontiguousarray(show(seen)))))
            for world, action in zip(worlds, decisions[-1].actions, strict=True):
                world.step(action)
        return decisions


def false_stops(stage: Stage, count: int) -> dict[str, Any]:
    """Healthy episodes of which one was held at any tick."""
    stopped: list[str] = []
    with progress("healthy episodes") as update:
        episodes = stage.episodes(count, SEED)
        for first in range(0, count, BATCH):
            held = _held(stage.play(episodes[first : first + BATCH], lambda seen: seen[-1]))
            stopped += [next(filter(None, column)) for column in held.T if any(column)]
            update(min(first + BATCH, count), count)
    return {"episodes": count, "stopped": len(stopped), "reasons": stopped}


def caught(stage: Stage, name: str, fault: Fault, count: int) -> dict[str, Any]:
    """One kind of fault, for a second of each of ``count`` episodes."""
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(hash_of(name),)))
    began = int(rng.integers(8, LATEST_START))
    lasts = round(FAULT_S / stage.spec.step_s)

    off: list[Array] = []

    def show(seen: list[Image]) -> Image:
        faulty = began <= len(seen) - 1 < began + lasts
        shown = fault(seen, began, rng) if faulty else seen[-1]
        off.append(np.abs(shown.astype(np.float32) - seen[-1]).mean((1, 2, 3)))
        return shown

    soon, back = (round(span / stage.spec.step_s) for span in (HELD_S, RETURN_S))
    end = began + lasts + back + 1
    decisions = stage.play(stage.episodes(count, SEED + 1), show, end)
    ticks = slice(began, began + lasts)
    held = (_held(decisions) != None)[began:]  # noqa: E711  (elementwise)
    largest = np.array([np.abs(decision.actions).max(1) for decision in decisions])
    matters = (np.array(off)[ticks] >= TRUE) & (largest[ticks] >= IDLE)
    return {
        "fault": name, "episodes": count, "began": began, **_counts(held, matters, soon),
        "let go in time": int((~held[-1]).sum()),
    }  # fmt: skip


def _counts(held: Array, matters: Array, soon: int) -> dict[str, int]:
    """How a fault went, from its first tick on: ``matters`` (F, E) while it lasts, ``held`` (T, E).

    It matters until it is held; ``soon`` ticks is in time.
    """
    lasts = len(matters)
    first = np.where(matters.any(0), matters.argmax(0), lasts)
    tick = np.arange(len(held))[:, None]
    in_time = (held & (tick <= np.minimum(first + soon, lasts - 1))).any(0)
    ever = held[:lasts].any(0)
    harmless = ~ever & (first + soon >= lasts)
    return {
        "held at once": int(held[: soon + 1].any(0).sum()), "held in time": int(in_time.sum()),
        "harmless": int(harmless.sum()), "held later": int((ever & ~in_time).sum()),
        "never": int((~ever & ~harmless).sum()),
    }  # fmt: skip


def hash_of(name: str) -> int:
    """A number that is the same in every process."""
    return sum(position * ord(letter) for position, letter in enumerate(name, 1))


def _held(decisions: Sequence[Decision]) -> Array:
    """(T, E) reasons, None where an episode acts."""
    return np.array([decision.held for decision in decisions], dtype=object)


def main() -> None:
    """Measure, print, and write JSON if asked."""
    arguments = _parse()
    torch.set_num_threads(1)
    stage = Stage(arguments.checkpoint)
    result: dict[str, Any] = {
        "command": f"python -m benchmarks.sight --checkpoint {arguments.checkpoint} "
        f"--healthy {arguments.healthy} "
        f"--faulty {arguments.faulty}",
        "schema": SCHEMA, "world": stage.spec.world, "protocol": PROTOCOL, "seed": SEED,
        "healthy": false_stops(stage, arguments.healthy), "rows": [], **circumstances(),
    }  # fmt: skip
    note(json.dumps(result["healthy"]))
    for name, fault in FAULTS.items():
        result["rows"].append(caught(stage, name, fault, arguments.faulty))
        note(json.dumps(result["rows"][-1]))
    if arguments.out:
        write_json(arguments.out / f"sight-{stage.spec.world}.json", result)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoints/reacher"))
    parser.add_argument("--healthy", type=int, default=1000, help="episodes")
    parser.add_argument("--faulty", type=int, default=50, help="episodes of each kind")
    parser.add_argument("--out", type=Path, help="the folder that gets sight-WORLD.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
