"""Every planner at several budgets: success and held against the time of a tick.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/control.py

Writes ``results/planners.json`` after every row and ``results/planners.png`` at the end; what is in
the file already is not measured again, so that an interrupted run goes on where it was. Goals,
network, cost and horizon are the same for all planners, only the search differs; the oracle plans
with the true simulator and shows what the cost allows. One core, and nothing else should run on it:
the time of a tick (seeing and planning, one episode at a time) is part of the result.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from agent.commands.console import note
from agent.commands.progress import Update, progress
from agent.control.mpc import WorldModelController
from agent.control.torch_model import TorchModel
from agent.evaluation.play import evaluate
from agent.evaluation.results import Asked, fingerprint, summarise
from agent.files.bundle import bundle_sha256
from agent.files.json_files import write_json
from agent.interfaces import Controller
from agent.model.checkpoint import load_checkpoint
from agent.model.world_model import WorldModel
from agent.reporting.style import save_png
from agent.rivals.reacher.oracle import OracleController
from benchmarks.campaign.inputs import PLANNERS_SCHEMA, planner_rows
from benchmarks.campaign.pareto import pareto
from envs import make_world, task_named
from planners import (
    PLANNERS,
    CEMPlanner,
    GaussNewtonPlanner,
    GradientPlanner,
    ICEMPlanner,
    MPPIPlanner,
    RandomShootingPlanner,
)

PROTOCOLS = ("lewm", "swift", "anywhere")
CHECKPOINT = Path("checkpoints/reacher")
BATCH = 8  # wide batches of many samples fall out of the processor's cache
SEARCHES = (
    *(
        GaussNewtonPlanner(iterations, random_starts=starts)
        for iterations, starts in ((1, 0), (1, 4), (2, 16), (4, 16))
    ),
    *(
        GradientPlanner(CEMPlanner(samples, 1, 8), starts, steps)
        for samples, starts, steps in ((32, 2, 2), (64, 4, 5), (64, 4, 15))
    ),
    *(CEMPlanner(n, times, n // 4) for n, times in ((16, 2), (32, 3), (64, 3))),
    *(ICEMPlanner(n, times, n // 4, n // 8) for n, times in ((16, 2), (48, 3))),
    *(MPPIPlanner(n, times) for n, times in ((16, 2), (48, 3))),
    *(RandomShootingPlanner(n, 1) for n in (32, 96)),
)
NAMES = {planner: name for name, planner in PLANNERS.items()}
IDENTITY = ("planner", "settings", "protocol", "episodes", "seed", "checkpoint_sha256")
KEPT = (
    "solved_at_start", "first_touch", "held", "decision_ms", "command", "commit", "hardware",
    "date", "wall_clock_s",
)  # fmt: skip

Row = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One row to measure: a planner with its settings on a protocol."""

    search: Any  # None: the oracle
    protocol: str
    episodes: int
    seed: int
    checkpoint: Path

    @property
    def identity(self) -> Row:
        """What makes two rows the same measurement, as JSON would give it back."""
        planner: Any = OracleController().planner if self.search is None else self.search
        name = "oracle" if self.search is None else NAMES[type(self.search)]
        settings = json.loads(json.dumps(asdict(planner)))
        sha = None if self.search is None else bundle_sha256(self.checkpoint)
        values = (name, settings, self.protocol, self.episodes, self.seed, sha)
        return dict(zip(IDENTITY, values, strict=True))

    def measure(self, update: Update) -> Row:
        """Play the episodes."""
        start_s, network = time.monotonic(), load_checkpoint(self.checkpoint)
        spec = network.spec
        make = partial(make_world, spec.world, spec.look, spec.image_size[0])
        world = make()
        task = task_named(self.protocol, world)
        definition = fingerprint(task, world)
        world.close()
        trials = evaluate(
            self._controller(network), task, make, self.episodes, self.seed,
            batch=BATCH, progress=update,
        )  # fmt: skip
        name = "oracle" if self.search is None else "world-model"
        result = summarise(
            trials,
            Asked(name, spec, task.name, task.about, definition, self.seed),
            command=f"python benchmarks/control.py --episodes {self.episodes} --seed {self.seed}",
            wall_clock_s=round(time.monotonic() - start_s, 2),
        )
        error = result["final_error"]
        assert error["unit"] == "rad", "the rows say so in a name"
        return (
            self.identity
            | {name: result[name] for name in KEPT}
            | {"final_error_rad": {name: error[name] for name in ("median", "p90")}}
        )

    def _controller(self, network: WorldModel) -> Controller:
        if self.search is None:
            return OracleController()
        return WorldModelController(TorchModel(network), self.search)


def cells(checkpoint: Path, episodes: int, seed: int) -> list[Cell]:
    """All that is to be measured."""
    return [
        Cell(search, protocol, episodes, seed, checkpoint)
        for search in (*SEARCHES, None)
        for protocol in PROTOCOLS
    ]


def missing(wanted: Iterable[Cell], rows: Sequence[Row]) -> list[Cell]:
    """Those of the ``wanted`` that no row is a measurement of."""
    known = [{name: row[name] for name in IDENTITY} for row in rows]
    return [cell for cell in wanted if cell.identity not in known]


def main() -> None:
    """Measure row by row, write each, and draw them."""
    arguments = _parse()
    torch.set_num_threads(1)
    rows = planner_rows(arguments.json)
    try:
        left = missing(cells(CHECKPOINT, arguments.episodes, arguments.seed), rows)
        for number, cell in enumerate(left, 1):
            name = f"row {number}/{len(left)}: {cell.identity['planner']} on {cell.protocol}"
            with progress(f"{name}, episodes") as update:
                rows.append(cell.measure(update))
            write_json(arguments.json, {"schema": PLANNERS_SCHEMA, "rows": rows})
    except KeyboardInterrupt:
        note(f"{len(rows)} rows are in {arguments.json}; the same command goes on from there.")
        raise SystemExit(130) from None
    save_png(pareto(rows), arguments.plot)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--json", type=Path, default=Path("results/planners.json"))
    parser.add_argument("--plot", type=Path, default=Path("results/planners.png"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
