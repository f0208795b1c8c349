"""Commands of a few seconds, what each has promised to keep, and what it is for.

``kept`` names what must never be lost again once it is there; ``result`` is what has to be the
same, to the bit, however often the job was interrupted (times and dates are left out).
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import run_agent
from agent.cluster import InThisProcess
from agent.data.manifest import read_manifest
from agent.data.store import RolloutStore
from agent.errors import DamagedDataError
from agent.evaluation.results import read_result
from agent.files.bundle import CHECKPOINT, STATE, has_bundle, read_bundle
from agent.training.recorder import read_metrics
from benchmarks.campaign.tables import has_tables, read_runs, run_id
from benchmarks.faults.forks import forked

WORLD = ("--world", "two-room")
COLLECT = (*WORLD, "--episodes", "12", "--episode-steps", "40", "--episodes-per-shard", "1")
TRAIN = ("--preset", "tiny", "--training.save-every", "5", "--threads", "1")
DEMO = ("--preset", "tiny", "--rollouts", "21", "--sac-env-steps", "800", "--episodes", "2")
TIMES = (  # what a result says of its making, the hash of a checkpoint that tells its own included
    "decision_ms", "wall_clock_s", "date", "commit", "bought_with", "command", "checkpoint_sha256",
    "floors",
)  # fmt: skip
NAMES = ("collect", "train", "save", "campaign", "evaluate", "demo")
BUNDLES = 40  # written one after the other by the job ``save``


@dataclass(frozen=True)
class Job:
    """``run`` does it in a place, or goes on there; both others read the place and raise what
    readers raise."""

    name: str
    run: Callable[[Path], int]
    kept: Callable[[Path], set[str]]
    result: Callable[[Path], Mapping[str, str]]


def inputs_at(room: Path) -> Path:
    """A place in ``room`` with the data set that trainings learn from."""
    made = forked(lambda: _collect(room / "inputs"))
    assert made.finished, made.said
    return room / "inputs"


def jobs(inputs: Path) -> dict[str, Job]:
    """Every job by name; ``inputs`` is where :func:`inputs_at` put them."""
    made = (
        Job("collect", _collect, _shards_in("data"), _data_in("data")),
        Job("train", lambda place: _train(inputs, place), _steps_in("run"), _weights_in("run")),
        Job("save", _save, _numbers, _last_number),
        Job("campaign", _campaign, _runs, _table),
        Job("evaluate", _evaluate, lambda place: set(_results(place)), _results),
        Job("demo", _demo, _demo_kept, _demo_result),
    )
    return {job.name: job for job in made}


def command(*words: str) -> int:
    """Run a subcommand of the program; its exit code."""
    return run_agent.main(words)


def without_workers() -> None:
    """From now on this process does itself what it would give to workers, so that a kill meets it.

    That workers end with who started them is tested with real ones elsewhere.
    """
    measuring = importlib.import_module("agent.commands.measuring")
    collecting = importlib.import_module("agent.data.collect")
    setattr(collecting, "crew_for", lambda work, *_: InThisProcess(work))  # noqa: B010

    def measure_each(jobs: Sequence[Any], *_: Any, **__: Any) -> Iterator[tuple[int, Any]]:
        for number, job in enumerate(jobs):
            yield number, job.run(lambda done, total, text="": None)

    setattr(measuring, "measure_each", measure_each)  # noqa: B010


def _collect(place: Path) -> int:
    without_workers()
    return command("collect", "--out", str(place / "data"), *COLLECT, "--workers", "1")


def _train(inputs: Path, place: Path) -> int:
    out = place / "run"
    resume = ["--resume"] if has_bundle(out / STATE) else []
    return command("train", "--data", str(inputs / "data"), "--out", str(out), *TRAIN, *resume)


def _save(place: Path) -> int:
    """Checkpoints 0 … BUNDLES - 1, each all of one number; from the next one on."""
    from agent.files.bundle import write_bundle

    for number in range(max(map(int, _numbers(place)), default=-1) + 1, BUNDLES):
        said = json.dumps({"number": number}).encode()
        write_bundle(place / CHECKPOINT, {"a.json": said, "b.safetensors": bytes([number]) * 10**5})
    return 0


def _campaign(place: Path) -> int:
    from benchmarks.campaign.__main__ import main

    without_workers()
    words = ["--controllers", "noop", "random", "--protocols", "lewm", "anywhere"]
    words += ["--episodes", "2", "--workers", "1", "--runs", str(place / "none")]
    return main(["measure", "--out", str(place / "tables"), *words])


def _evaluate(place: Path) -> int:
    words = ("--controller", "random", "--protocol", "hindsight", "--episodes", "8")
    return command("evaluate", *WORLD, *words, "--json", str(place / "result.json"))


def _demo(place: Path) -> int:
    without_workers()
    return command("demo", "--out", str(place / "demo"), *WORLD, *DEMO, "--workers", "1")


def _shards_in(name: str) -> Callable[[Path], set[str]]:
    def shards(place: Path) -> set[str]:
        records = read_manifest(place / name)
        return {f"{r.episodes}: {_sha(r.read(place / name))}" for r in records}

    return shards


def _data_in(name: str) -> Callable[[Path], Mapping[str, str]]:
    def data(place: Path) -> Mapping[str, str]:
        RolloutStore.open(place / name).verify()
        files = [p for p in (place / name).rglob("*") if p.is_file() and p.name != ".lock"]
        return {str(p.relative_to(place)): _sha(p.read_bytes()) for p in files}

    return data


def _steps_in(name: str) -> Callable[[Path], set[str]]:
    def steps(place: Path) -> set[str]:
        state, found = place / name / STATE, set()
        if has_bundle(state):
            done = json.loads(read_bundle(state)["state.json"])["step"]
            found = {f"step {step}" for step in range(done + 1)}
        if has_bundle(place / name / CHECKPOINT):
            read_bundle(place / name / CHECKPOINT)
        return found

    return steps


def _weights_in(name: str) -> Callable[[Path], Mapping[str, str]]:
    def weights(place: Path) -> Mapping[str, str]:
        files = read_bundle(place / name / CHECKPOINT)
        said = [(line["step"], line["loss"]) for line in read_metrics(place / name)]
        return {"weights": _sha(files["model.safetensors"]), "reports": str(said)}

    return weights


def _numbers(place: Path) -> set[str]:
    if not has_bundle(place / CHECKPOINT):
        return set()
    files = read_bundle(place / CHECKPOINT)
    number = json.loads(files["a.json"])["number"]
    if files["b.safetensors"] != bytes([number]) * 10**5:
        raise DamagedDataError(f"expected one checkpoint, got parts of two: {number}")
    return {str(n) for n in range(number + 1)}


def _last_number(place: Path) -> Mapping[str, str]:
    return {"last": str(max(map(int, _numbers(place)), default=-1))}


def _runs(place: Path) -> set[str]:
    tables = place / "tables"
    runs = read_runs(tables) if has_tables(tables) else []
    return {f"{run_id(run)}: {_without_times(run)}" for run in runs}


def _table(place: Path) -> Mapping[str, str]:
    return {run_id(run): _without_times(run) for run in read_runs(place / "tables")}


def _results(place: Path) -> Mapping[str, str]:
    """Every result file at ``place``."""
    return {path.name: _without_times(read_result(path)) for path in place.glob("*.json")}


def _demo_kept(place: Path) -> set[str]:
    demo = place / "demo"
    stages = demo / "stages.json"
    done = json.loads(stages.read_bytes())["stages"] if stages.exists() else {}
    named = {name for name, stage in done.items() if stage["done"]}
    return named | _shards_in("data")(demo) | _steps_in("world-model")(demo)


def _demo_result(place: Path) -> Mapping[str, str]:
    demo = place / "demo"
    parts = {**_data_in("data")(demo), **_results(demo / "results")}
    for name in ("world-model", "sac"):
        parts[name] = _sha(read_bundle(demo / name / CHECKPOINT)["model.safetensors"])
    return {**parts, "report": str((demo / "report.html").is_file())}


def _without_times(result: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in result.items() if name not in TIMES}
    return json.dumps(kept, sort_keys=True)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
