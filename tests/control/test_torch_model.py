"""A network behind the four methods that planning needs."""

from __future__ import annotations

import numpy as np
import torch
from known_world import SIZE, situation_of

from agent.control.torch_model import TorchModel
from agent.model.world_model import WorldModel


def test_a_network_in_training_mode_is_put_in_evaluation_mode(learned: WorldModel) -> None:
    assert not TorchModel(learned.train()).network.training


def test_everything_comes_out_in_single_precision(learned: WorldModel) -> None:
    model, now = TorchModel(learned), situation_of(learned)
    frames = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    plans = np.zeros((2, 3, 4, 4), np.float32)
    blocks = np.zeros((2, 3, 4), np.float32)
    results = [
        model.encode(frames), model.encode(frames[::-1]), model.predict(now.embeddings, blocks),
        model.rollout(now, plans), *model.linearise(now, plans[:, 0]),
    ]  # fmt: skip
    assert {result.dtype for result in results} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(results[0][::-1], results[1])


def test_one_step_of_a_rollout_is_a_prediction_with_its_drift(learned: WorldModel) -> None:
    model, now = TorchModel(learned), situation_of(learned)
    block = np.random.default_rng(0).normal(size=(2, 1, 1, 4)).astype(np.float32)
    offsets = model.rollout(now, block)[:, 0, 0]
    blocks = np.concatenate([now.past, block[:, 0]], 1)
    predicted = model.predict(now.embeddings, blocks) + now.drift
    np.testing.assert_allclose(offsets, model.apart(predicted, now.goals), rtol=1e-4, atol=1e-5)


def test_the_linearised_offsets_are_those_of_the_rollout(learned: WorldModel) -> None:
    model, now = TorchModel(learned), situation_of(learned)
    plan = np.random.default_rng(0).normal(size=(2, 4, 4)).astype(np.float32)
    offsets, slopes = model.linearise(now, plan)
    assert slopes.shape == (2, 16, *offsets.shape[1:])
    rolled = model.rollout(now, plan[:, None])[:, 0]
    np.testing.assert_allclose(offsets, rolled, rtol=1e-4, atol=1e-5)
    for step in range(4):  # later actions do not move earlier steps
        assert not slopes[:, 4 * (step + 1) :, step].any()


def test_distances_are_measured_in_the_goal_metric(exact: WorldModel) -> None:
    exact.goal_metric.copy_(torch.diag(torch.tensor([2.0, 0.0])))
    model = TorchModel(exact)
    far = model.apart(np.float32([[3.0, 4.0]]), np.float32([[1.0, 1.0]]))
    np.testing.assert_array_equal(far, [[4.0, 0.0]])
