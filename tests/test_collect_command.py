"""What ``collect`` says comes next: a training, unless that would refuse the recordings."""

from __future__ import annotations

from pathlib import Path

import pytest

import run_agent
from agent.config import default

Output = pytest.CaptureFixture[str]
STILL = """
import numpy as np
from envs import World, WorldSpec

class Still(World):
    spec = WorldSpec("still", "plain", (32, 32), 1, 0.1)
    def reset(self, rng, state=None): pass
    def step(self, action): return False
    def frame(self): return np.full((32, 32, 3), 90, np.uint8)
    def state(self): return np.empty(0)
    def close(self): pass
"""


@pytest.mark.parametrize(
    ("world", "episodes", "steps", "told"),
    [
        ("two-room", 2, "long enough", "next: python run_agent.py train"),
        ("two-room", 2, "too short", "these have at most"),
        ("two-room", 1, "long enough", "holds an episode out"),
        ("still.py:Still", 2, "long enough", "the same picture throughout"),
    ],
)
def test_what_comes_next_is_what_would_work(
    world: str, episodes: int, steps: str, told: str, tmp_path: Path, capsys: Output
) -> None:
    (tmp_path / "still.py").write_text(STILL)
    usual = default()
    least = usual.training.longest_window(usual.model.action_block)
    count = least - 1 if steps == "long enough" else least - 2
    where = world if world == "two-room" else f"{tmp_path}/{world}"
    words = ["collect", "--world", where, "--out", str(tmp_path / "data"), "--workers", "1"]
    words += ["--episodes", str(episodes), "--episode-steps", str(count)]
    assert run_agent.main(words) == 0
    said = "".join(capsys.readouterr())
    assert told in said and ("next:" in said) == told.startswith("next")
    words = ["train", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "run")]
    trained = run_agent.main([*words, "--steps", "1", "--training.warm-start", "0"])
    assert (trained == 0) == told.startswith("next")
