"""From nothing to a working agent: play, learn, be measured; what it took and what it can do.

    python -m benchmarks.from_nothing --out runs/from-nothing --json results/speed/from-nothing.json

Each training seed records its own rollouts. Times are those of whole commands, imports and saving
included; the action head, which planning needs not, is left out. What is done is not done again.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from agent.commands.worlds_asked import USUAL_BEHAVIOUR
from agent.evaluation.provenance import circumstances
from agent.evaluation.results import read_result
from agent.files.json_files import parsed, unsealed, write_json

PROTOCOLS = ("anywhere", "lewm")
EVALUATION_SEED = 2000
_TIMES = "times.json"


def main() -> None:
    """Do what is not done yet, print a line a seed, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--world", default="reacher")
    parser.add_argument("--rollouts", type=int, default=300, help="episodes of 200 env steps")
    parser.add_argument("--behaviour", default=USUAL_BEHAVIOUR, help="what moves the world")
    parser.add_argument("--train", default="", help="flags for train, in one word")
    parser.add_argument("--protocols", nargs="+", default=list(PROTOCOLS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=300, help="of each evaluation")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = []
    for seed in range(asked.seeds):
        rows.append(one_seed(asked, seed))
        print(rows[-1], flush=True)
    if asked.json:
        write_json(asked.json, {"asked": _settings(asked), "seeds": rows, **circumstances()})


def one_seed(asked: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Seconds of collecting and training, and shares touched and held by protocol."""
    place = asked.out / f"seed-{seed}"
    data, model, times = place / "data", place / "model", place / _TIMES
    if not times.exists():
        words = f"--world {asked.world} --episodes {asked.rollouts} --seed {seed}"
        words += f" --behaviour {asked.behaviour}"
        steps = {
            "collect_s": seconds("collect", words, out=data),
            "train_s": seconds("train", f"--head.steps 0 --seed {seed} {asked.train}", data, model),
        }
        write_json(times, {name: round(value, 1) for name, value in steps.items()})
    found = unsealed(times, parsed(times.read_text()))
    took = {name: float(found[name]) for name in ("collect_s", "train_s")}
    row: dict[str, Any] = {"seed": seed, **took, "total_s": round(sum(took.values()), 1)}
    for protocol in asked.protocols:
        row |= measured(place, model, protocol, asked.episodes)
    return row


def measured(place: Path, model: Path, protocol: str, episodes: int) -> dict[str, Any]:
    """Per cent touched and held, and the median of the last errors, of one protocol."""
    path = place / f"{protocol}.json"
    if not path.exists():
        words = f"--protocol {protocol} --episodes {episodes} --seed {EVALUATION_SEED} --no-floors"
        run("evaluate", *shlex.split(words), "--checkpoint", str(model), "--json", str(path))
    result = read_result(path)
    return {
        f"{protocol}_touch": round(100 * result["first_touch"]["rate"], 1),
        f"{protocol}_held": round(100 * result["held"]["rate"], 1),
        f"{protocol}_median_error": result["final_error"]["median"],
    }


def seconds(command: str, words: str, data: Path | None = None, out: Path | None = None) -> float:
    """How long a command with these ``words`` took, and where it read and wrote."""
    places = {"--data": data, "--out": out}
    flags = [word for flag, place in places.items() if place for word in (flag, str(place))]
    began_s = time.monotonic()
    run(command, *flags, *shlex.split(words))
    return time.monotonic() - began_s


def run(*words: str) -> None:
    """``run_agent.py`` with these words; its progress is shown, its tables are not."""
    script = str(Path(__file__).parents[1] / "run_agent.py")
    subprocess.run([sys.executable, script, *words], check=True, stdout=subprocess.DEVNULL)


def _settings(asked: argparse.Namespace) -> dict[str, Any]:
    return {key: value for key, value in vars(asked).items() if key not in ("out", "json")}


if __name__ == "__main__":
    main()
