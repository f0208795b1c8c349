"""What training said, kept on disk: ``metrics.jsonl`` for programs, ``tensorboard/`` for people.

``metrics.jsonl`` is one strict JSON object a report. A resumed run first drops what the lost run
said about steps it is about to repeat, so the file of a run killed and resumed equals that of an
uninterrupted one in all but times.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from agent.errors import DamagedDataError
from agent.files.durable import explained_disk_errors, write_durably

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from agent.training.reports import TrainStatistics

_log = logging.getLogger(__name__)
METRICS_NAME = "metrics.jsonl"
CURVES_NAME = "curves.png"  # drawn of it
TENSORBOARD_NAME = "tensorboard"
OPEN_LOOP_STEPS = (1, 5, 10)  # model steps ahead that get a curve of their own


def record(statistics: Iterable[TrainStatistics], out: Path) -> Iterator[TrainStatistics]:
    """Pass every report on, written down first; closing this closes ``statistics``.

    Raises:
        DamagedDataError: if ``out`` holds a ``metrics.jsonl`` with a line that is no report.
        UserError, MachineError: if nothing can be written there.
    """
    recorder: _Recorder | None = None
    try:
        for report in statistics:
            recorder = recorder or _Recorder(out, report.step)
            recorder.write(report)
            yield report
    finally:
        try:
            if isinstance(statistics, Iterator) and hasattr(statistics, "close"):
                statistics.close()
        finally:
            if recorder is not None:
                recorder.close()


def read_metrics(out: Path) -> list[dict[str, Any]]:
    """All reports in ``out``, oldest first; none if nothing was recorded.

    A last line that a kill cut short is left out; DamagedDataError if any other is no report.
    """
    path = out / METRICS_NAME
    if not path.exists():
        return []
    content = path.read_bytes()
    whole_lines = content[: content.rfind(b"\n") + 1].split(b"\n")[:-1]
    return [_parsed(line, path, number) for number, line in enumerate(whole_lines, 1)]


class _Recorder:
    """Both files of a run whose next report is about ``first_step``."""

    def __init__(self, out: Path, first_step: int) -> None:
        self._out = out
        with explained_disk_errors(out):
            out.mkdir(parents=True, exist_ok=True)
            _forget_from(out, first_step)
            self._lines: TextIO = (out / METRICS_NAME).open("a", encoding="utf-8")
            self._events = _event_writer(out / TENSORBOARD_NAME, first_step)

    def write(self, report: TrainStatistics) -> None:
        """One line and one point on every curve, handed to the system when this returns."""
        line = json.dumps(_json_ready(report), allow_nan=False)
        with explained_disk_errors(self._out):
            self._lines.write(line + "\n")
            self._lines.flush()
            if self._events is not None:
                for name, value in scalars(report).items():
                    self._events.add_scalar(name, value, report.step)
                self._events.flush()

    def close(self) -> None:
        with explained_disk_errors(self._out):
            self._lines.close()
            if self._events is not None:
                self._events.close()


def scalars(report: TrainStatistics) -> dict[str, float]:
    """The curves of one report by their TensorBoard names."""
    curves = {
        "loss/total": report.loss,
        "loss/one_step": report.one_step,
        "loss/multi_step": report.multi_step,
        "loss/sigreg": report.sigreg,
        "speed/frames_per_s": report.frames_per_s,
    }
    seen = report.diagnostics
    if seen is None:
        return curves
    curves |= {
        "embedding/effective_rank": seen.effective_rank,
        "embedding/sigreg_held_out": seen.sigreg,
    }
    curves |= {f"probe_r2/{name}": value for name, value in seen.probe_r2.items()}
    curves |= {f"probe_r2_ahead/{name}": r2 for name, r2 in seen.open_loop_probe_r2.items()}
    errors = dict(enumerate(seen.open_loop_error, 1))
    known = [steps for steps in OPEN_LOOP_STEPS if steps in errors]
    return curves | {f"open_loop_error/step_{steps:02d}": errors[steps] for steps in known}


def _event_writer(directory: Path, first_step: int) -> SummaryWriter | None:
    """None without TensorBoard, which is an extra."""
    # Takes seconds to import. purge_step makes TensorBoard hide what a lost run said of steps
    # from there on.
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError:
        return None
    if any("\ud800" <= letter <= "\udfff" for letter in str(directory)):
        _log.warning("no %s/: TensorBoard cannot write where a name is not UTF-8", directory.name)
        return None
    return SummaryWriter(str(directory), purge_step=first_step)


def _forget_from(out: Path, first_step: int) -> None:
    """Rewrite ``metrics.jsonl`` without reports from ``first_step`` on, if it has any."""
    path = out / METRICS_NAME
    if not path.exists():
        return
    kept = [report for report in read_metrics(out) if report["step"] < first_step]
    content = "".join(json.dumps(report, allow_nan=False) + "\n" for report in kept).encode()
    if content != path.read_bytes():
        write_durably(path, content)


def _json_ready(report: TrainStatistics) -> Any:
    fields = dataclasses.asdict(report)
    if report.diagnostics is None:
        del fields["diagnostics"]
    return _without_nan(fields)


def _without_nan(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become null."""
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _parsed(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        report = json.loads(line, parse_constant=_refuse_constant)
        if not isinstance(report["step"], int):
            raise ValueError("step is no whole number")
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedDataError(
            f"{path}, line {number}: expected the report of a training step, got {line[:60]!r} "
            f"({error}); move the file away to continue without it"
        ) from error
    return dict(report)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
