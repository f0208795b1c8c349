"""The time left that a job tells, where its parts take different times."""

import pytest

from agent.commands import progress
from agent.config import preset
from agent.training.settings import TrainingConfig

CONFIG = TrainingConfig(steps=100, warm_start=0.2, settling=0.5)


@pytest.mark.parametrize("start", [0, 45])
def test_time_left_is_exact_where_the_effort_is(monkeypatch, start):
    now_s, told = [0.0], []
    monkeypatch.setattr(progress.time, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(progress, "note", told.append)
    update = progress.PlainLines("steps", CONFIG.effort)
    end_s = 600 * (CONFIG.effort(100) - CONFIG.effort(start))  # ten minutes a step of both
    for done in range(start, 101):
        now_s[0] = 600 * (CONFIG.effort(done) - CONFIG.effort(start))
        update(done, 100)
        if start < done < 100:
            assert told[-1] == f"steps {done}/100  {progress.duration(end_s - now_s[0])} left"
    assert told[-1] == "steps 100/100"


def test_effort_counts_steps_of_both_networks():
    assert CONFIG.effort(50) - CONFIG.effort(20) == pytest.approx(30)
    assert 0 < CONFIG.effort(100) - CONFIG.effort(50) < CONFIG.effort(20) < 20
    efforts = [CONFIG.effort(step) for step in range(101)]
    assert efforts[0] == 0 and sorted(efforts) == efforts
    assert preset("lewm").training.effort(700) == 700  # every step is one of both


def test_a_line_is_not_said_twice(capsys):
    lines = progress.PlainLines("walking")
    for done in (1, 2, 2):
        lines(done, 2)
    assert capsys.readouterr().err.count("2/2") == 1
