"""Run a study: unfinished runs on worker processes, each kept as soon as it is finished.

Every run is seeded and has one thread, so neither the number of workers nor an interruption
changes a figure.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.cluster import crew_for
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from agent.files.lock import writing_lock
from studies.catalogue import load
from studies.records import SCHEMA, Line, Record, key
from studies.study import Preset, Settings, Study


@dataclass(frozen=True)
class Report:
    """How far a study is."""

    done: int
    total: int
    text: str = ""


class Runner:
    """One study in one directory; iterate :meth:`run`, then :meth:`result`.

    ``cluster``: the Ray cluster that does the runs, all of it, in place of ``workers`` here.
    ``seeds``: do only the first so many of the preset's seeds, in each setting that has them;
    a later runner with more of them goes on from there.
    """

    def __init__(
        self,
        study: Study,
        preset: Preset,
        out: Path,
        workers: int = 1,
        seeds: int | None = None,
        cluster: str = "",
    ) -> None:
        if workers < 1:
            raise ValueError(f"expected one worker or more, got {workers}")
        if seeds is not None and seeds < 1:
            raise ValueError(f"expected one seed or more, got {seeds}")
        self._study, self._preset, self._out = study, preset, out
        self._workers, self._cluster = workers, cluster
        plan = study.jobs(preset)
        self._record = Record.open(out, study.name, preset, plan)
        self._jobs = [job for job in plan if seeds is None or job["seed"] < seeds]

    def run(self) -> Iterator[Report]:
        """Do what is not done yet, reporting after each run.

        Raises:
            MachineError: if a worker process dies.
            UserError: if another process is at this study in this directory.
        """
        with writing_lock(self._record.directory):
            yield from self._run()

    def _run(self) -> Iterator[Report]:
        self._record.mend()
        lines = self._record.lines()
        waiting = [job for job in self._jobs if key(job) not in lines]
        waiting.sort(key=lambda job: -job.get("steps", 0))  # no long one is left for the end
        before_s = max((line["elapsed_s"] for line in lines.values()), default=0.0)
        start_s = time.monotonic()
        done = len(self._jobs) - len(waiting)
        yield Report(done, len(self._jobs))
        for line in self._measured(waiting):
            self._record.append({**line, "elapsed_s": before_s + time.monotonic() - start_s})
            shutil.rmtree(self._record.scratch(line["settings"]), ignore_errors=True)
            done += 1
            yield Report(done, len(self._jobs))

    def _measured(self, jobs: Sequence[Settings]) -> Iterator[Line]:
        name = self._study.name
        places = [self._record.scratch(job) for job in jobs]
        tasks = list(zip(jobs, places, strict=True))
        if self._workers == 1 and not self._cluster:
            with one_thread():
                yield from (_measure(self._study, *task) for task in tasks)
            return
        workers = None if self._cluster else self._workers
        with crew_for(Measuring(name), workers, len(tasks), self._cluster) as crew:
            yield from (line for _, line in crew.as_done(tasks))

    def result(self, command: str) -> dict[str, Any]:
        """Conclude, write ``OUT/STUDY.json`` and return what it says."""
        finished = self._record.lines()
        lines = [finished[key(job)] for job in self._jobs]
        rows = [{**line["settings"], **line["measured"]} for line in lines]
        result = {
            "schema": SCHEMA,
            "study": self._study.name,
            "preset": self._preset,
            "question": self._study.summary,
            "summary": self._study.conclude(rows),
            "command": command,
            **circumstances(),
            "versions": _versions(),
            "wall_clock_s": round(max(line["elapsed_s"] for line in lines), 1),
            "compute_s": round(sum(line["wall_s"] for line in lines), 1),
            "rows": rows,
        }
        write_json(self._out / f"{self._study.name}.json", result)
        return result


def _versions() -> Mapping[str, str]:
    return {name: importlib.metadata.version(name) for name in ("torch", "numpy", "scipy")}


@dataclass(frozen=True)
class Measuring:
    """A work of ``agent.cluster``: a task is a job of the study, and where it may work."""

    study: str

    def begin(self) -> Callable[[tuple[Settings, Path]], Line]:
        """Load the study."""
        import torch

        torch.set_num_threads(1)
        study = load(self.study)
        return lambda task: _measure(study, *task)


def _measure(study: Study, settings: Settings, scratch: Path) -> Line:
    scratch.mkdir(parents=True, exist_ok=True)
    start_s = time.perf_counter()
    measured = study.measure(settings, scratch)
    assert measured.keys().isdisjoint(settings), "a measurement has the name of a setting"
    wall_s = round(time.perf_counter() - start_s, 3)
    return {"settings": dict(settings), "measured": measured, "wall_s": wall_s}


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of torch, as a worker has, so that figures do not depend on who computed them."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
