"""The history against brute force over everything that ever happened."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agent.control.history import TickHistory

EPISODES, DIM = 2, 3

Array = np.ndarray[Any, Any]


def expected(
    embeddings: list[Array], actions: list[Array], context: int, block: int, width: int
) -> tuple[Array, Array]:
    """Frames and blocks by their tick; before tick 0 the world stood still without action."""
    now = len(embeddings) - 1
    frame_ticks = [now - back * block for back in range(context - 1, -1, -1)]
    frames = np.stack([embeddings[max(tick, 0)] for tick in frame_ticks], 1)
    still = np.zeros((EPISODES, width))
    blocks = [
        np.concatenate([actions[t] if t >= 0 else still for t in range(start, start + block)], -1)
        for start in frame_ticks[:-1]
    ]
    nothing = np.zeros((EPISODES, 0, block * width))
    return frames, np.stack(blocks, 1) if blocks else nothing


def check_transition(
    history: TickHistory,
    embeddings: list[Array],
    actions: list[Array],
) -> None:
    """What the model would have been shown a model step ago, with the block sent since."""
    found, context, block = history.last_transition(), history.context, history.action_block
    if len(actions) < context * block:
        assert found is None
        return
    frames, _ = expected(embeddings[:-block], actions[:-block], context, block, history.action_dim)
    sent = np.stack(actions[-context * block :], 1).reshape(EPISODES, context, -1)
    assert found is not None
    for got, wanted in zip(found, (frames, sent, embeddings[-1]), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("context", [1, 2, 3, 4])
@pytest.mark.parametrize("block", [1, 2, 3])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_frames_a_model_step_apart_and_the_actions_between(
    context: int, block: int, width: int
) -> None:
    rng = np.random.default_rng(0)
    history = TickHistory(context, block, width)
    embeddings: list[Array] = []
    actions: list[Array] = []
    for _ in range(3 * context * block + 2):
        embeddings.append(rng.normal(size=(EPISODES, DIM)).astype(np.float32))
        history.see(embeddings[-1])
        frames, blocks = expected(embeddings, actions, context, block, width)
        np.testing.assert_array_equal(history.embeddings(), frames)
        np.testing.assert_array_equal(history.blocks(), blocks)
        check_transition(history, embeddings, actions)
        actions.append(rng.normal(size=(EPISODES, width)).astype(np.float32))
        history.act(actions[-1])


def test_a_correction_takes_the_place_of_the_last_actions() -> None:
    corrected, plain = TickHistory(3, 1, 2), TickHistory(3, 1, 2)
    for tick in range(4):
        for history in (corrected, plain):
            history.see(np.full((EPISODES, DIM), tick, np.float32))
        plain.act(np.full((EPISODES, 2), 0.1 * tick, np.float32))
        corrected.act(np.full((EPISODES, 2), 9.0, np.float32))
        told = np.full((EPISODES, 2), 0.1 * tick)  # in a type of its own
        corrected.correct(told)
        told[:] = 5.0  # and an array that is used again
    np.testing.assert_array_equal(corrected.blocks(), plain.blocks())


@pytest.mark.parametrize("seen", [1, 2, 9])
def test_what_is_foreseen_is_what_comes(seen: int) -> None:
    rng, block, ahead = np.random.default_rng(0), 2, 5
    push = rng.normal(size=(block * 2, DIM)).astype(np.float32)

    def predict(embeddings: Array, blocks: Array) -> Array:
        return 0.9 * embeddings[:, -1] - 0.2 * embeddings[:, -2] + blocks[:, -1] @ push

    come = TickHistory(3, block, 2)
    actions = rng.normal(size=(seen + ahead, EPISODES, 2)).astype(np.float32)
    come.see(rng.normal(size=(EPISODES, DIM)).astype(np.float32))
    for tick in range(seen + ahead):
        if tick == seen:
            foreseen = come.foreseen(predict, actions[seen:].transpose(1, 0, 2))
            before = come.embeddings()
        frames = [come._embeddings[max(0, len(come._embeddings) - block * n)] for n in (2, 1)]
        come.act(actions[tick])
        blocks = come._blocks(come._actions, 1)
        come.see(predict(np.stack(frames, 1), blocks))
        if tick == seen:
            assert not np.array_equal(before, come.embeddings())  # it was left as it was
    np.testing.assert_allclose(foreseen.embeddings(), come.embeddings(), rtol=1e-5)
    np.testing.assert_array_equal(foreseen.blocks(), come.blocks())


def test_a_long_episode_takes_no_more_memory() -> None:
    history = TickHistory(3, 2, 2)
    for _ in range(100):
        history.see(np.zeros((EPISODES, DIM), np.float32))
        history.act(np.zeros((EPISODES, 2), np.float32))
    assert len(history._embeddings) == 7  # one model step more than the model reads
    assert len(history._actions) == 6
