"""The agent of an exported controller is the agent, less torch."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_controller import CONTROL, PLANNER, SIZE

from agent import ExportedAgent
from agent.control.acting import Acting, planning
from agent.control.torch_model import TorchModel
from agent.errors import UserError
from agent.model.world_model import WorldModel


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)


def test_it_acts_as_the_agent_it_was_made_of(exported: Path, model: WorldModel) -> None:
    network = TorchModel(model)
    ours = Acting(network, planning(network, PLANNER, CONTROL), seed=4)
    theirs = ExportedAgent.load(str(exported), seed=4)
    *shown, goal, other = pictures(14)
    for number, frame in enumerate(shown):
        aim = goal if number < 7 else other
        np.testing.assert_allclose(theirs.act(frame, aim), ours.act(frame, aim), atol=1e-4)
    np.testing.assert_allclose(theirs.plan, ours.plan, atol=1e-4)
    np.testing.assert_allclose(theirs.encode(goal), ours.encode(goal), atol=1e-4)
    assert theirs.spec == ours.spec and theirs.held == (None,)


def test_a_batch_acts_as_one_by_one(exported: Path) -> None:
    agent, frames = ExportedAgent.load(exported), pictures(4)
    together = agent.act(frames[:2], frames[2:])
    agent.reset(seed=0)
    np.testing.assert_allclose(agent.act(frames[0], frames[2]), together[0], atol=1e-5)


def test_a_copy_goes_on_where_it_was(exported: Path) -> None:
    """As another process gets it, in the middle of an episode."""
    agent, frames = ExportedAgent.load(exported, seed=2), pictures(5)
    agent.act(frames[0], frames[4])
    other = pickle.loads(pickle.dumps(agent))
    for frame in frames[1:4]:
        np.testing.assert_array_equal(agent.act(frame, frames[4]), other.act(frame, frames[4]))


def test_what_cannot_act_is_named(tmp_path: Path, exported: Path) -> None:
    (tmp_path / "notes.txt").touch()
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UserError, match=r"an exported controller in .*make one with `export`"):
            ExportedAgent.load(place)
    with pytest.raises(UserError, match="delay_ticks below the 8 ticks"):
        ExportedAgent.load(exported, delay_ticks=99)
    wrongs: list[dict[str, Any]] = [{"delay_ticks": v} for v in (1.5, 2.0, -1)]
    wrongs += [{"tick_ms": v} for v in (0, float("nan"))] + [{"threads": v} for v in (0, 1000)]
    for wrong in wrongs:
        with pytest.raises(UserError, match=next(iter(wrong))):
            ExportedAgent.load(exported, **wrong)
