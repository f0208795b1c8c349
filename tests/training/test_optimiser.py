"""Muon's orthogonal steps, the learning-rate curve, and what happens to a bad gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch import nn

from agent.training.optimiser import (
    _ROUNDS,
    Muon,
    WorldModelOptimiser,
    learning_rate_factor,
    orthogonalise,
)
from agent.training.settings import TrainingConfig


@pytest.mark.parametrize("shape", [(8, 8), (6, 20), (20, 6), (1, 9)])
def test_orthogonalise_keeps_directions_and_evens_out_their_lengths(
    shape: tuple[int, int],
) -> None:
    draw = torch.Generator().manual_seed(0)
    rank = min(shape)
    left = torch.linalg.qr(torch.randn(shape[0], rank, generator=draw)).Q
    right = torch.linalg.qr(torch.randn(shape[1], rank, generator=draw)).Q
    lengths = torch.logspace(0, 2, rank)  # two decades
    result = orthogonalise(left @ torch.diag(lengths) @ right.T)
    inner = left.T @ result @ right  # diagonal if and only if the singular vectors are kept
    diagonal = inner.diagonal()
    assert (inner - diagonal.diag()).abs().max() < 1e-3
    assert diagonal.min() > 0.6 and diagonal.max() < 1.33
    # Nothing outside the span.
    torch.testing.assert_close(left @ inner @ right.T, result, atol=1e-4, rtol=0)


@pytest.mark.parametrize("shape", [(20, 24), (24, 20), (20, 40), (12, 90), (90, 12)])
def test_a_long_matrix_goes_through_the_same_rounds(shape: tuple[int, int]) -> None:
    """What polynomials make of singular values, in double precision."""
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(2)).double()
    matrix = matrix @ torch.diag(torch.logspace(0, -2, shape[1]).double())
    left, lengths, right = torch.linalg.svd(matrix, full_matrices=False)
    lengths = lengths / (1.01 * lengths.pow(4).sum().sqrt()).sqrt()
    for a, b, c in _ROUNDS:
        lengths = a * lengths + b * lengths**3 + c * lengths**5
    expected = (left * lengths) @ right
    torch.testing.assert_close(orthogonalise(matrix), expected, atol=1e-7, rtol=1e-6)
    found = orthogonalise(matrix.float()).double()
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=0)


def test_each_round_is_the_nearest_to_one_on_what_is_left() -> None:
    low, high = 0.002, 1.0
    for round_ in _ROUNDS:
        best, error = nearest_to_one(low, high)
        assert np.allclose(best, round_, atol=1e-4)
        low, high = 1 - error, 1 + error
    assert error < 0.33  # of every singular value above 0.002, however many rounds it took


def nearest_to_one(low: float, high: float) -> tuple[np.ndarray, float]:
    """a, b, c with the least largest |a·x + b·x³ + c·x⁵ - 1| on [low, high], and that error."""
    points = np.linspace(low, high, 2000)
    powers, one = np.stack([points, points**3, points**5], 1), np.ones((2000, 1))
    found = linprog(
        [0, 0, 0, 1],
        A_ub=np.vstack([np.hstack([powers, -one]), np.hstack([-powers, -one])]),
        b_ub=np.r_[np.ones(2000), -np.ones(2000)],
        bounds=[(None, None)] * 3 + [(0, None)],
    )
    return found.x[:3], float(found.x[3])


def test_the_size_of_a_gradient_does_not_matter() -> None:
    matrix = torch.randn(5, 7, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(orthogonalise(1e4 * matrix), orthogonalise(matrix))
    assert orthogonalise(torch.zeros(3, 4)).abs().max() == 0


def test_muon_treats_a_kernel_as_a_matrix() -> None:
    kernel = nn.Parameter(torch.zeros(6, 3, 2, 2))
    kernel.grad = torch.randn(6, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    Muon([kernel], lr=0.5, momentum=0.0).step()
    expected = -0.5 * orthogonalise(kernel.grad.flatten(1))
    torch.testing.assert_close(kernel.detach().flatten(1), expected)


def test_muon_finds_a_linear_map() -> None:
    draw = torch.Generator().manual_seed(0)
    target, inputs = (torch.randn(6, 6, generator=draw), torch.randn(100, 6, generator=draw))
    weight = nn.Parameter(torch.zeros(6, 6))
    optimiser = Muon([weight], lr=0.05)
    for step in range(300):
        optimiser.param_groups[0]["lr"] = 0.1 * (1 - step / 300)
        optimiser.zero_grad()
        (inputs @ (weight - target)).square().mean().backward()
        optimiser.step()
    torch.testing.assert_close(weight.detach(), target, atol=0.02, rtol=0)


def test_the_learning_rate_rises_then_falls_to_nearly_nothing() -> None:
    config = TrainingConfig(steps=1000, warmup_fraction=0.05)
    curve = [learning_rate_factor(step, config) for step in range(1000)]
    assert curve[0] == pytest.approx(1 / 50)
    assert curve[49] == curve[50] == 1.0
    assert curve[525] == pytest.approx(0.5)  # half-way through the cosine
    assert 0 < curve[-1] < 1e-4
    assert curve[:50] == sorted(curve[:50]) and curve[50:] == sorted(curve[50:], reverse=True)


@pytest.mark.parametrize("steps", [1, 2])
def test_the_shortest_runs_have_a_learning_rate(steps: int) -> None:
    for warmup_fraction in (0.0, 0.05, 0.9):
        config = TrainingConfig(steps=steps, warmup_fraction=warmup_fraction)
        assert all(0 < learning_rate_factor(step, config) <= 1 for step in range(steps))


def quadratic_model() -> tuple[nn.Module, WorldModelOptimiser]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    return model, WorldModelOptimiser(model, TrainingConfig(steps=20))


def loss_of(model: nn.Module, step: int) -> torch.Tensor:
    inputs = torch.randn(16, 4, generator=torch.Generator().manual_seed(step))
    return (model(inputs) - inputs[:, :3]).square().mean()


def test_every_parameter_is_trained_and_none_twice() -> None:
    model, optimiser = quadratic_model()
    owned = [p for part in optimiser.parts.values() for g in part.param_groups for p in g["params"]]
    assert sorted(map(id, owned)) == sorted(map(id, model.parameters()))


def test_state_put_back_continues_to_the_bit() -> None:
    model, optimiser = quadratic_model()
    for step in range(8):
        optimiser.step(loss_of(model, step), step)
    twin, restored = quadratic_model()
    twin.load_state_dict({name: value.clone() for name, value in model.state_dict().items()})
    restored.restore({name: value.clone() for name, value in optimiser.tensors().items()})
    for step in range(8, 20):
        optimiser.step(loss_of(model, step), step)
        restored.step(loss_of(twin, step), step)
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True)
    )


def test_a_gradient_that_is_not_finite_moves_nothing() -> None:
    model, optimiser = quadratic_model()
    before = [parameter.clone() for parameter in model.parameters()]
    with pytest.raises(FloatingPointError, match="gradient"):
        optimiser.step(loss_of(model, 0) * float("inf"), 0)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize(("optimiser", "kept"), [("muon", 1.0), ("adamw", 0.5)])
def test_weights_decay_with_adamw_alone(optimiser: str, kept: float) -> None:
    """What no gradient moves is kept, or shrinks by the rate times the decay."""
    model = nn.Linear(3, 2)
    before = model.bias.detach().clone()
    settings = TrainingConfig(
        steps=10, warmup_fraction=0.0, optimiser=optimiser, learning_rate=0.5, weight_decay=1.0
    )
    found = WorldModelOptimiser(model, settings)
    found.step(model.weight.sum() + 0 * model.bias.sum(), 0)
    torch.testing.assert_close(model.bias.detach(), kept * before)
