"""A session without a page: wishes in, moments out."""

from __future__ import annotations

import io
import shlex
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from agent.commands.live import Live
from agent.commands.opening import rivals
from agent.control.torch_model import TorchModel
from agent.live.acting import HEAD
from agent.live.beside import Beside
from agent.live.session import Session
from agent.live.wishes import DragGoal, Drop, Press, Push, Set, Wish
from agent.model.checkpoint import load_checkpoint
from agent.model.shipped import SHIPPED, find_checkpoint
from envs import WorldError, make_world
from planners import PLANNERS

START, GOAL = (0.2, 0.8, 0.0, 0.0), (1.5, -0.9, 0.0, 0.0)


@pytest.fixture(scope="module")
def model() -> TorchModel:
    return TorchModel(load_checkpoint(find_checkpoint(SHIPPED)))


@pytest.fixture(scope="module", autouse=True)
def unhurried() -> Iterator[None]:
    """What is planned on a busy machine must not depend on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.live.acting.DEADLINE_SHARE", 1e3)
        yield


@pytest.fixture(scope="module")
def opened(model: TorchModel) -> Iterator[Session]:
    with closing(make_world("reacher")) as world, closing(make_world("reacher")) as another:
        beside = Beside(another, rivals(world, None), start=np.array(START), goal=np.array(GOAL))
        yield Session(world, model, beside=beside)


@pytest.fixture
def session(opened: Session) -> Session:
    """At the start, everything as usual."""
    for group in opened.opening.groups:
        for control in group.controls:
            if hasattr(control, "usual") and not control.name.startswith("goal-"):
                opened.set(control.name, control.usual)
    opened.set("acts", "gauss-newton")
    opened.set("speed", "×1")
    opened.set("rival", "nobody")
    opened._goal.pose(np.array(GOAL))
    opened.grant([Press(0, "reset")])
    opened.show()
    return opened


def play(session: Session, ticks: int) -> Any:
    for _ in range(ticks):
        session.step()
    return session.show()


@pytest.mark.parametrize(
    ("part", "given", "said"),
    [
        (
            "frame",
            np.zeros((64, 64), np.uint8),
            r"frames uint8 \(64, 64, 3\) .* got uint8 \(64, 64\)",
        ),
        ("state", np.full(4, np.nan), "finite numbers as the state .* = nan at tick"),
    ],
)
def test_a_world_that_breaks_its_word_is_named(
    session: Session, monkeypatch: pytest.MonkeyPatch, part: str, given: Any, said: str
) -> None:
    monkeypatch.setattr(session._world, part, lambda: given)
    with pytest.raises(WorldError, match=said):
        session._look()


def ask(session: Session, *wishes: Wish) -> Any:
    """The moment after; its refusals are those of ``wishes``."""
    session.grant(wishes)
    return session.show()


def truth(moment: Any) -> float:
    return float(moment.traces[-1, 3])


def test_it_goes_where_the_goal_is_dragged(session: Session) -> None:
    moment = ask(session, DragGoal(7, 0, (-0.1, 0.12, 0.0)))
    assert np.allclose(moment.goal.grips[0, :2], (-0.1, 0.12), atol=1e-6)
    assert truth(play(session, 1)) > 0.3
    moment = play(session, 60)
    assert truth(moment) < 0.05 and "at the goal" in moment.words
    assert moment.refusals == ()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (DragGoal(3, 0, (0.5, 0.0, 0.0)), "expected a fingertip 0.042 to 0.240 m"),
        (DragGoal(3, 0, (np.nan, 0.0, 0.0)), "three finite numbers"),
        (DragGoal(3, 5, (0.1, 0.1, 0.0)), "a grip of the goal"),
        (Set(3, "light", np.nan), "expected light × from 0.2 to 2, got nan"),
        (Set(3, "delay", 7), "from 0 to 3, got 7"),
        (Set(3, "light", "much"), "expected light × from 0.2 to 2, got much"),
        (Set(3, "acts", "magic"), "expected what acts of gauss-newton"),
        (Set(3, "lihgt", 1.0), "did you mean 'light'?"),
        (Set(3, "tick", 1.0), "is a button"),
        (Press(3, "light"), "expected a button"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(session: Session, wish: Wish, words: str) -> None:
    before = session.show()
    moment = ask(session, wish)
    ((visitor, reason),) = moment.refusals
    assert visitor == 3 and words in reason
    assert moment.values == before.values and moment.goal_version == before.goal_version
    assert session.show().refusals == ()
    assert np.isfinite(play(session, 2).traces[-1]).all()


def test_a_push_throws_it_off_and_it_returns(session: Session) -> None:
    play(session, 60)
    ask(session, Push(0, (2.0, 0.0, 0.0), 3))
    assert truth(play(session, 4)) > 0.2
    assert truth(play(session, 60)) < 0.05
    ask(session, Push(0, (np.inf, 0.0, 0.0)))
    assert truth(play(session, 4)) < 0.05


def test_what_is_held_does_not_move(session: Session) -> None:
    before = session._world.state()[1]
    session.set("hold-wrist", 1.0)
    play(session, 20)
    assert abs(session._world.state()[1] - before) < 0.01
    session.set("hold-wrist", 0.0)
    assert truth(play(session, 60)) < 0.05


def test_a_camera_that_hangs_is_noticed_and_it_holds(session: Session) -> None:
    play(session, 6)
    session.set("hangs", 1.0)
    moment = play(session, 10)
    assert moment.words.startswith("held: the camera shows old pictures")
    assert not moment.traces[-1, -2:].any()
    session.set("hangs", 0.0)
    assert truth(play(session, 80)) < 0.05


def test_a_light_it_never_saw_is_held_and_told(session: Session) -> None:
    session.set("light", 0.3)
    assert "strange" in play(session, 3).words


def test_late_actions_act_late(session: Session) -> None:
    session.set("delay", 3.0)
    moment = play(session, 5)
    acted = moment.traces[-5:, -2:]
    assert not acted[:3].any() and acted[3].any()
    assert truth(play(session, 60)) < 0.05


@pytest.mark.parametrize("acts", [*PLANNERS, HEAD])
def test_whatever_acts_brings_it_nearer(session: Session, acts: str) -> None:
    session.set("acts", acts)
    begun = truth(play(session, 1))
    assert truth(play(session, 12)) < begun


def test_a_rival_reaches_the_same_goal_beside_it(session: Session) -> None:
    assert session.show().rival is None
    session.set("rival", "computed-torque")
    session.grant([Press(0, "reset")])
    assert ask(session).rival is not None
    play(session, 40)
    assert np.allclose(session._rival.state[:2], GOAL[:2], atol=0.05)


def test_time_stands_still_and_goes_tick_by_tick(session: Session) -> None:
    session.set("paused", 1.0)
    before = session.show().tick
    assert play(session, 3).tick == before
    session.grant([Press(0, "tick")])
    assert play(session, 3).tick == before + 1
    session.set("paused", 0.0)
    session.set("speed", "×4")
    assert session.period_s == pytest.approx(0.01)


def test_it_imagines_coming_nearer_to_the_goal(session: Session) -> None:
    while session._thought.size < 1000:
        session.use_spare_time()
    moment = play(session, 6)
    points, goal = moment.imagined.points[:, 0], moment.goal.grips[0]
    here = session._scene.points(session._world.state())[0]
    assert np.linalg.norm(points[0] - here) < 0.06
    assert np.linalg.norm(points[-1] - goal) < 0.5 * np.linalg.norm(here - goal)
    assert moment.imagined.pictures.shape == (4, 64, 64, 3)
    assert np.all(np.diff(moment.imagined.times_s) > 0)


def png(pixels: Any, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, kind)
    return file.getvalue()


def test_a_dropped_picture_becomes_the_goal(session: Session) -> None:
    state = np.array([-1.0, 1.0, 0.0, 0.0])
    picture = session._world.picture(state)
    moment = ask(session, Drop(0, "my.png", png(picture)))
    assert moment.refusals == () and moment.goal is None
    assert np.array_equal(moment.goal_frame, picture)
    assert "going to a picture" in play(session, 60).words
    assert np.abs(session._world.state()[:2] - state[:2]).max() < 0.05


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda p: png(p)[:200], "my.png"),
        (lambda p: b"", "expected my.png to be a PNG, JPEG or WebP"),
        (lambda p: png(p)[:40] + b"\0" * 12_000_000, "at most 10 MB"),
        (lambda p: png(np.zeros((4000, 4000, 3), np.uint8)), "at most 2048 px, got 4000"),
        (lambda p: png(p[:, :40]), "to have the camera's shape"),
        (lambda p: png(p[..., ::-1].copy()), "red and blue are swapped"),
        (lambda p: png(np.full_like(p, 90)), "got one flat colour"),
        (lambda p: png((0.5 * p).astype(np.uint8)), "as strange as they get"),
    ],
)
def test_a_picture_that_shows_no_goal_is_refused(
    session: Session, content: Callable[[Any], bytes], words: str
) -> None:
    before = session.show()
    moment = ask(session, Drop(2, "my.png", content(session._world.picture(np.array(GOAL)))))
    ((_, reason),) = moment.refusals
    assert words in reason and "/" not in reason.replace("w/h", "")
    assert moment.goal_version == before.goal_version


def test_a_pose_is_remembered_and_one_taken_from_the_gallery(session: Session) -> None:
    play(session, 5)
    here = session._world.state()
    ask(session, Press(0, "remember"))
    assert np.array_equal(session._goal.state, here)
    moment = ask(session, Set(0, "gallery", "3"))
    assert moment.values["gallery"] == "3" and truth(play(session, 60)) < 0.05
    assert session.opening.gallery.shape == (64, 8 * 64, 3)


def test_the_command_repeats_the_situation(session: Session) -> None:
    from agent.commands.parsing import parse
    from run_agent import COMMANDS

    play(session, 4)
    session.set("light", 0.8)
    session.set("acts", "cem")
    words = shlex.split(session.show().command)
    assert words[:3] == ["python", "run_agent.py", "live"]
    command = parse(COMMANDS["live"], "run_agent.py live", words[3:])
    assert isinstance(command, Live)
    assert np.allclose(command.start_state, session._world.state(), atol=1e-3)
    assert np.allclose(command.goal_state, GOAL, atol=1e-3)
    assert set(command.set) == {"light=0.8", "acts=cem"}
