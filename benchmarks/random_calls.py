"""Calls of every subcommand at random: none may end in a traceback, a crash or a hang.

    OMP_NUM_THREADS=1 python -m benchmarks.random_calls --calls 5000 --json OUT.json

Each call is a process of its own in a folder of its own; see ``random_words`` for what is drawn.
Run again with the same --seed and --json, it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SCHEMA = "lejepa-agent/random-calls/1"
KEEP_EVERY = 25  # calls between two savings
NAMES = {0: "done", 2: "user", 3: "damaged", 4: "machine", 130: "interrupted"}
LOADED = (  # what calls may need, so that none of them imports it again
    "torch", "torch._dynamo", "matplotlib.pyplot", "onnxruntime", "agent.commands.demo_report",
    "agent.commands.train", "agent.export.exporting", "agent.rivals.learners",
    "agent.rivals.cloning_training", "agent.reporting.report", "agent.diagnosis.page",
    "dm_control.suite", "studies.runner", "studies.figures", "stable_baselines3",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """0 where nothing went wrong, 1 otherwise."""
    from agent.commands.progress import progress
    from agent.files.json_files import write_json

    asked = _parse(argv)
    result = _begun(asked)
    _load()
    with tempfile.TemporaryDirectory() as place, progress("random calls") as update:
        specimens = _specimens(Path(place) / "specimens")
        for number in range(result["calls"], asked.calls):
            _note(result, number, asked, specimens, Path(place) / "call")
            update(number + 1, asked.calls, f"{len(result['wrong'])} went wrong")
            if (number + 1) % KEEP_EVERY == 0 or number + 1 == asked.calls:
                write_json(asked.json, result)
    print(table(result))
    return 1 if result["wrong"] else 0


def table(result: dict[str, Any]) -> str:
    """How often each subcommand ended in each way, as a table of Markdown."""
    ends = [*NAMES.values(), "wrong"]
    lines = [f"| subcommand | calls | {' | '.join(ends)} |", f"|---|{'---:|' * (len(ends) + 1)}"]
    for name, counts in sorted(result["ends"].items()):
        cells = [sum(counts.values()), *(counts.get(end, 0) for end in ends)]
        lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _note(
    result: dict[str, Any], number: int, asked: argparse.Namespace, specimens: Path, place: Path
) -> None:
    from benchmarks.one_call import make_call
    from benchmarks.random_words import draw_call

    subject, words = draw_call(asked.seed, number)
    outcome = make_call(subject, words, specimens, place, asked.limit_s)
    counts = Counter(result["ends"].get(subject, {}))
    counts["wrong" if outcome.wrong else NAMES[outcome.code]] += 1
    result["ends"][subject] = dict(counts)
    result["calls"], result["seconds"] = number + 1, round(result["seconds"] + outcome.seconds, 1)
    if outcome.wrong:
        shown = [word if len(word) < 80 else f"{word[:80]}…" for word in words]
        tail = outcome.said.replace(str(place), "PLACE").strip().splitlines()[-1:]
        one = {"number": number, "subcommand": subject, "words": ascii(shown)}
        result["wrong"].append({**one, "wrong": outcome.wrong, "said": ascii(tail)})
        if asked.verbose:
            print(number, subject, ascii(shown), outcome.wrong, outcome.said[-3000:], flush=True)


def _begun(asked: argparse.Namespace) -> dict[str, Any]:
    """An earlier result of the same seed and code, else a new one."""
    from agent.errors import UserError
    from agent.evaluation.provenance import circumstances
    from agent.files.json_files import read_json

    now = {"command": f"python -m benchmarks.random_calls --seed {asked.seed}", **circumstances()}
    try:
        found = read_json(asked.json, "random calls", (SCHEMA,), now["command"])
    except UserError:
        found = {}
    if all(found.get(name) == now[name] for name in ("command", "commit")):
        return found
    return {"schema": SCHEMA, **now, "calls": 0, "seconds": 0.0, "ends": {}, "wrong": []}


def _load() -> None:
    from envs import configure_gl

    configure_gl()
    for name in LOADED:
        importlib.import_module(name)
    import torch

    torch.set_num_threads(1)


def _specimens(place: Path) -> Path:
    """A data set, a run, an exported controller's model, and files of every wrong kind."""
    import shutil

    import cv2
    import numpy as np

    import run_agent

    (place / "empty").mkdir(parents=True)
    (place / "folder.png").mkdir()
    here = Path.cwd()
    words = "collect --world two-room --episodes 9 --episode-steps 24 --workers 1 --out data"
    trains = "train --data data --out run --preset tiny --steps 2 --threads 1 --head.steps 1"
    for line in (words, trains):
        os.chdir(place)
        sys.modules["__main__"] = run_agent
        assert run_agent.main(line.split()) == 0, line
    os.chdir(here)
    shutil.copytree(place / "run" / "checkpoint", place / "model")
    (place / "text.txt").write_text("not what was expected\n")
    (place / "zeros.bin").write_bytes(bytes(4096))
    (place / "settings.toml").write_text("[training]\nsteps = 2\n")
    (place / "own.py").write_text("class Mine:\n    def __init__(self, *a): raise OSError(1)\n")
    cv2.imwrite(str(place / "picture.png"), np.full((64, 64, 3), 90, np.uint8))
    (place / os.fsdecode(b"name\xff.png")).write_bytes((place / "picture.png").read_bytes())
    (place / "loop").symlink_to("loop")
    (place / "gone").symlink_to("nowhere")
    return place


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit-s", type=float, default=4.0, help="then a call gets Ctrl-C")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--verbose", action="store_true", help="print what went wrong in full")
    return parser.parse_args(argv)


if __name__ == "__main__":
    raise SystemExit(main())
