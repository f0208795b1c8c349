"""Put what the comparison's trainings made into checkpoints/comparison, those that are finished.

    python benchmarks/keep_checkpoints.py

LeWorldModel's are left out: one would weigh more than all others together. So is what the program
comes with, which ``make checkpoint`` makes.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from agent.commands.checkpoints import SHIPPED, first_finished
from agent.commands.matrix import Training, trainings_known

TOO_HEAVY = ("lewm", "lewm-brief")


def main() -> None:
    """Copy each, saying which."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs/comparison"))
    parser.add_argument("--training-seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    for training in {training.name: training for training in trainings_known()}.values():
        for seed in arguments.training_seeds:
            kept = keep(training, seed, arguments.runs)
            if kept is not None:
                print(f"wrote {kept}")


def keep(training: Training, seed: int, runs: Path) -> Path | None:
    """Where the training's checkpoint is kept; None if it is not, or is not finished."""
    place = training.shipped(seed)
    made = first_finished([training.out(runs, seed)], training.env_steps)
    if training.controller in TOO_HEAVY or place == SHIPPED or made is None:
        return None
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(made, place)
    return place


if __name__ == "__main__":
    main()
