"""A world of one's own, in one file beside nothing else, goes through the whole program."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import run_agent

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "own_gymnasium_world.py"
NAME = f"{EXAMPLE.name}:Pendulum"
WORLD = f"./{NAME}"
Output = pytest.CaptureFixture[str]

CONTROLLER = """
import numpy as np
from agent.interfaces import Decision, Needs

class Mine:
    name, needs = "mine", Needs(pixels=False, state=True)

    def __init__(self, spec):
        self.width = spec.action_dim

    def reset(self, goals, seeds):
        self.goals = goals.state

    def act(self, seen):
        pull = 2.0 * np.sin(self.goals[:, :1] - seen.state[:, :1]) - 0.5 * seen.state[:, 1:]
        return Decision(np.clip(pull + 0.67 * np.sin(self.goals[:, :1]), -1.0, 1.0))

class Half:
    def __init__(self, spec):
        self.name = "half"
"""

DISCRETE = """
import gymnasium
import numpy as np
from gymnasium import spaces

class Switch(gymnasium.Env):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}
    action_space, observation_space = spaces.Discrete(2), spaces.Box(-1, 1, (1,))

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        return np.zeros(1), {}

    def step(self, action):
        return np.zeros(1), 0.0, False, False, {}

    def render(self):
        return np.zeros((16, 16, 3), np.uint8)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's folder: their file, its recordings and a model that knows next to nothing."""
    place = tmp_path_factory.mktemp("own-world")
    shutil.copy(EXAMPLE, place)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        size = ["--episodes", "3", "--episode-steps", "80", "--episodes-per-shard", "1"]
        words = ["collect", "--world", WORLD, "--out", "data", *size, "--workers", "1"]
        assert run_agent.main(words) == 0
        words = ["train", "--data", "data", "--out", "run", "--preset", "tiny", "--threads", "1"]
        assert run_agent.main([*words, "--training.sigreg-weight", "0.5"]) == 0
    return place


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


def refused(words: list[str], output: Output) -> str:
    """The one line that says why ``words`` are refused, as a user's mistake."""
    assert run_agent.main(words) == 2
    said = output.readouterr().err
    assert "Traceback" not in said
    assert sum(line.startswith("error: ") for line in said.splitlines()) == 1
    return " ".join(said.split())


def test_it_fits_in_forty_lines() -> None:
    lines = EXAMPLE.read_text().split('"""', 2)[2].splitlines()
    assert len([line for line in lines if line.strip()]) <= 40


def test_recordings_and_model_know_the_world_by_the_users_name(here: Path) -> None:
    header = json.loads((here / "data" / "dataset.json").read_text())
    config = json.loads((here / "run" / "checkpoint" / "config.json").read_text())
    for told in (header["spec"], config["world"]):
        assert told["world"] == NAME
        assert [column["name"] for column in told["state"]] == ["angle", "speed"]


def test_it_is_steered_to_a_goal_and_filmed(here: Path, capsys: Output) -> None:
    control = ["control", "--checkpoint", "run", "--world", WORLD]
    words = [*control, "--goal-seed", "3", "--seconds", "0.5"]
    assert run_agent.main([*words, "--video", "film.gif", "--save-goal", "goal.png"]) == 0
    assert "final error" in capsys.readouterr().out
    assert (here / "film.gif").stat().st_size > 0
    picture = [*control, "--goal-image", "goal.png", "--seconds", "0.2"]
    assert run_agent.main(picture) == 0
    assert "difference from the goal picture" in capsys.readouterr().out


def test_it_is_evaluated_in_hindsight_beside_the_floors(here: Path, capsys: Output) -> None:
    words = ["evaluate", "--checkpoint", "run", "--protocol", "hindsight", "--episodes", "2"]
    assert "code you trust, say --world" in refused(words, capsys)
    words += ["--world", WORLD]
    assert run_agent.main([*words, "--json", "result.json"]) == 0
    found = json.loads((here / "result.json").read_text())
    assert (found["world"], found["protocol"], found["episodes"]) == (NAME, "hindsight", 2)
    assert found["final_error"]["unit"] == "rad"
    assert set(found["floors"]) == {"random", "noop"}
    assert "world-model" in capsys.readouterr().out


def test_it_is_evaluated_on_recordings_alone(here: Path) -> None:
    assert run_agent.main(["evaluate", "--checkpoint", "run", "--data", "data"]) == 0


def test_a_controller_of_ones_own_is_measured(here: Path, capsys: Output) -> None:
    (here / "mine.py").write_text(CONTROLLER)
    words = ["evaluate", "--world", WORLD, "--protocol", "hindsight", "--episodes", "4"]
    words += ["--controller", "./mine.py:Mine", "--json", "mine.json"]
    assert run_agent.main(words) == 0
    found = json.loads((here / "mine.json").read_text())
    assert found["controller"] == "mine"  # its own name
    assert found["final_error"]["median"] < found["floors"]["noop"]["final_error"]["median"]
    assert "mine" in capsys.readouterr().out


PLANNER = """
import numpy as np
from agent.control.mpc import WorldModelController
from agent.control.torch_model import TorchModel
from agent.model.checkpoint import load_checkpoint
from planners.search import Search

dict = dict

class Picky:
    def __init__(self, how): pass

class Short:
    def plan(self, cost_fn): pass

class Lazy:
    def plan(self, cost_fn, warm_start, bounds, noise, deadline=None):
        return Search(cost_fn, warm_start, bounds, deadline).plan()

def mine(spec, checkpoint):
    return WorldModelController(TorchModel(load_checkpoint(checkpoint)), Lazy())
"""


def test_a_planner_of_ones_own_is_measured_and_filmed(here: Path, capsys: Output) -> None:
    """One that keeps its plan of nothing does as who does nothing; however it is named."""
    (here / "lazy.py").write_text(PLANNER)
    words = ["evaluate", "--checkpoint", "run", "--world", WORLD, "--protocol", "hindsight"]
    words += ["--episodes", "3", "--json", "lazy.json"]
    for how in (["--planner", "lazy.py:Lazy"], ["--controller", "lazy.py:mine"]):
        assert run_agent.main([*words, *how]) == 0
        found = json.loads((here / "lazy.json").read_text())
        assert found["final_error"]["median"] == found["floors"]["noop"]["final_error"]["median"]
    steered = ["control", "--checkpoint", "run", "--world", WORLD, "--seconds", "0.2"]
    assert run_agent.main([*steered, "--planner", "lazy.py:Lazy"]) == 0
    capsys.readouterr()
    assert "did you mean 'icem'" in refused([*steered, "--planner", "icme"], capsys)
    assert "lacks plan()" in refused([*steered, "--planner", "lazy.py:dict"], capsys)
    assert "lazy.py:Picky to take ()" in refused([*steered, "--planner", "lazy.py:Picky"], capsys)
    short = refused([*steered, "--planner", "lazy.py:Short"], capsys)
    assert "plan() of lazy.py:Short to take (cost_fn, warm_start, bounds, noise" in short
    assert "'Nobody' in lazy.py" in refused([*steered, "--planner", "lazy.py:Nobody"], capsys)


def test_what_is_no_controller_is_told_what_it_lacks(here: Path, capsys: Output) -> None:
    (here / "mine.py").write_text(CONTROLLER)
    words = ["evaluate", "--world", WORLD, "--controller"]
    assert "lacks needs, reset, act" in refused([*words, "./mine.py:Half"], capsys)
    assert "'Nobody' in mine.py" in refused([*words, "mine.py:Nobody"], capsys)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("import numpy\n\nimport no_such_module\n", "line 3: ModuleNotFoundError"),
        ("a = 1\nb = 1 / 0\n", "line 2: ZeroDivisionError"),
        ("a = 1\n\n\ndef f(:\n", "line 4: SyntaxError"),
    ],
)
def test_a_file_that_does_not_load_shows_its_own_line(
    here: Path, capsys: Output, content: str, said: str
) -> None:
    (here / "broken.py").write_text(content)
    world = refused(["collect", "--world", "./broken.py:World", "--out", "x"], capsys)
    behaviour = ["collect", "--world", WORLD, "--behaviour", "broken.py:wave", "--out", "x"]
    controller = ["evaluate", "--world", WORLD, "--controller", "./broken.py:Mine"]
    for told in (world, refused(behaviour, capsys), refused(controller, capsys)):
        assert f"broken.py failed to load, {said}" in told
    assert not (here / "x").exists()


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ("gym:NoSuch-v0", "gym:NoSuch-v0 cannot be made"),
        ("gym:CartPole-v1", "Box of real numbers, got Discrete(2)"),
        ("dmc:cartpole-swngup", "did you mean 'dmc:cartpole-swingup'?"),
        ("./switch.py:Switch", "Box of real numbers, got Discrete(2)"),
        ("./switch.py:Swich", "expected a class 'Swich' in switch.py, got Switch"),
        ("./nowhere.py:World", "expected a Python file at nowhere.py"),
        ("./switch.py", "name it as switch.py:MyWorld"),
    ],
)
def test_what_is_no_world_is_refused_in_one_line(
    here: Path, capsys: Output, world: str, said: str
) -> None:
    (here / "switch.py").write_text(DISCRETE)
    assert said in refused(["collect", "--world", world, "--out", "x"], capsys)
    assert not (here / "x").exists()


def test_the_theory_is_asked_of_it(here: Path) -> None:
    pytest.importorskip("sklearn")
    size = ["--episodes", "16", "--episode-steps", "40", "--workers", "1"]
    assert run_agent.main(["collect", "--world", WORLD, "--out", "more", *size]) == 0
    words = ["diagnose", "--data", "more", "--checkpoint", "run", "--out", "diagnosis.html"]
    assert run_agent.main(words) == 0
    assert Path("diagnosis.html").stat().st_size > 10_000


def test_what_it_cannot_do_is_said_with_what_can_be_done(here: Path, capsys: Output) -> None:
    control = ["control", "--checkpoint", "run", "--world", WORLD]
    posed = refused([*control, "--goal-state", "0.5"], capsys)
    assert "cannot be posed; give a goal picture" in posed
    words = ["evaluate", "--checkpoint", "run", "--world", WORLD, "--protocol", "anywhere"]
    anywhere = refused(words, capsys)
    assert "expected one of hindsight" in anywhere


def test_no_file_of_the_program_is_touched(here: Path) -> None:
    mine = {"data", "run", EXAMPLE.name}
    assert mine <= {path.name for path in here.iterdir()}
    assert EXAMPLE.read_bytes() == (here / EXAMPLE.name).read_bytes()


MISTAKEN = """
import numpy as np
from agent.interfaces import Decision, Needs

class Bare:
    name, needs = "bare", Needs(pixels=False)
    def __init__(self, spec): pass
    def reset(self, goals, seeds): pass
    def act(self, seen): return np.zeros((1, 1))

class Words(Bare):
    def act(self, seen): return Decision([["left"]])

class Wants(Bare):
    needs = frozenset({"pixels"})

class Alone(Bare):
    def __init__(self): pass

def wave(rng, ticks): return lambda world, t: np.zeros(1)
def none(rng, ticks, action_dim): pass
def blind(rng, ticks, action_dim): return lambda t: np.zeros(1)
def wide(rng, ticks, action_dim): return lambda world, t: np.zeros(2)
def strong(rng, ticks, action_dim): return lambda world, t: np.full(1, 1.5)
"""


@pytest.mark.parametrize(
    ("words", "part", "said"),
    [
        ("", "Bare", "act() of controller 'bare' to return an agent.interfaces.Decision, got nda"),
        ("--delay-ticks 1", "Bare", "agent.interfaces.Decision, got ndarray"),
        ("", "Words", "expected numbers as actions from 'bare', got [['left']]"),
        ("", "Wants", "agent.interfaces.Needs, got frozenset({'pixels'})"),
        ("", "Alone", "expected mistaken.py:Alone to take (spec), got ()"),
    ],
)
def test_a_mistake_in_a_controller_is_one_line(
    here: Path, capsys: Output, words: str, part: str, said: str
) -> None:
    (here / "mistaken.py").write_text(MISTAKEN)
    given = ["evaluate", "--world", WORLD, "--controller", f"mistaken.py:{part}", "--no-floors"]
    assert said in refused([*given, "--episodes", "1", *words.split()], capsys)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("wave", "mistaken.py:wave to take (rng, ticks, action_dim), got (rng, ticks)"),
        ("none", "to draw a policy, a function of (world, t) that gives an action, got None"),
        ("blind", "the policy of behaviour 'mistaken.py:blind' to take (world, t), got (t)"),
        ("wide", "actions (1,) in [-1, 1] of behaviour 'mistaken.py:wide', got array([0., 0.])"),
        ("strong", "got array([1.5]) at tick 0"),
    ],
)
def test_a_mistake_in_a_behaviour_is_one_line(
    here: Path, capsys: Output, part: str, said: str
) -> None:
    (here / "mistaken.py").write_text(MISTAKEN)
    words = ["collect", "--world", WORLD, "--episodes", "1", "--workers", "1", "--out", "x"]
    assert said in refused([*words, "--behaviour", f"mistaken.py:{part}"], capsys)
    shutil.rmtree(here / "x", ignore_errors=True)


FAILING = """
from agent.interfaces import Needs

class Stumbles:
    name, needs = "stumbles", Needs(pixels=False)
    def __init__(self, spec): pass
    def reset(self, goals, seeds): pass
    def act(self, seen):
        return 1 / 0
"""


def test_a_failure_in_the_users_own_code_names_their_line(here: Path, capsys: Output) -> None:
    (here / "stumbling.py").write_text(FAILING)
    words = ["evaluate", "--world", WORLD, "--controller", "stumbling.py:Stumbles", "--no-floors"]
    said = refused([*words, "--episodes", "1"], capsys)
    assert "stumbling.py, line 9, in act: ZeroDivisionError" in said
