"""What the goal metric is like far away, on recordings nobody learned from, and what is held there.

    OMP_NUM_THREADS=1 python -m benchmarks.far_away --out runs/far-away --json results/far-away.json

Each world is learned by the default recipe from recordings of its own, a set a training seed, as
``demo`` does. The false minima are counted on recordings of another seed
(:mod:`agent.training.geometry`). What is done is not done again.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from agent.data import RolloutStore
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from agent.model.checkpoint import checkpoint_facts, load_checkpoint
from agent.training.diagnostics import embed_episodes
from agent.training.geometry import geometry_of
from benchmarks.from_nothing import measured, run
from envs import configure_gl
from envs.catalogue import entry_of

WORLDS = ("reacher", "two-room", "dmc:point_mass-easy")
ROLLOUTS, HELD_OUT = 300, 400
HELD_OUT_SEED = 7000  # added to the training seed
PROTOCOL = "anywhere"


def main() -> None:
    """Do what is not done yet, print a line a world and seed, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--worlds", nargs="+", default=list(WORLDS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rollouts", type=int, default=ROLLOUTS, help="to learn from")
    parser.add_argument("--episodes", type=int, default=300, help="of each evaluation")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    configure_gl()
    rows: dict[str, list[dict[str, Any]]] = {}
    for world in asked.worlds:
        for seed in range(asked.seeds):
            place = asked.out / world.replace(":", "-") / f"seed-{seed}"
            rows.setdefault(world, []).append(one_model(place, world, seed, asked))
            print(world, rows[world][-1], flush=True)
    if asked.json:
        counts = {"rollouts": asked.rollouts, "held_out": HELD_OUT, "episodes": asked.episodes}
        write_json(asked.json, {"asked": counts, "worlds": rows, **circumstances()})


def one_model(place: Path, world: str, seed: int, asked: argparse.Namespace) -> dict[str, Any]:
    """Shares of starts in false minima, on what it learned from and on what it did not; held."""
    data, model, held_out = place / "data", place / "model", place / "held-out"
    _recorded(data, world, asked.rollouts, seed)
    _recorded(held_out, world, HELD_OUT, HELD_OUT_SEED + seed)
    if not (model / "checkpoint").exists():
        entry = entry_of(world)
        enough = None if entry is None else entry.training_steps
        steps = [] if enough is None else ["--steps", str(enough)]
        words = ["--head.steps", "0", "--seed", str(seed), *steps]
        run("train", "--data", str(data), "--out", str(model), *words)
    found = checkpoint_facts(model / "checkpoint")
    return {
        "seed": seed,
        "learned_from": found["geometry"],
        "held_out": geometry_on(model / "checkpoint", held_out),
        "probe_r2": found["diagnostics"]["probe_r2"],
        **measured(place, model, PROTOCOL, asked.episodes),
    }


def geometry_on(checkpoint: Path, data: Path) -> dict[str, Any]:
    """Of a model's goal metric over the episodes of a data set."""
    model, store = load_checkpoint(checkpoint), RolloutStore.open(data)
    episodes, ids = store.load(), range(store.episode_count)
    embeddings = embed_episodes(model, episodes, ids)
    states = [episodes.state[episodes.rows(number)] for number in ids]
    found = geometry_of(model, states, embeddings, model.config.action_block)
    return {} if found is None else dataclasses.asdict(found)


def _recorded(data: Path, world: str, rollouts: int, seed: int) -> None:
    if not data.exists():
        words = ["--world", world, "--episodes", str(rollouts), "--seed", str(seed)]
        run("collect", "--out", str(data), *words)


if __name__ == "__main__":
    main()
