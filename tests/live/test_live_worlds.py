"""A session in any world: with solids or without, posed or not, ending by itself, seen or known."""

from __future__ import annotations

import pickle
import shlex
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from agent.commands.worlds_asked import state_given
from agent.control.torch_model import TorchModel
from agent.live.beside import Beside
from agent.live.controls import Button, Choice
from agent.live.goal import _range
from agent.live.page import _Tape
from agent.live.page_scene import triangles
from agent.live.rival import Rival
from agent.live.session import Session
from agent.live.telling import repeating
from agent.live.wishes import DragGoal, Press, Set
from agent.model.encoder import EncoderConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from agent.rivals.constant import NoOpController
from envs import Column, Disturbable, Posable, PoseError, Staged, make_world

SMALL = Path(__file__).parents[1] / "envs" / "small_worlds.py"
NAMES = (
    "two-room", "two-room-swept", "dmc:cartpole-swingup", "dmc:point_mass-easy", "dmc:walker-walk",
    f"{SMALL}:SlideWorld", f"{SMALL}:Pendulum",
)  # fmt: skip


def untaught(spec: Any) -> TorchModel:
    return TorchModel(WorldModel(WorldModelConfig(EncoderConfig(latent_dim=8)), spec))


@pytest.fixture(params=NAMES, ids=lambda name: name.rpartition("/")[2])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    with closing(make_world(request.param)) as world:
        yield Session(world, untaught(world.spec))


def test_every_control_of_every_world_may_be_used(session: Session) -> None:
    controls = [c for group in session.opening.groups for c in group.controls]
    assert len({c.name for c in controls}) == len(controls)
    assert set(session.show().values) == {c.name for c in controls if not isinstance(c, Button)}
    for control in controls:
        if isinstance(control, Button):
            session.grant([Press(0, control.name)])
        elif isinstance(control, Choice):
            session.grant([Set(0, control.name, control.options[-1])])
            session.grant([Set(0, control.name, control.options[0])])
        else:
            session.grant([Set(0, control.name, v) for v in (control.high, control.low)])
            session.grant([Set(0, control.name, control.usual)])
        session.set("paused", 0.0)
        session.step()
        session.use_spare_time()
    moment = session.show()
    assert np.isfinite(moment.traces[:, [0, 1, 2, 4, 5]]).all()
    assert len(pickle.dumps(moment)) < 400_000
    allowed = ("expected a place", "broke down", "as strange as")
    assert all(any(word in reason for word in allowed) for _, reason in moment.refusals)


def test_time_that_stands_still_shows_nothing_new() -> None:
    with closing(make_world(f"{SMALL}:SlideWorld")) as world:
        session = Session(world, untaught(world.spec))
        for _ in range(5):
            session.step()
            session.use_spare_time()
        before = session._thought.size
        assert before > 1
        session.set("paused", 1.0)
        for _ in range(50):
            session.step()
            session.use_spare_time()
        assert session._thought.size == before


def test_a_rival_in_a_world_that_cannot_be_posed_begins_as_the_world_does() -> None:
    name = f"{SMALL}:Pendulum"
    with closing(make_world(name)) as world, closing(make_world(name)) as another:
        assert not isinstance(world, Posable)
        beside = Beside(another, {"still": lambda: NoOpController(world.spec)})
        session = Session(world, untaught(world.spec), beside=beside)
        session.set("rival", "still")
        session.step()
        assert np.isfinite(session.show().traces).any()


def test_a_delay_beyond_what_is_planned_is_refused_and_it_goes_on() -> None:
    with closing(make_world("two-room")) as world:
        network = WorldModel(
            WorldModelConfig(EncoderConfig(latent_dim=8), action_block=1), world.spec
        )
        session = Session(world, TorchModel(network))
        session.set("delay", 2.0)
        session.grant([Set(0, "horizon", 2.0)])
        moment = session.show()
        assert "look further ahead" in moment.refusals[0][1] and moment.values["horizon"] != 2.0
        session.step()


def test_where_there_are_grips_the_goal_is_brought_to_a_point(session: Session) -> None:
    world = session._world
    if not (isinstance(world, Staged) and world.scene().grips):
        session.grant([DragGoal(0, 0, (0.0, 0.0, 0.0))])
        assert session.show().refusals
        return
    assert isinstance(world, Posable)
    places = world.scene().points(world.sample_state(np.random.default_rng(3)))
    for grip, to in enumerate(places):
        session.grant([DragGoal(0, grip, tuple(to.tolist()))])
        moment = session.show()
        assert not moment.refusals and np.allclose(moment.goal.grips[grip], to, atol=1e-3)


def test_a_grip_comes_as_near_as_its_joints_let_it_and_the_pose_stays_one() -> None:
    world = make_world("dmc:pendulum-swingup")
    assert isinstance(world, Staged)
    scene, down = world.scene(), np.array([3.0, 0.0])
    assert scene.grips == ("pole",)
    reached = scene.drag(0, np.array([2.0, 0.0, 0.6]), down)  # far beyond the pole, to its right
    assert np.allclose(scene.points(reached), [[0.5, 0.0, 0.6]], atol=1e-3)
    with pytest.raises(PoseError, match="three finite numbers"):
        scene.drag(0, np.array([np.nan, 0.0, 0.0]), down)


def test_an_arm_that_is_dragged_does_not_pass_where_its_wrist_stops() -> None:
    with closing(make_world("reacher")) as world:
        scene, at = world.scene(), np.array([0.0, 2.6, 0.0, 0.0])
        to = scene.points(np.array([0.6, -2.6, 0.0, 0.0]))[0]
        reached = scene.drag(0, to, at)
        np.testing.assert_allclose(scene.points(reached)[0], to, atol=1e-9)
        assert reached[1] == pytest.approx(2.6)


def test_no_joint_is_dragged_beyond_its_range() -> None:
    world = make_world("dmc:cartpole-swingup")
    assert isinstance(world, Staged)
    far = world.scene().drag(0, np.array([9.0, 0.0, 1.0]), np.zeros(4))
    assert far[0] == pytest.approx(1.8) and not far[2:].any()


def test_a_push_moves_what_can_be_pushed(session: Session) -> None:
    world = session._world
    if not isinstance(world, Disturbable):
        assert not [c for c in session.opening.groups[3].controls if c.name.startswith("push")]
        return
    rng = np.random.default_rng(0)
    start = world.sample_state(rng)  # type: ignore[attr-defined]
    after = []
    for way in (0.0, 0.5):
        world.reset(np.random.default_rng(1), start)
        world.push(np.array([way, 0.0, 0.0]))
        world.step(np.zeros(world.spec.action_dim))
        world.step(np.zeros(world.spec.action_dim))
        after.append(world.state())
    assert np.abs(after[1] - after[0]).max() > 1e-3


@pytest.mark.parametrize("name", ["two-room", "dmc:walker-walk", "dmc:cartpole-swingup", "reacher"])
def test_the_parts_of_a_scene_are_solids_where_the_body_is(name: str) -> None:
    world = make_world(name)
    assert isinstance(world, Staged) and isinstance(world, Posable)
    scene, state = world.scene(), world.sample_state(np.random.default_rng(0))
    before = world.state()
    placed = scene.place(state)
    assert placed.positions.shape == (len(scene.parts), 3)
    assert np.allclose(np.linalg.norm(placed.turns, axis=1), 1.0)
    for part in scene.parts:
        vertices, faces = triangles(part, 2.0)
        assert faces.max() < len(vertices) and np.isfinite(vertices).all()
        assert np.allclose(vertices.max(0) + vertices.min(0), 0.0, atol=1e-6)
    assert np.array_equal(world.state(), before)


def test_a_rival_whose_world_has_ended_stands_still() -> None:
    world, steps = make_world("two-room"), []
    step = world.step
    world.step = lambda action: bool(steps.append(step(action)) or len(steps) == 3)  # type: ignore[method-assign]
    rival = Rival(world, {"noop": lambda: NoOpController(world.spec)}, 0)
    rival.begin(None)
    rival.aim(world.state())
    rival.set("rival", "noop")
    for _ in range(10):
        rival.step()
    assert len(steps) == 3
    rival.begin(None)
    rival.step()
    assert len(steps) == 4


def test_a_short_range_has_a_dial_of_fine_steps() -> None:
    low, high, usual, step = _range(Column("lid", low=0.001, high=0.009, tolerance=0.001))
    assert (low, high, usual) == (0.001, 0.009, 0.001) and step < 1e-4
    assert _range(Column("turn", period=2 * np.pi, tolerance=0.1)) == (-3.14, 3.14, 0.0, 0.01)


def test_the_command_that_repeats_stays_within_the_joints() -> None:
    with closing(make_world("reacher")) as world:
        beyond = np.array([0.0, world.spec.state[1].high + 0.05, 0.0, 0.0])
        world.reset(np.random.default_rng(0), np.zeros(4))
        world.state = lambda: beyond  # type: ignore[method-assign]
        words = shlex.split(repeating("live", world, None, {}))
        told = tuple(map(float, words[2:6]))
        assert state_given(told, world, "--start-state")[1] == pytest.approx(beyond[1], abs=0.06)


def test_a_film_has_a_frame_for_every_tick_and_none_for_a_pause() -> None:
    tape, frame = _Tape(0.1), np.zeros((16, 16, 3), np.uint8)
    for tick in (1, 1, 1, 4, 4, 5):
        tape.add(SimpleNamespace(tick=tick, words="", frame=frame, goal_frame=frame))  # type: ignore[arg-type]
    assert [caption[2].split(" s")[0].strip() for caption in tape._shown] == [
        "0.10", "0.10", "0.40", "0.40", "0.40", "0.50",
    ]  # fmt: skip


def test_a_world_that_ends_itself_begins_again_and_again() -> None:
    with closing(make_world(f"{SMALL}:SlideWorld")) as world:
        usual, steps = world.step, []

        def ending(action: Any) -> bool:
            steps.append(usual(action))
            return len(steps) % 3 == 0

        world.step = ending  # type: ignore[method-assign]
        session = Session(world, untaught(world.spec))
        for _ in range(10):
            assert session.step()
            session.show()
        assert len(steps) >= 10


def test_a_dial_of_the_goal_begins_where_the_world_is() -> None:
    """After a dropped picture no state of the goal is known; zeros lie in a wall of two-room."""
    with closing(make_world("two-room")) as world:
        session = Session(world, untaught(world.spec))
        session._goal.state = None
        session._goal.set("goal-x", 40.0)
        assert session._goal.state[1] == world.state()[1]
