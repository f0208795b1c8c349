"""metrics.jsonl is strict JSON, complete after a kill, and the same after a resume."""

import dataclasses
import json
import os
import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from agent.errors import DamagedDataError
from agent.training.diagnostics import Diagnostics
from agent.training.recorder import METRICS_NAME, read_metrics, record
from agent.training.reports import TrainStatistics

TIMES = ("seconds", "frames_per_s")
PROBED = ("sin wrist", "height")


def diagnostics(step, effective_rank=6.5):
    return Diagnostics(
        effective_rank=effective_rank,
        sigreg=1.25,
        probe_r2=dict.fromkeys(PROBED, 0.5 + step / 1000),
        open_loop_error=tuple(0.01 * step * ahead for ahead in range(1, 11)),
        open_loop_probe_r2=dict.fromkeys(PROBED, 0.25),
    )


def report(step, run=0.0, **changes):
    seen = diagnostics(step) if step % 20 == 0 else None
    plain = TrainStatistics(step, 60, 1 / step, 2 / step, 3 / step, 0.5, step + run, 100.0, seen)
    return dataclasses.replace(plain, **changes)


def reports(first, last, run=0.0):
    return (report(step, run) for step in range(first, last + 1, 10))


def recorded(out, statistics):
    return list(record(statistics, out))


def without_times(lines):
    return [{key: v for key, v in line.items() if key not in TIMES} for line in lines]


def test_every_report_passes_through_and_is_on_disk_first(tmp_path):
    given = list(reports(10, 60))
    for number, (passed, expected) in enumerate(zip(record(given, tmp_path), given, strict=True)):
        assert passed is expected
        assert len(read_metrics(tmp_path)) == number + 1
    assert read_metrics(tmp_path)[1] == json.loads(json.dumps(dataclasses.asdict(given[1])))
    assert "diagnostics" not in read_metrics(tmp_path)[0]


def test_a_killed_and_resumed_run_leaves_the_lines_of_an_uninterrupted_one(tmp_path):
    recorded(tmp_path / "whole", reports(10, 60))
    recorded(tmp_path / "killed", reports(10, 40))  # its last saved state was that of step 20
    with (tmp_path / "killed" / METRICS_NAME).open("a") as file:
        file.write('{"step": 50, "lo')
    recorded(tmp_path / "killed", reports(30, 60, run=500.0))
    whole, resumed = (read_metrics(tmp_path / name) for name in ("whole", "killed"))
    assert without_times(resumed) == without_times(whole)
    assert [line["seconds"] for line in resumed] == [10, 20, 530, 540, 550, 560]


def test_a_run_begun_anew_forgets_all_of_the_lost_one(tmp_path):
    recorded(tmp_path, reports(10, 30))
    recorded(tmp_path, reports(10, 20, run=7.0))
    assert [line["seconds"] for line in read_metrics(tmp_path)] == [17.0, 27.0]


def test_a_line_cut_short_is_left_out(tmp_path):
    recorded(tmp_path, reports(10, 20))
    path = tmp_path / METRICS_NAME
    path.write_bytes(path.read_bytes()[:-5])
    assert [line["step"] for line in read_metrics(tmp_path)] == [10]


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes there")
def test_where_a_name_is_not_utf8_there_are_reports_and_no_tensorboard(tmp_path):
    """TensorBoard cannot encode it and ended the training."""
    place = tmp_path / os.fsdecode(b"run-\xff")
    recorded(place, reports(10, 30))
    assert len(read_metrics(place)) == 3
    assert not (place / "tensorboard").exists()


def test_nothing_to_record_leaves_the_directory_alone(tmp_path):
    assert recorded(tmp_path / "none", iter(())) == []
    assert not (tmp_path / "none").exists()
    assert read_metrics(tmp_path / "none") == []


def test_numbers_json_does_not_have_become_null(tmp_path):
    odd = diagnostics(10, effective_rank=float("nan"))
    recorded(tmp_path, [report(10, loss=float("inf"), diagnostics=odd)])
    line = (tmp_path / METRICS_NAME).read_text()
    assert "NaN" not in line and "Infinity" not in line
    (read,) = read_metrics(tmp_path)
    assert read["loss"] is None and read["diagnostics"]["effective_rank"] is None


@pytest.mark.parametrize("damage", ["rubbish", "[1, 2]", '{"loss": 1}', '{"step": NaN}', "\x00"])
def test_a_damaged_line_is_named_and_never_dropped_silently(tmp_path, damage):
    recorded(tmp_path, reports(10, 20))
    path = tmp_path / METRICS_NAME
    first, last = path.read_text().splitlines()
    path.write_text(f"{first}\n{damage}\n{last}\n")
    with pytest.raises(DamagedDataError, match="line 2"):
        read_metrics(tmp_path)
    with pytest.raises(DamagedDataError, match="line 2"):
        recorded(tmp_path, reports(30, 40))


def test_closing_the_record_closes_the_training(tmp_path):
    closed = []

    def training():
        try:
            yield from reports(10, 60)
        finally:
            closed.append(True)

    recording = record(training(), tmp_path)
    next(recording)
    recording.close()
    assert closed == [True]
    assert [line["step"] for line in read_metrics(tmp_path)] == [10]


def test_tensorboard_shows_each_step_once_after_a_resume(tmp_path):
    recorded(tmp_path, reports(10, 40))
    recorded(tmp_path, reports(30, 60))
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("loss/total")] == [10, 20, 30, 40, 50, 60]
    assert [event.step for event in events.Scalars("probe_r2/sin wrist")] == [20, 40, 60]
    for ahead in (1, 5, 10):
        last = events.Scalars(f"open_loop_error/step_{ahead:02d}")[-1]
        assert last.value == pytest.approx(0.01 * 60 * ahead)
    assert events.Scalars("embedding/effective_rank")[0].value == pytest.approx(6.5)
