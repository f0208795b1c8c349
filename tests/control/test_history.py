"""The history against brute force over everything that ever happened."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from agent.control.history import TickHistory

EPISODES, DIM, TORQUE_DIM = 2, 3, 2


def expected(
    embeddings: list[Tensor], torques: list[Tensor], context: int, block: int
) -> tuple[Tensor, Tensor]:
    """Frames and blocks by their tick; before tick 0 the arm stood still without torque."""
    now = len(embeddings) - 1
    frame_ticks = [now - back * block for back in range(context - 1, -1, -1)]
    frames = torch.stack([embeddings[max(tick, 0)] for tick in frame_ticks], 1)
    still = torch.zeros(EPISODES, TORQUE_DIM)
    blocks = [
        torch.cat([torques[t] if t >= 0 else still for t in range(start, start + block)], -1)
        for start in frame_ticks[:-1]
    ]
    width = block * TORQUE_DIM
    return frames, torch.stack(blocks, 1) if blocks else torch.zeros(EPISODES, 0, width)


def check_transition(
    history: TickHistory, embeddings: list[Tensor], torques: list[Tensor], context: int, block: int
) -> None:
    """What the model would have been shown a model step ago, with the block sent since."""
    found = history.last_transition()
    if len(torques) < context * block:
        assert found is None
        return
    frames, _ = expected(embeddings[:-block], torques[:-block], context, block)
    sent = torch.stack(torques[-context * block :], 1).reshape(EPISODES, context, -1)
    assert found is not None
    for got, wanted in zip(found, (frames, sent, embeddings[-1]), strict=True):
        assert torch.equal(got, wanted)


@pytest.mark.parametrize("context", [1, 2, 3, 4])
@pytest.mark.parametrize("block", [1, 2, 3])
def test_frames_a_model_step_apart_and_the_torques_between(context: int, block: int) -> None:
    draw = torch.Generator().manual_seed(0)
    history = TickHistory(context, block, TORQUE_DIM, torch.stack, torch.zeros)
    embeddings: list[Tensor] = []
    torques: list[Tensor] = []
    for _ in range(3 * context * block + 2):
        embeddings.append(torch.randn(EPISODES, DIM, generator=draw))
        history.see(embeddings[-1])
        frames, blocks = expected(embeddings, torques, context, block)
        assert torch.equal(history.embeddings(), frames)
        assert torch.equal(history.torque_blocks(), blocks)
        check_transition(history, embeddings, torques, context, block)
        torques.append(torch.randn(EPISODES, TORQUE_DIM, generator=draw))
        history.act(torques[-1])


def test_a_long_episode_takes_no_more_memory() -> None:
    history = TickHistory(3, 2, TORQUE_DIM, torch.stack, torch.zeros)
    for _ in range(100):
        history.see(torch.zeros(EPISODES, DIM))
        history.act(torch.zeros(EPISODES, TORQUE_DIM))
    assert len(history._embeddings) == 7  # one model step more than the model reads
    assert len(history._torques) == 6
