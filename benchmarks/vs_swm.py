"""Ours and stable-worldmodel's LeWM side by side: planning, training, reading, simulating.

    python benchmarks/vs_swm.py --json results/vs_swm.json

Installs the package with pip in an environment of its own (several GB, minutes, once), then runs
each measurement twice, theirs (``swm_peer.py``) and ours (``swm_ours.py``), one after the other, as
programs with the same number of threads. About five minutes. What cannot be measured here is in the
result as such, with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from envs import configure_gl

HERE = Path(__file__).parent
PACKAGE = "stable-worldmodel==0.1.1"
# Not +cpu: the index has no torchvision that goes with such a build.
BESIDE = (
    "torch==2.13.0,!=2.13.0+cpu", "torchvision==0.28.0", "stable-pretraining==0.1.8",
    "transformers==5.23.0", "h5py==3.16.0", "hdf5plugin==7.1.0", "imageio==2.38.1",
    "opencv-python-headless==5.0.0.93", "dm-control==1.0.50", "mujoco==3.17.0",
    "hydra-core==1.3.8", "pygame==2.6.1", "pymunk==7.3.1", "shapely==2.2.0",
)  # fmt: skip
VERSIONS = ("stable-worldmodel", "torch", "torchvision", "transformers", "mujoco", "numpy")
TIMEOUT_S = 300
WHAT = ("plan", "train", "read", "env")
RATIOS = {  # the first over the second
    "plan": ("theirs/plan/ms_per_plan", "ours/plan/ms_per_plan"),
    "plan, exported": ("theirs/plan/ms_per_plan", "ours/plan/ms_per_plan_onnx"),
    "training frames": ("ours/train/frames_per_s", "theirs/train/frames_per_s"),
    "env frames, own": ("ours/env/frames_per_s/fast 64", "theirs/env/frames_per_s/224"),
    "env frames, 64 px": ("ours/env/frames_per_s/fast 64", "theirs/env/frames_per_s/64"),
    "env frames, 224 px": ("ours/env/frames_per_s/dmc 224", "theirs/env/frames_per_s/224"),
    "windows, Lance": ("ours/read/windows_per_s/disk", "theirs/read/windows_per_s/lance"),
    "windows, HDF5": ("ours/read/windows_per_s/disk", "theirs/read/windows_per_s/hdf5"),
}
Result = dict[str, Any]


def main() -> None:
    """Install what is missing, measure, print the ratios, and write JSON if asked."""
    options = _parse()
    theirs = installed(options.env)
    result = {
        "command": " ".join(["python", "benchmarks/vs_swm.py", *sys.argv[1:]]),
        **circumstances(),
        "opengl": configure_gl(),
        "versions": {"theirs": _versions(theirs), "ours": _versions(Path(sys.executable))},
        "settings": "theirs: LeWM, ViT-tiny/14 at 224 px, random weights, CEM 300 x 30, horizon "
        "5 blocks of 5 env steps; ours: checkpoints/reacher, 64 px, Gauss-Newton, 16 env steps",
        "threads": {str(n): compare(theirs, n, options.seconds) for n in options.threads},
    }
    print(json.dumps({n: r["ratios"] for n, r in result["threads"].items()}, indent=2))
    if options.json:
        write_json(options.json, result)


def installed(directory: Path) -> Path:
    """The interpreter of an environment with the package; makes it if it is not there."""
    python = directory / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    name, version = PACKAGE.split("==")
    if _versions(python).get(name) != version:
        install = [str(python), "-m", "pip", "install", PACKAGE, *BESIDE]
        subprocess.run(install, check=True)
    return python.absolute()  # not resolved: a link would lead out of the environment


def compare(theirs: Path, threads: int, seconds: float) -> Result:
    """Every measurement with ``threads`` threads, theirs and ours, and how they compare."""
    found: dict[str, Result] = {"theirs": {}, "ours": {}}
    with tempfile.TemporaryDirectory() as place:
        flags = ["--seconds", str(seconds), "--frames", str(Path(place) / "frames.npz")]
        for what in WHAT:  # ours first: it makes the episodes that theirs is to read
            print(f"{what}, {threads} thread(s) ...", file=sys.stderr, flush=True)
            for side, python in (("ours", Path(sys.executable)), ("theirs", theirs)):
                script = HERE / ("swm_ours.py" if side == "ours" else "swm_peer.py")
                words = [str(python), str(script), what, "--threads", str(threads), *flags]
                found[side][what] = _run(words, threads, Path(place) / "result.json")
    return {**found, "ratios": ratios(found["theirs"], found["ours"])}


def ratios(theirs: Result, ours: Result) -> dict[str, float | None]:
    """How many times ours is as fast; None where one of the two was not measured."""
    found = {"theirs": theirs, "ours": ours}
    pairs = {name: [_at(found, path) for path in paths] for name, paths in RATIOS.items()}
    return {
        name: round(over / under, 2) if over and under else None
        for name, (over, under) in pairs.items()
    }


def _at(found: Result, path: str) -> float | None:
    value: Any = found
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _run(words: list[str], threads: int, out: Path) -> Result:
    """What the program wrote; the reason if it wrote nothing."""
    out.unlink(missing_ok=True)
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    environment = {**os.environ, **limits, "LP_NUM_THREADS": str(threads), "PYTHONPATH": "."}
    words = [*words, "--out", str(out)]
    try:
        done = subprocess.run(
            words, env=environment, timeout=TIMEOUT_S, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired:
        return {"not_measured": f"not done within {TIMEOUT_S} s"}
    if done.returncode or not out.exists():
        return {"not_measured": "\n".join(done.stderr.strip().splitlines()[-3:])}
    result: Result = json.loads(out.read_text(encoding="utf-8"))
    return result


def _versions(python: Path) -> dict[str, str]:
    """Versions of the packages that matter, those that are there."""
    program = (
        "import importlib.metadata as m, json\n"
        "there = {d.name.lower().replace('_', '-'): d.version for d in m.distributions()}\n"
        f"print(json.dumps({{n: there[n] for n in {VERSIONS} if n in there}}))"
    )
    versions: dict[str, str] = json.loads(_output(str(python), "-c", program))
    return versions


def _output(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", type=Path, default=Path("runs/swm-env"), help="their environment")
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--seconds", type=float, default=3.0, help="for each rate, at least")
    parser.add_argument("--json", type=Path, help="write figures and circumstances here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
