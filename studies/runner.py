"""Run a study: unfinished runs on worker processes, each kept as soon as it is finished.

Every run is seeded and has one thread, so neither the number of workers nor an interruption
changes a figure.
"""

from __future__ import annotations

import importlib.metadata
import multiprocessing
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.cluster.processes import children_ignore_interrupts
from agent.cluster.serving import ignore_interrupts
from agent.errors import LOST_WORKER, MachineError
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

    ``seeds``: do only the first so many of the preset's seeds, in each setting that has them;
    a later runner with more of them goes on from there.
    """

    def __init__(
        self, study: Study, preset: Preset, out: Path, workers: int = 1, seeds: int | None = None
    ) -> None:
        if workers < 1:
            raise ValueError(f"expected one worker or more, got {workers}")
        if seeds is not None and seeds < 1:
            raise ValueError(f"expected one seed or more, got {seeds}")
        self._study, self._preset, self._out, self._workers = study, preset, out, workers
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
        lines = self._record.lines()
        waiting = [job for job in self._jobs if key(job) not in lines]
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
        if self._workers == 1:
            with one_thread():
                for job, place in zip(jobs, places, strict=True):
                    yield _measure(self._study, job, place)
            return
        with _crew(min(self._workers, max(1, len(jobs)))) as crew:
            with children_ignore_interrupts():  # they are started as jobs are handed out
                futures = [
                    crew.submit(_work, name, *task) for task in zip(jobs, places, strict=True)
                ]
            for future in as_completed(futures):
                yield _finished(future)

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


def _work(name: str, settings: Settings, scratch: Path) -> Line:
    return _measure(load(name), settings, scratch)


def _measure(study: Study, settings: Settings, scratch: Path) -> Line:
    scratch.mkdir(parents=True, exist_ok=True)
    start_s = time.perf_counter()
    measured = study.measure(settings, scratch)
    assert measured.keys().isdisjoint(settings), "a measurement has the name of a setting"
    wall_s = round(time.perf_counter() - start_s, 3)
    return {"settings": dict(settings), "measured": measured, "wall_s": wall_s}


def _finished(future: Future[Line]) -> Line:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise MachineError(
            f"a working process died, {LOST_WORKER}. Every finished run is kept: run the same "
            "command again"
        ) from error


@contextmanager
def _crew(count: int) -> Iterator[ProcessPoolExecutor]:
    """A pool that leaves no process behind, in whatever way the body ends."""
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    crew = ProcessPoolExecutor(count, mp_context=context, initializer=_settle_in)
    try:
        yield crew
    except BaseException:
        crew.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    crew.shutdown()


def _settle_in() -> None:
    import torch

    ignore_interrupts()
    torch.set_num_threads(1)


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
