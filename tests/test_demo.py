"""``demo`` on the tiny preset: from nothing to a report, and a second run that finds it done."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import run_agent
from agent.commands import measuring
from agent.commands.demo import Demo
from agent.commands.measurement import Measurement
from agent.commands.worlds_asked import WorldAsked
from agent.errors import MachineError
from agent.model.checkpoint import save_checkpoint
from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from envs import WorldError, WorldSpec

Output = pytest.CaptureFixture[str]
SMALL = ["--preset", "tiny", "--rollouts", "21", "--sac-env-steps", "800", "--episodes", "2"]
SMALL += ["--workers", "1"]  # two threads on a busy machine are slower than one


def test_what_was_measured_before_a_process_was_lost_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = []
    demo = Demo(tmp_path, "two-room")
    floors = [
        Measurement(name, None, WorldAsked("two-room"), "anywhere", 1, 0)
        for name in ("noop", "random")
    ]

    def measure(
        jobs: list[Measurement], workers: int, called: str
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, job in enumerate(jobs):
            if len(played) == 1:
                played.append("lost")
                raise MachineError("a process was lost")
            played.append(job.controller)
            yield number, job.run(lambda done, total, text="": None)

    monkeypatch.setattr(measuring, "measure_each", measure)
    for _ in range(2):
        with suppress(MachineError):
            demo._do_each(demo._unmeasured(floors))
    assert played == ["noop", "lost", "random"]


def test_the_demo_ends_with_a_report_and_does_nothing_twice(tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "demo"
    assert run_agent.main(["demo", "--out", str(out), *SMALL]) == 0
    page = (out / "report.html").read_text()
    assert page.count("<video") == 3
    assert "has not been shown to have learned to steer" in page  # of 2 episodes nothing follows
    assert "stopped there" in page and "oracle" not in page
    stages = json.loads((out / "stages.json").read_text())["stages"]
    assert list(stages) == ["rollouts", "world model", "SAC and evaluation", "films and report"]
    assert all(stage["done"] for stage in stages.values())
    others = sum(stage["seconds"] for name, stage in stages.items() if "films" not in name)
    shown = re.search(r"Together</th><td[^>]*>([\d.]+) (s|min)</td>", page)
    assert shown is not None
    unit_s = {"s": 1, "min": 60}[shown[2]]
    assert (float(shown[1]) + 0.05) * unit_s > others + 0.5  # so the films are counted
    for protocol in ("lewm", "anywhere"):
        for controller in ("world-model", "sac", "random", "noop"):
            result = json.loads((out / "results" / f"{protocol}-{controller}.json").read_text())
            assert len(result["per_episode"]) == 2
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("play with it: python run_agent.py live --checkpoint ")
    assert f"--beside {out / 'sac'}" in last

    assert run_agent.main(["demo", "--out", str(out), *SMALL]) == 0
    assert capsys.readouterr().out.count("done before") == len(stages)
    assert (out / "report.html").read_text() == page

    assert run_agent.main(["demo", "--out", str(out), *SMALL, "--seed", "1"]) == 2
    assert "seed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("calls_itself", "named"),
    [("lamp", "./my w.py:Lamp"), ("./my w.py:Lamp", "./my w.py:Lamp"), ("two-room", None)],
)
def test_to_play_with_it_a_users_world_is_named(
    tmp_path: Path, calls_itself: str, named: str | None
) -> None:
    encoder = EncoderConfig(latent_dim=4, channels=(4, 4, 4), hidden=8)
    config = WorldModelConfig(encoder, PredictorConfig(width=8, blocks=1))
    spec = WorldSpec(calls_itself, "plain", (32, 32), 2, 0.1)
    demo = Demo(tmp_path, "./my w.py:Lamp")
    save_checkpoint(demo.world_model / "checkpoint", WorldModel(config, spec), {})
    assert demo._world_to_name() == named


SHORT_LIVED = """
import numpy as np
from envs import Column, WorldSpec

class Short:
    ticks = 30
    spec = WorldSpec("short", "plain", (16, 16), 1, 0.1, (Column("x", tolerance=0.1),))
    def reset(self, rng, state=None):
        self.x, self.n = rng.uniform(-1, 1, 1), 0
    def step(self, action):
        self.x, self.n = self.x + 0.1 * action, self.n + 1
        return self.n >= self.ticks
    def frame(self):
        return np.zeros((16, 16, 3), np.uint8)
    def state(self):
        return self.x.copy()
    def close(self):
        pass

class Shortest(Short):
    ticks = 4
"""


def test_goals_are_nearer_where_episodes_end_sooner(tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "mine.py").write_text(SHORT_LIVED)
    demo = Demo(tmp_path / "demo", f"{tmp_path / 'mine.py'}:Short", sac_env_steps=0)
    demo._check()
    assert demo._protocols() == ["hindsight-t25-b37", "hindsight"]
    assert "hindsight-t25-b37 in place of hindsight-t100-b150" in capsys.readouterr().out


def test_episodes_too_short_for_any_goal_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SHORT_LIVED)
    demo = Demo(tmp_path / "demo", f"{tmp_path / 'mine.py'}:Shortest", sac_env_steps=0)
    with pytest.raises(WorldError, match=r"of at least 25 steps.*evaluate --protocol"):
        demo._check()
    assert not (tmp_path / "demo").exists()
