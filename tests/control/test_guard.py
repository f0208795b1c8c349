"""An arm that must stop does, in time, with a reason, and goes on when sight returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.control.direct import DirectController
from agent.control.guard import SightGuard
from agent.control.mpc import MPCConfig, WorldModelController
from agent.control.torch_model import TorchModel
from agent.interfaces import Controller, Decision, FloatArray, Goals, Image, Seen
from agent.model.checkpoint import load_checkpoint
from agent.model.sight import Sight
from envs import Posable, make_world

SHIPPED = Path(__file__).parents[2] / "checkpoints" / "reacher"
BEGAN, RETURNS, IN_TIME = 6, 31, 5  # ticks of 0.04 s
MEMORY = 4

Show = Callable[[list[Image]], Image]


@pytest.fixture(scope="module")
def shipped() -> TorchModel:
    return TorchModel(load_checkpoint(SHIPPED))


def play(controller: Controller, model: TorchModel, show: Show, ticks: int = 75) -> list[Decision]:
    """One swing of a third of a turn; ``show`` is what the camera delivers of the frames so far."""
    world = make_world(model.spec.world, model.spec.look, 64)
    assert isinstance(world, Posable)
    world.reset(np.random.default_rng(0), np.zeros(4))
    goal = world.picture(np.array([1.8, 1.0, 0.0, 0.0]))
    controller.reset(Goals(pixels=goal[None]), [0])
    seen: list[Image] = []
    decisions = []
    for _ in range(ticks):
        seen.append(world.frame())
        decisions.append(controller.act(Seen(pixels=show(seen)[None])))
        world.step(decisions[-1].actions[0])
    world.close()
    return decisions


def faulty(fault: Show) -> Show:
    def show(seen: list[Image]) -> Image:
        return fault(seen) if BEGAN <= len(seen) - 1 < RETURNS else seen[-1]

    return show


FAULTS: dict[str, tuple[Show, str]] = {
    "hangs": (lambda seen: seen[BEGAN - 1], "does it hang"),
    "replays": (lambda seen: seen[max(0, len(seen) - 6)], ""),
    "black": (lambda seen: np.zeros_like(seen[-1]), "strange"),
    "swapped": (lambda seen: seen[-1][..., ::-1].copy(), "strange"),
    "moved": (lambda seen: np.roll(seen[-1], 4, 1), "strange"),
    "mirrored": (lambda seen: seen[-1][:, ::-1].copy(), "strange"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("kind", ["world-model", "direct"])
def test_the_arm_is_held_in_time_and_let_go(shipped: TorchModel, name: str, kind: str) -> None:
    fault, reason = FAULTS[name]
    made = {"world-model": WorldModelController, "direct": DirectController}
    decisions = play(made[kind](shipped), shipped, faulty(fault))  # type: ignore[operator]
    held = [decision.held[0] for decision in decisions]
    assert not any(held[:BEGAN])
    in_time = [why for why in held[BEGAN : BEGAN + IN_TIME + 1] if why]
    assert in_time and reason in in_time[0]
    for decision in decisions:
        assert not decision.held[0] or (decision.actions == 0).all()
    if name != "replays":  # pictures that are late are new ones after a while
        assert all(held[BEGAN + IN_TIME : RETURNS])
    assert not any(held[-10:])
    assert np.abs(decisions[-10].actions).max() < 1


def test_without_a_guard_it_goes_on(shipped: TorchModel) -> None:
    controller = WorldModelController(shipped, None, MPCConfig(guarded=False))
    decisions = play(controller, shipped, faulty(FAULTS["hangs"][0]), RETURNS)
    assert not any(decision.held[0] for decision in decisions)
    assert min(np.abs(decision.actions).max() for decision in decisions[15:]) > 0.5


def test_a_healthy_swing_is_the_same_with_and_without(shipped: TorchModel) -> None:
    sent = [
        [
            decision.actions[0]
            for decision in play(
                WorldModelController(shipped, None, MPCConfig(guarded=guarded)),
                shipped,
                lambda seen: seen[-1],
                40,
            )
        ]
        for guarded in (True, False)
    ]
    np.testing.assert_array_equal(*sent)


def plain_sight() -> Sight:
    """Of a world of which any picture is possible, its embedding on a line; errors may be up to 1,
    under old ones 0.01.
    """
    shape = (16, 16, 3)
    return Sight(
        np.stack([np.linspace(-20, 80, 8), np.zeros(8)], 1).astype(np.float32),
        np.zeros((8, *shape), np.uint8),
        np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8),
        outside_limit=1.0, unlike_limit=255.0, news_limit=1.0, drift_limit=1.0, still_limit=0.01,
    )  # fmt: skip


def looked(
    guard: SightGuard, value: int, news: float, at: float = 0.0, push: float = 1.0,
    came_from: float | None = None,
) -> str | None:  # fmt: skip
    """Why it is held once a grey ``value`` was shown, of which the embedding is ``at``."""
    frames = np.full((1, 16, 16, 3), value, np.uint8)
    embeddings: FloatArray = np.array([[at, 0]], np.float32)
    one = np.ones(1, np.float32)
    before = None if came_from is None else np.array([[came_from, 0]], np.float32)
    errors: FloatArray = np.array([[np.sqrt(2 * news), 0]], np.float32)
    guard.look(frames, embeddings, errors, before, 0 * one, push * one)
    return guard.held[0]


def test_a_world_at_rest_may_look_the_same_for_ever() -> None:
    guard = SightGuard(plain_sight(), 1, MEMORY)
    assert not any(looked(guard, 7, 0.001) for _ in range(200))
    assert not any(looked(guard, 7, 0.02, push=0.001) for _ in range(200))


def test_one_old_picture_is_no_fault() -> None:
    guard = SightGuard(plain_sight(), 1, MEMORY)
    shown = [0, *range(50)]  # a dropped picture every fifty
    assert not any(looked(guard, value, 0.5, at=tick) for tick, value in enumerate(shown))


def test_actions_that_move_nothing_in_the_picture() -> None:
    guard = SightGuard(plain_sight(), 1, MEMORY)
    assert "does it hang" in next(filter(None, (looked(guard, 7, 0.006) for _ in range(3))))
    guard = SightGuard(replace(plain_sight(), push_share=0.02), 1, MEMORY)  # as at a wall
    assert not any(looked(guard, 7, 0.006) for _ in range(9))
    assert any(looked(guard, 7, 0.006, push=0.1) for _ in range(3))


def test_what_is_pushed_into_a_wall_stands_still() -> None:
    aside = plain_sight().embeddings[:, ::-1].copy()  # nothing was ever seen where it is pushed
    guard = SightGuard(replace(plain_sight(), embeddings=aside), 1, MEMORY)
    assert not any(looked(guard, 7, 0.006) for _ in range(9))


def test_what_was_seen_to_be_blocked_may_stand_still() -> None:
    creeping = [(value, 0.006) for value in range(5)]  # new pictures, and it hardly moves
    guard = SightGuard(plain_sight(), 1, MEMORY)
    seen = [*creeping, (4, 0.006), (4, 0.007), (4, 0.008)]
    assert not any(looked(guard, v, news, at=0.001 * v) for v, news in seen)
    guard = SightGuard(plain_sight(), 1, MEMORY)  # and then it should move on
    assert any(looked(guard, v, news, at=0.001 * v) for v, news in [*seen, (4, 0.01), (4, 0.01)])
    guard = SightGuard(plain_sight(), 1, MEMORY)  # it moved
    assert any(looked(guard, v, news, at=v) for v, news in seen)


def test_a_picture_that_hardly_moves_hangs_too() -> None:
    guard = SightGuard(plain_sight(), 1, MEMORY)
    assert [bool(looked(guard, tick, 0.02, at=0.001 * tick)) for tick in range(5)].index(True) == 3
    guard = SightGuard(plain_sight(), 1, MEMORY)
    assert not any(looked(guard, tick, 0.02, at=0.1 * tick) for tick in range(9))


def test_old_pictures_in_their_old_order() -> None:
    late = [0, 1, 2, 3, 4, 5, 6, 2, 3, 4]  # from then on by five ticks
    guard = SightGuard(plain_sight(), 1, MEMORY)
    found = [looked(guard, value, 0.001, at=value) for value in late]
    assert not any(found[:-1]) and found[-1]
    guard = SightGuard(plain_sight(), 1, MEMORY)  # a world at rest may rock
    assert not any(looked(guard, v, 0.001, at=v, push=0.001) for v in late)
    aside = replace(plain_sight(), embeddings=plain_sight().embeddings[:, ::-1].copy())
    guard = SightGuard(aside, 1, MEMORY)  # between walls, into which it was foreseen to go
    assert not any(looked(guard, v, 0.006, at=v) for v in late)
    guard = SightGuard(plain_sight(), 1, MEMORY)  # two places again, by way of another
    assert not any(looked(guard, v, 0.001, at=v) for v in [0, 1, 0, 2, 0, 1])
    guard = SightGuard(plain_sight(), 1, MEMORY)  # to and fro
    assert not any(looked(guard, v, 0.001, at=v) for v in [0, 1, 0, 1, 0, 1, 0, 1])
    guard = SightGuard(plain_sight(), 1, MEMORY)
    assert not any(looked(guard, v, 0.001, at=v) for v in [0, 1, 2, 3, 2, 1, 0])


def test_neither_foreseen_nor_like_any_other() -> None:
    line = np.stack([np.linspace(0, 9, 64), np.zeros(64)], 1).astype(np.float32)
    sight = replace(plain_sight(), embeddings=line, thumbnails=np.zeros((64, 16, 16, 3), np.uint8))

    def found(off: float, news: float, count: int) -> str | None:
        guard = SightGuard(sight, 1, MEMORY)
        one, frame = np.ones(1, np.float32), np.zeros((1, 16, 16, 3), np.uint8)
        for tick in range(count):
            where = np.array([[1 + tick, off]], np.float32)
            errors = np.array([[np.sqrt(2 * news), 0]], np.float32)
            guard.look(frame + np.uint8(tick), where, errors, None, 0 * one, one)
        return guard.held[0]

    assert found(0.5, 0.5, 3) and not found(0.5, 0.5, 2)
    assert not found(0.0, 0.5, 9) and not found(0.5, 1e-7, 9)


def test_it_goes_another_way_with_nothing_in_its_way() -> None:
    """Foreseen is a way of -1 along the line: what is seen is ``error`` more than that."""

    def found(ways: list[float], sight: Sight) -> list[bool]:
        guard, held = SightGuard(sight, 1, MEMORY), []
        for tick, way in enumerate(ways):
            news = (way + 1) ** 2 / 2
            held.append(bool(looked(guard, tick, news, at=5 + way, came_from=5.0)))
        return held

    assert found([0.3], plain_sight()) == [True]  # back
    assert found([-0.3, -0.3], plain_sight()) == [False, True]  # not far, twice
    assert not any(found([-0.3, -1, -0.3, -1, -0.5, -0.6, -0.5], plain_sight()))
    aside = plain_sight().embeddings[:, ::-1].copy()  # it was to go where it cannot be
    assert not any(found([0.3, 0.2, -0.3], replace(plain_sight(), embeddings=aside)))


def test_trouble_that_comes_back_twice_holds_twice_as_long() -> None:
    guard, lengths = SightGuard(plain_sight(), 1, MEMORY), []
    value = 0
    for _ in range(5):
        value += 1
        assert looked(guard, value, 2.0)
        held = 1
        while looked(guard, value := value + 1, 0.0):
            held += 1
        lengths.append(held)
    assert lengths == [5, 5, 10, 20, 40]


def test_what_the_model_errs_while_held_is_no_new_trouble() -> None:
    guard = SightGuard(plain_sight(), 1, MEMORY)
    assert looked(guard, 1, 2.0)
    assert [bool(looked(guard, 2 + tick, 2.0)) for tick in range(4)] == [True] * 4
    assert looked(guard, 9, 0.0) is None


def test_no_sight_holds_nothing() -> None:
    guard = SightGuard(None, 1, MEMORY)
    assert looked(guard, 1, 1e9) is None
