"""Every example in the documentation runs as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/tour.md", "docs/your-own.md")
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(directory: Path, *words: str) -> str:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *words], cwd=directory, env=variables, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page_run_in_order(page: str, tmp_path: Path) -> None:
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    assert blocks, f"expected examples in {page}"
    (tmp_path / "page.py").write_text("\n".join(blocks), encoding="utf-8")
    run(tmp_path, "page.py")


def test_a_robot_loop_reaches_its_goal(tmp_path: Path) -> None:
    code = "from examples.robot_loop import main; assert main() < 1"
    run(tmp_path, "-c", code)


def test_another_planner_comes_nearer_than_doing_nothing(tmp_path: Path) -> None:
    code = "from examples.own_planner import main; assert main(seconds=3.0) < 20"
    run(tmp_path, "-c", code)


def test_ones_own_recordings_become_a_model(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from examples.own_recordings import main; "
        "main(Path('out'), episodes=6, training_steps=3)"
    )
    assert "distance" in run(tmp_path, "-c", code)


def test_the_world_from_scratch_is_posed_and_reaches_goals(tmp_path: Path) -> None:
    """By anybody who pushes towards the goal; ``make_world`` asks whether it keeps the contract."""
    code = f"""
import numpy as np
from envs import make_world, task_named

world = make_world({str(ROOT / "examples" / "own_world.py")!r} + ":Crane")
task = task_named("anywhere", world)
episode = task.episode(world, 0, 0)
episode.begin(world)
for _ in range(30):
    world.step(np.clip(5 * (episode.goal - world.state()), -1, 1))
assert task.judge(world.spec, world.state()[None, None], episode.start, episode).held
assert (world.picture(episode.goal) != world.frame()).mean() < 0.1
"""
    run(tmp_path, "-c", code)
