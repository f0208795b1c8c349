"""The default recipe, unchanged, in worlds nobody tuned it for: what works, and what does not.

    OMP_NUM_THREADS=1 python -m benchmarks.other_worlds --out runs/other --json FILE

A world is recorded, learned and evaluated by one command each, as its name is given: all settings
are the program's own. gymnasium's need ``pip install "gymnasium[classic_control,box2d]"``. What is
done is not done again; a world that fails is a row that says why.
"""

from __future__ import annotations

import argparse
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.evaluation.provenance import circumstances
from agent.evaluation.results import read_result
from agent.files.json_files import write_json
from agent.model.checkpoint import checkpoint_facts
from benchmarks.from_nothing import EVALUATION_SEED, run
from envs import Posable, configure_gl, make_world, without_tolerances

WORLDS = (
    "dmc:pendulum-swingup",
    "dmc:cartpole-swingup",
    "dmc:ball_in_cup-catch",
    "dmc:acrobot-swingup",
    "dmc:finger-spin",
    "dmc:cheetah-run",
    "gym:Pendulum-v1@obs_0=0.05,obs_1=0.05",
    "gym:MountainCarContinuous-v0@obs_0=0.05",
    "gym:LunarLanderContinuous-v3@obs_0=0.05,obs_1=0.05,obs_4=0.05",
)
ROLLOUTS = 300
PROTOCOLS = ("hindsight", "anywhere")


def main() -> None:
    """Do what is not done yet, print a line a world, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--worlds", nargs="+", default=list(WORLDS))
    parser.add_argument("--episodes", type=int, default=100, help="of each evaluation")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    configure_gl()
    rows = {}
    for world in asked.worlds:
        rows[without_tolerances(world)] = one_world(asked.out, world, asked.episodes)
        print(world, rows[without_tolerances(world)], flush=True)
    if asked.json:
        counts = {"rollouts": ROLLOUTS, "episodes": asked.episodes, "seed": EVALUATION_SEED}
        write_json(asked.json, {"asked": counts, "worlds": rows, **circumstances()})


def one_world(out: Path, world: str, episodes: int) -> dict[str, Any]:
    """Its facts, what was learned, and per cent touched and held by protocol and controller."""
    place = out / "".join(c if c.isalnum() else "-" for c in without_tolerances(world))
    facts, protocols = _facts(world)
    try:
        learned = _learned(place, world)
        measured = {name: _measured(place, world, name, episodes) for name in protocols}
    except subprocess.CalledProcessError as error:
        return {"name": world, **facts, "failed": " ".join(map(str, error.cmd[1:]))}
    return {"name": world, **facts, **learned, **measured}


def _facts(world: str) -> tuple[dict[str, Any], list[str]]:
    with closing(make_world(world)) as made:
        spec, can_pose = made.spec, isinstance(made, Posable)
        judged = [spec.state[index].name for index in spec.goal_columns]
    facts = {"actions": spec.action_dim, "step_s": spec.step_s, "judged": judged}
    return facts, [name for name in PROTOCOLS if can_pose or name != "anywhere"]


def _learned(place: Path, world: str) -> dict[str, Any]:
    data, model = place / "data", place / "model"
    if not data.exists():
        run("collect", "--world", world, "--episodes", str(ROLLOUTS), "--out", str(data))
    if not (model / "checkpoint").exists():
        run("train", "--data", str(data), "--out", str(model), "--head.steps", "0")
    found = checkpoint_facts(model / "checkpoint")
    return {
        "env_steps": found["env_steps"],
        "training_s": found["training_s"],
        "probe_r2": found["diagnostics"].get("probe_r2", {}),
        "open_loop_error": found["diagnostics"]["open_loop_error"],
        "geometry": found["geometry"],
    }


def _measured(place: Path, world: str, protocol: str, episodes: int) -> dict[str, Any]:
    path = place / f"{protocol}.json"
    if not path.exists():
        words = ["--protocol", protocol, "--episodes", str(episodes), "--json", str(path)]
        words += ["--world", world, "--seed", str(EVALUATION_SEED)]
        run("evaluate", "--checkpoint", str(place / "model"), *words)
    result = read_result(path)
    players = {"world-model": result, **result["floors"]}
    return {name: _shares(found) for name, found in players.items()}


def _shares(result: dict[str, Any]) -> dict[str, float]:
    return {
        "touch": round(100 * result["first_touch"]["rate"], 1),
        "held": round(100 * result["held"]["rate"], 1),
        "median_error": result["final_error"]["median"],
    }


if __name__ == "__main__":
    main()
