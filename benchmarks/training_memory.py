"""Peak memory of training on a data set, and its speed, in a process of its own.

python benchmarks/training_memory.py --data data/reacher --json results/training_memory.json
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from agent.training.recorder import read_metrics

STEPS = 100  # memory is at its peak well before: loading, training, diagnostics, saving


def main() -> None:
    """Train for a few steps, print what it took, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    result = measure(arguments.data)
    print(json.dumps(result, indent=2))
    if arguments.json:
        write_json(arguments.json, result)


def measure(data: Path) -> dict[str, object]:
    """Peak resident memory [GB] of ``train`` with its own preset, cut to a few steps."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "run"
        words = ["train", "--data", str(data), "--out", str(out), "--steps", str(STEPS)]
        script = str(Path(__file__).parents[1] / "run_agent.py")
        start_s = time.monotonic()
        subprocess.run([sys.executable, script, *words], check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - start_s
        speed = read_metrics(out)[-1]["frames_per_s"]
    peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "command": "python benchmarks/training_memory.py --data DIR",
        "peak_gb": round(peak_kb / 1e6, 2),
        "frames_per_s": round(speed),
        "seconds": round(seconds, 1),
        **circumstances(),
    }


if __name__ == "__main__":
    main()
