"""What ``collect`` says comes next: a training, unless that would refuse the recordings."""

from __future__ import annotations

from pathlib import Path

import pytest

import run_agent
from agent.config import default
from agent.data import CollectConfig, collect

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


def test_a_world_that_does_not_repeat_itself_is_told_of_before_it_is_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    small = Path(__file__).parent / "envs" / "small_worlds.py"
    (tmp_path / "moods.py").write_text(
        "import importlib.util, random\n"
        f"spec = importlib.util.spec_from_file_location('small', {str(small)!r})\n"
        "small = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(small)\n"
        "class Even(small.Pendulum): pass\n"
        "class Moody(small.Pendulum):\n"
        "    def reset(self, *, seed=None, options=None):\n"
        "        return super().reset(seed=random.randrange(2**31))\n"
    )
    for name, times in (("Even", 0), ("Moody", 1), ("Moody", 1)):  # and not again of more episodes
        config = {"world": f"{tmp_path / 'moods.py'}:{name}", "image_size": 16, "workers": 1}
        out = tmp_path / name
        collect(CollectConfig(out, **config, episodes=1, episode_steps=4))  # type: ignore[arg-type]
        assert caplog.text.count("something else after the same seed") == times
