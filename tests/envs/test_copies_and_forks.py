"""A world that has drawn can be copied, pickled and forked; the copy draws by itself."""

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import envs.mujoco_stage as mujoco_stage
from envs import World, make_world


@pytest.fixture(params=["reacher", "dmc:point_mass-easy"])
def drawn(request: pytest.FixtureRequest) -> Iterator[World]:
    world = make_world(request.param)
    world.reset(np.random.default_rng(0))
    world.frame()
    yield world
    world.close()


def pickled(world: World) -> World:
    copied: World = pickle.loads(pickle.dumps(world))
    return copied


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_a_copy_draws_the_same_and_moves_alone(
    drawn: World, copied: Callable[[World], World]
) -> None:
    before = drawn.frame()
    other = copied(drawn)
    assert other.drawn_with() == drawn.drawn_with()  # before it has drawn anything
    assert np.array_equal(other.frame(), before)
    for _ in range(10):
        other.step(np.ones(other.spec.action_dim))
    assert not np.array_equal(other.frame(), before)
    assert np.array_equal(drawn.frame(), before)
    other.close()
    assert np.array_equal(drawn.frame(), before)


def test_copies_share_one_context_and_give_it_back(drawn: World) -> None:
    contexts, cameras = len(mujoco_stage._stages), _cameras()
    other = copy.deepcopy(drawn)
    other.frame()
    assert len(mujoco_stage._stages) == contexts and _cameras() == cameras + 1
    drawn.close()
    other.frame()
    other.close()
    assert _cameras() == cameras - 1
    assert all(stage.users for stage in mujoco_stage._stages.values())


def _cameras() -> int:
    return sum(stage.users for stage in mujoco_stage._stages.values())


FORKS = """
import multiprocessing, numpy as np
from envs import GLError, make_world
world = make_world("reacher")
before = world.frame()
context = multiprocessing.get_context("fork")
answers = context.Queue()
def draw():
    try:
        answers.put(str(np.array_equal(world.frame(), before)))
        world.close()
    except GLError as error:
        answers.put(str(error))
child = context.Process(target=draw)
child.start()
print(answers.get(timeout=30))
child.join()
print(child.exitcode, np.array_equal(world.frame(), before))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Mesa, and fork")
@pytest.mark.parametrize(("threads", "said"), [("0", "True"), ("2", "'spawn', or unset LP_NUM")])
def test_a_fork_draws_anew_or_says_why_not(threads: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS], env={**os.environ, "LP_NUM_THREADS": threads},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer, after = done.stdout.splitlines()
    assert said in answer
    assert after == "0 True"
