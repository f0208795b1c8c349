"""What cannot be a world is refused in words that say what is wrong."""

from contextlib import closing
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from envs import Column, GLError, WorldError, load_user_module, make_world, stepped
from envs.catalogue import ENTRY_POINTS
from envs.checking import check_world
from envs.gymnasium_world import GymnasiumWorld

FILE = Path(__file__).with_name("small_worlds.py")
SMALL = load_user_module(FILE)


def refused(env: gymnasium.Env, match: str) -> None:
    with pytest.raises(WorldError, match=match):
        check_world(GymnasiumWorld(env, "it"), "it")


def pendulum(**parts: object) -> gymnasium.Env:
    env = SMALL.Pendulum("rgb_array")
    for name, value in parts.items():
        setattr(env, name, value)
    return env


def test_an_environment_that_does_not_fit_is_refused() -> None:
    blank = np.zeros((8, 8, 3))
    refused(pendulum(render_mode=None), "rgb_array")
    refused(pendulum(action_space=spaces.Discrete(3)), "Box")
    refused(pendulum(action_space=spaces.Box(-np.inf, np.inf, (1,))), "finite box of actions")
    refused(pendulum(told=lambda: {"state": [np.nan, 0.0]}), "finite numbers")
    refused(pendulum(told=lambda: {"state": [0.0]}), "state_columns")
    named = {"told": lambda: {}, "_observe": lambda: {"angle": 0.0}}
    observed = spaces.Dict({"angle": spaces.Box(-1, 1)})
    refused(pendulum(**named, observation_space=observed), "observes Dict, and without info")
    refused(pendulum(told=lambda: {"state": "ready"}), "info.'state'. of it .*of numbers")
    refused(pendulum(told=lambda: {"state": {"x": 1.0}}), "info.'state'. of it .*of numbers")
    refused(pendulum(told=lambda: {"state": 1.5}), r"a state \(S,\) of finite numbers")
    refused(pendulum(state_columns=("angle", "speed")), "envs.Column in state_columns")
    refused(pendulum(render=lambda: np.zeros((8, 8, 4), np.uint8)), "red, green and blue")
    refused(pendulum(render=lambda: blank), "uint8 frames")
    refused(pendulum(render=lambda: blank[..., 0].astype(np.uint8)), r"got uint8 \(8, 8\)")
    refused(pendulum(render=lambda: None), "NoneType")
    refused(pendulum(metadata={"render_fps": "30"}), "number as render_fps.*got '30'")


def test_an_environment_may_tell_nothing_besides() -> None:
    env = pendulum(told=lambda: None)
    assert GymnasiumWorld(env, "it").state().shape == (2,)  # what it observes


def test_an_environment_may_come_from_a_function_and_must_be_told_how_to_draw(
    tmp_path: Path,
) -> None:
    (tmp_path / "odd.py").write_text(
        f"import importlib.util\n"
        f"spec = importlib.util.spec_from_file_location('small', {str(FILE)!r})\n"
        "small = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(small)\n"
        "from gymnasium.wrappers import TimeLimit\n"
        "def make(): return TimeLimit(small.Pendulum('rgb_array'), 5)\n"
        "def loose(**chosen): return make()\n"
        "def asked(render_mode): return small.Pendulum(render_mode)\n"
        "class Modeless(small.Pendulum):\n"
        "    def __init__(self): super().__init__('rgb_array')\n"
    )
    with closing(make_world(f"{tmp_path / 'odd.py'}:make")) as world:
        assert world.spec.action_dim == 1
        assert sum(stepped(world, np.zeros(1)) for _ in range(5)) == 1
    for name in ("make", "loose", "asked"):
        with closing(make_world(f"{tmp_path / 'odd.py'}:{name}", image_size=48)) as world:
            assert world.frame().shape == (48, 48, 3)
    with pytest.raises(WorldError, match=r"render_mode.*give its __init__ one"):
        make_world(f"{tmp_path / 'odd.py'}:Modeless")


def test_a_program_gives_the_world_that_it_has() -> None:
    drawn = SMALL.Pendulum("rgb_array")
    for given in (SMALL.Pendulum, SMALL.Pendulum("rgb_array"), lambda: drawn, SMALL.SlideWorld):
        with closing(make_world(given, image_size=24)) as world:
            assert world.spec.action_dim == 1 and world.frame().shape == (24, 24, 3)
    own = SMALL.SlideWorld()
    assert make_world(own) is own and make_world(Path("two-room")).spec.world == "two-room"
    with pytest.raises(WorldError, match="int is no world: it lacks spec"):
        make_world(3)


def failing(*_: object, **__: object) -> None:
    raise ValueError("the motor is off")


def test_what_an_environment_raises_is_told_as_its_own() -> None:
    refused(pendulum(render=failing), "it cannot draw: the motor is off")
    refused(pendulum(reset=failing), "it cannot begin: the motor is off")
    world = GymnasiumWorld(pendulum(step=failing), "it")
    with pytest.raises(WorldError, match="it cannot step: the motor is off"):
        world.step(np.zeros(1))


@pytest.mark.parametrize(("chosen", "told"), [("disabled", "rendering off"), ("glfw", "a display")])
def test_an_environment_that_draws_with_mujoco_needs_opengl(
    chosen: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUJOCO_GL", chosen)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(GLError, match=told):
        make_world("gym:InvertedPendulum-v5")


def test_frames_that_change_size_are_refused() -> None:
    sizes = iter([8, 9])
    env = pendulum(render=lambda: np.zeros((next(sizes), 8, 3), np.uint8))
    refused(env, "one size")


@pytest.mark.parametrize("parts", [{}, {"state_columns": None}])
def test_what_an_environment_tells_becomes_the_state(parts: dict) -> None:
    world = GymnasiumWorld(pendulum(**parts), "it")
    assert world.spec.state_names == (("obs_0", "obs_1") if parts else ("angle", "speed"))
    assert len(world.spec.goal_columns) == (0 if parts else 1)
    assert world.spec.step_s == 0.05
    silent = pendulum(
        told=lambda: {}, _observe=lambda: np.zeros((4, 4), np.float32), state_columns=None
    )
    assert GymnasiumWorld(silent, "it").state().shape == (0,)


@pytest.mark.parametrize(
    ("given", "told"),
    [((0, False), "got a tuple of 2"), (np.zeros(2), "got array"), ("done", "got 'done'")],
)
def test_a_step_that_does_not_say_whether_it_ended_is_told(given: object, told: str) -> None:
    world = SMALL.SlideWorld()
    world.step = lambda action: given
    with pytest.raises(WorldError, match=f"step.. of world .* True where it ended.*{told}"):
        stepped(world, np.zeros(1))
    for fine, ended in ((None, False), (True, True), (np.bool_(1), True)):
        world.step = lambda action, fine=fine: fine
        assert stepped(world, np.zeros(1)) is ended


def test_a_spec_that_lies_is_told_which_promise_it_broke() -> None:
    def broken(**parts: object) -> object:
        world = SMALL.SlideWorld()
        for name, value in parts.items():
            setattr(world, name, value)
        return world

    held = np.zeros((32, 32, 3), np.uint8)
    for parts, match in (
        ({"spec": {"world": "slide"}}, "WorldSpec"),
        ({"state": lambda: np.zeros(2)}, r"state\(\)"),
        ({"state": lambda: np.array([np.inf])}, "finite"),
        ({"frame": lambda: np.zeros((32, 31, 3), np.uint8)}, "image_size"),
        ({"frame": lambda: np.zeros((32, 32, 3))}, "float64"),
        ({"frame": lambda: held}, "fresh copy"),
    ):
        with pytest.raises(WorldError, match=match):
            check_world(broken(**parts), "slide")
    with pytest.raises(WorldError, match="lacks spec, reset"):
        check_world(object(), "nothing")


class Posed(SMALL.SlideWorld):
    """Its one number is an angle, told within a turn, that it can be put at."""

    def __init__(self) -> None:
        super().__init__()
        columns = (Column("turn", "rad", 2 * np.pi, tolerance=0.1),)
        self.spec = replace(self.spec, state=columns)

    def sample_state(self, rng):
        return np.array([4.0])

    def picture(self, state):
        before, self._x = self._x, float(state[0])
        shown, self._x = self.frame(), before
        return shown

    def state(self):
        return np.mod(super().state() + np.pi, 2 * np.pi) - np.pi


def test_a_world_that_begins_elsewhere_than_it_is_put_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check_world(Posed(), "turner")
    for reset, match in (
        (lambda self, seed=None: None, r"reset\(\) of turner to take \(rng, state\)"),
        (lambda self, seed=None, options=None: None, r"state\) with turn = 4 to give that state"),
    ):
        monkeypatch.setattr(Posed, "reset", reset)
        with pytest.raises(WorldError, match=match):
            check_world(Posed(), "turner")
    monkeypatch.setattr(Posed, "reset", SMALL.SlideWorld.reset)
    monkeypatch.setattr(Posed, "sample_state", lambda self, rng: np.zeros(2))
    with pytest.raises(WorldError, match=r"sample_state\(\) to give \(1,\) numbers"):
        check_world(Posed(), "turner")


class Shown(Posed):
    """A number that it can be put at and drawn in."""

    def sample_state(self, rng):
        return rng.uniform(-1, 1, 1)


class Disturbing(Shown):
    def picture(self, state):
        self._x = float(state[0])
        return self.frame()


class Grey(Shown):
    def picture(self, state):
        return super().picture(state)[..., 0]


class Mirrored(Shown):
    def picture(self, state):
        return super().picture(-np.asarray(state))


@pytest.mark.parametrize(
    ("kind", "match"),
    [
        (Disturbing, "the episode to be as it was"),
        (Grey, r"picture\(state\) to give uint8 \(32, 32, 3\), got uint8 \(32, 32\)"),
        (Mirrored, r"what frame\(\) shows after reset.*only . of 6"),
    ],
)
def test_pictures_of_states_are_to_be_what_goals_are(kind: type, match: str) -> None:
    check_world(Shown(), "slide")
    with pytest.raises(WorldError, match=match):
        check_world(kind(), "slide")


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("two-rom", "did you mean 'two-room'"),
        ("dmc:point_mass-esy", "did you mean 'dmc:point_mass-easy'"),
        ("dmc:lqr-lqr_2_1", "without bounds"),
        ("gym:NoSuchThing-v0", "cannot be made"),
        ("gym:CartPole-v1", "Box|cannot"),
        ("./absent.py:World", "expected a Python file"),
        (f"{FILE}:Slid", "SlideWorld"),
    ],
)
def test_a_name_that_leads_nowhere_is_an_error(name: str, match: str) -> None:
    with pytest.raises(WorldError, match=match):
        make_world(name)


def test_a_file_that_fails_is_told_by_its_own_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("x = 1\n\ny = x / 0\n")
    with pytest.raises(WorldError, match=r"mine.py failed to load, line 3: ZeroDivisionError"):
        make_world(f"{path}:World")


def test_a_world_that_fails_to_begin_is_told_by_its_own_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("class World:\n    def __init__(self):\n        self.arm = {}['port']\n")
    with pytest.raises(WorldError, match=r"no arguments, line 3: KeyError"):
        make_world(f"{path}:World")


class Judged(gymnasium.Wrapper):
    state_columns = (Column("place", tolerance=0.1), Column("pace"))


def test_columns_of_a_wrapper_are_the_states() -> None:
    world = GymnasiumWorld(Judged(pendulum()), "it")
    assert world.spec.state_names == ("place", "pace") and world.spec.goal_columns == (0,)


def test_a_state_that_is_changed_in_place_is_refused() -> None:
    world = SMALL.SlideWorld()
    place = np.zeros(1)
    world.state = lambda: place[:]
    with pytest.raises(WorldError, match="a fresh copy each time, got the same memory twice"):
        check_world(world, "it")


def test_no_action_leaves_the_box_by_rounding() -> None:
    box, got = spaces.Box(-0.1, 0.3, (1,), np.float64), []
    env = pendulum(action_space=box, step=lambda a: (got.append(a), SMALL.Pendulum.step(env, a))[1])
    world = GymnasiumWorld(env, "it")
    for action in (-1.0, 1.0):
        world.step(np.array([action]))
    assert all(box.contains(sent) for sent in got) and len(got) == 2


def test_a_registered_limit_of_time_ends_nothing() -> None:
    with closing(make_world("gym:Reacher-v5")) as world:
        world.reset(np.random.default_rng(0))
        assert not any(world.step(np.zeros(2)) for _ in range(51))  # registered with 50


@pytest.mark.parametrize("home", ["no_such_package_of_theirs:World", "cv2:NoWorld"])
def test_a_package_that_cannot_be_imported_is_named(
    home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("theirs", home, ENTRY_POINTS)
    monkeypatch.setattr("envs.catalogue.offered_worlds", lambda: {"theirs": point})
    with pytest.raises(WorldError, match="theirs, which an installed package offers, cannot be"):
        make_world("theirs")


def test_a_state_that_info_tells_now_and_then_is_refused() -> None:
    env = pendulum()
    step = env.step
    env.step = lambda action: (*step(action)[:4], {})
    with pytest.raises(WorldError, match=r"expected info\['state'\] of it, .* got none"):
        GymnasiumWorld(env, "it").step(np.zeros(1))
