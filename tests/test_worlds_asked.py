"""Which world and task a command is about: the one asked for, else the checkpoint's."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext
from pathlib import Path
from shlex import quote

import pytest

from agent.commands.worlds_asked import WorldAsked, state_given, task_asked, world_asked
from agent.errors import UserError
from agent.model.checkpoint import save_checkpoint
from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.shipped import find_checkpoint
from agent.model.world_model import WorldModel, WorldModelConfig
from agent.rivals.actor import ACTORS, Actor, ActorConfig
from envs import DEFAULT_WORLD, WorldError, WorldSpec, make_world

ROOMS = WorldSpec("two-room", "fast", (32, 32), 2, 1 / 30)
BOTH = ("image_size", "look")  # which only the checkpoint says
FIXED = """
import numpy as np
from envs import World, WorldSpec

class Fixed(World):
    spec = WorldSpec("own", "plain", (32, 32), 1, 0.1)
    def reset(self, rng, state=None): pass
    def step(self, action): return False
    def frame(self): return np.zeros((32, 32, 3), np.uint8)
    def state(self): return np.empty(0)
    def close(self): pass

class Bare:
    spec, reset, step = Fixed.spec, Fixed.reset, Fixed.step
    frame, state, close = Fixed.frame, Fixed.state, Fixed.close

class Sized(Fixed):
    def __init__(self, image_size=16):
        self.spec = WorldSpec("own", "plain", (image_size, image_size), 1, 0.1)
    def frame(self): return np.zeros(self.spec.frame_shape, np.uint8)

class Open(Sized):
    def __init__(self, **chosen):
        super().__init__(chosen["image_size"])
        self.look = chosen.get("look")
"""


@pytest.fixture
def made_for(tmp_path: Path):
    """Writes the checkpoint of a model of ``ROOMS``, or of something else by these fields."""

    def write(**changes: object) -> Path:
        spec = dataclasses.replace(ROOMS, **changes)
        encoder = EncoderConfig(latent_dim=4, channels=(4, 4, 4), hidden=8)
        config = WorldModelConfig(encoder, PredictorConfig(width=8, blocks=1))
        save_checkpoint(tmp_path / "model", WorldModel(config, spec), {})
        return tmp_path / "model"

    return write


def test_without_a_checkpoint_it_is_the_one_named_or_the_default() -> None:
    assert world_asked(None, "", None) == WorldAsked(DEFAULT_WORLD)
    assert world_asked("two-room", "fast", None) == WorldAsked("two-room", "fast")


def test_a_checkpoint_names_its_world_look_and_size(made_for) -> None:
    checkpoint = made_for()
    assert world_asked(None, "", checkpoint) == WorldAsked("two-room", "fast", 32, BOTH)
    assert world_asked("two-room", "", checkpoint) == WorldAsked("two-room", "fast", 32, BOTH)
    assert world_asked(None, "dmc", checkpoint) == WorldAsked("two-room", "dmc", 32, BOTH[:1])
    assert world_asked(None, "", checkpoint).make().spec.image_size == (32, 32)


def test_another_world_is_drawn_its_own_way_at_the_models_size(made_for) -> None:
    assert world_asked("two-room-swept", "", made_for()) == WorldAsked(
        "two-room-swept", "", 32, BOTH
    )


def test_frames_that_are_not_square_are_the_worlds_own_choice(made_for) -> None:
    assert world_asked(None, "", made_for(image_size=(24, 40))).image_size is None


@pytest.mark.parametrize("kind", ["Fixed", "Bare", "Sized", "Open"])
def test_a_users_world_is_told_what_it_takes_of_what_the_checkpoint_says(
    made_for, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "mine.py").write_text(FIXED)
    name = f"{tmp_path / 'mine.py'}:{kind}"
    checkpoint = made_for(world=name, look="plain")
    world = world_asked(name, "", checkpoint).make()
    assert world.spec.image_size == (32, 32) and getattr(world, "look", "plain") == "plain"
    with pytest.raises(WorldError, match="'blue'") if kind != "Open" else nullcontext():
        world_asked(name, "blue", checkpoint).make()


def test_recordings_have_no_world_behind_them(made_for) -> None:
    checkpoint = made_for(world="recorded:kitchen")
    with pytest.raises(UserError, match=r"recordings of kitchen, .*--world .*--data.*Agent"):
        world_asked(None, "", checkpoint)
    assert world_asked("two-room", "", checkpoint).name == "two-room"


def test_a_name_that_opens_nothing_is_asked_for_again(made_for) -> None:
    checkpoint = made_for(world="slide")
    with pytest.raises(UserError, match=r"world 'slide', .*--world FILE\.py:CLASS"):
        world_asked(None, "", checkpoint)
    assert world_asked("./mine.py:Slide", "", checkpoint).name == "./mine.py:Slide"


@pytest.mark.parametrize("name", ["gym:Pendulum-v1", "dmc:cartpole-swingup"])
def test_names_that_open_a_world_are_taken_from_the_checkpoint(made_for, name: str) -> None:
    assert world_asked(None, "", made_for(world=name)).name == name


def test_the_first_task_is_the_worlds_own_or_hindsight() -> None:
    assert task_asked(None, make_world("dmc:cartpole-swingup")).name == "hindsight"
    assert task_asked(None, make_world("reacher")).name == "lewm"
    assert task_asked("hindsight-t9-b9", make_world("reacher")).budget_steps == 9


def test_a_policy_on_states_names_its_world_as_a_model_does(tmp_path: Path) -> None:
    spec = make_world("two-room").spec
    ACTORS.save(tmp_path / "sac", Actor(ActorConfig(hidden=(4,)), spec), {})
    assert world_asked(None, "", tmp_path / "sac").name == "two-room"


@pytest.mark.parametrize(
    "name", ["./strange.py:World", "gym:strange:World-v0", "dmc:a:b", "./my files/w.py:World"]
)
def test_a_checkpoint_names_no_code_to_run(made_for, name: str) -> None:
    with pytest.raises(UserError, match=f"code you trust, say --world {quote(name)}"):
        world_asked(None, "", made_for(world=name))
    assert world_asked("./mine.py:World", "", made_for(world=name)).name == "./mine.py:World"


def test_the_folder_of_a_demo_has_its_model(made_for, tmp_path: Path) -> None:
    (tmp_path / "demo" / "world-model").mkdir(parents=True)
    made_for().rename(tmp_path / "demo" / "world-model" / "checkpoint")
    assert world_asked(None, "", find_checkpoint(tmp_path / "demo")).name == "two-room"


@pytest.mark.parametrize(
    ("flag", "instead"),
    [("--goal-state", "give a goal picture"), ("--start-state", "leave --start-state away")],
)
def test_a_state_of_a_world_that_takes_none_is_refused_with_what_can_be_done(
    flag: str, instead: str
) -> None:
    world = make_world(f"{Path(__file__).parent / 'envs' / 'small_worlds.py'}:SlideWorld")
    with pytest.raises(UserError, match=f"{flag}: slide cannot be posed; {instead}"):
        state_given((0.0,), world, flag)
