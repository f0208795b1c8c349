"""SIGReg against its closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from agent.model.sigreg import SIGReg

GAUSSIAN = 1.0525  # expectation for N(0, I), at any batch size
COLLAPSED = 0.40205  # per sample, all of them at the origin


def statistic(embeddings: Tensor, directions: int = 64, seed: int = 0) -> float:
    return float(SIGReg(directions)(embeddings, torch.Generator().manual_seed(seed)))


def mean_over_seeds(samples: int, std: float, seeds: int) -> float:
    values = []
    for seed in range(seeds):
        draw = torch.Generator().manual_seed(1000 + seed)
        values.append(statistic(std * torch.randn(samples, 16, generator=draw), seed=seed))
    return float(np.mean(values))


@pytest.mark.parametrize("samples", [32, 128, 512])
def test_standard_normal_samples(samples: int) -> None:
    assert abs(mean_over_seeds(samples, 1.0, seeds=80) - GAUSSIAN) < 0.04


@pytest.mark.parametrize("samples", [1, 10, 512])
def test_a_batch_collapsed_on_the_origin(samples: int) -> None:
    assert statistic(torch.zeros(samples, 5)) == pytest.approx(COLLAPSED * samples, rel=1e-4)


@pytest.mark.parametrize(("std", "bias", "sampling"), [(0.8, 2.791, 0.840), (0.5, 19.353, 0.454)])
def test_too_narrow_a_cloud_of_128(std: float, bias: float, sampling: float) -> None:
    """N·Σ w (φ_std − φ)² for the wrong width plus Σ w (1 − φ_std²) for the finite sample."""
    assert mean_over_seeds(128, std, seeds=60) == pytest.approx(bias + sampling, rel=0.03)


def test_matches_the_integral_done_finely() -> None:
    """One dimension has one direction, so nothing is random: compare with 6001 knots on [-3, 3]."""
    samples = torch.tensor([[-1.3], [0.2], [0.4], [2.1]])
    t = np.linspace(-3, 3, 6001)
    empirical = np.exp(1j * t[:, None] * samples.double().numpy().T).mean(1)
    error = np.abs(empirical - np.exp(-(t**2) / 2)) ** 2
    exact = len(samples) * np.trapezoid(error * np.exp(-(t**2) / 2), t)
    assert statistic(samples) == pytest.approx(exact, rel=2e-3)


def test_rotating_the_batch_changes_nothing_in_expectation() -> None:
    draw = torch.Generator().manual_seed(0)
    cloud = torch.randn(200, 3, generator=draw) * torch.tensor([0.3, 1.0, 1.8])
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=draw)).Q
    before, after = (statistic(z, directions=4000) for z in (cloud, cloud @ rotation))
    assert before > 5 * GAUSSIAN
    assert after == pytest.approx(before, rel=0.03)


def test_descending_it_makes_a_crooked_cloud_isotropic() -> None:
    draw = torch.Generator().manual_seed(0)
    cloud = torch.randn(128, 3, generator=draw) * torch.tensor([0.2, 0.6, 1.0]) + 0.5
    cloud.requires_grad_()
    optimiser, sigreg = torch.optim.Adam([cloud], lr=0.1), SIGReg(16)
    for _ in range(300):
        optimiser.zero_grad()
        sigreg(cloud, draw).backward()
        optimiser.step()
    torch.testing.assert_close(torch.cov(cloud.detach().T), torch.eye(3), atol=0.12, rtol=0)
    assert cloud.mean(0).abs().max() < 0.1


def test_directions_come_from_the_stream_and_change_from_call_to_call() -> None:
    cloud = torch.randn(50, 4, generator=torch.Generator().manual_seed(1)) * 0.5
    sigreg, stream = SIGReg(8), torch.Generator().manual_seed(0)
    first, second = sigreg(cloud, stream), sigreg(cloud, stream)
    assert first != second
    assert torch.equal(first, sigreg(cloud, torch.Generator().manual_seed(0)))


def test_windows_must_be_flattened_first() -> None:
    with pytest.raises(ValueError, match=r"\(N, D\)"):
        SIGReg()(torch.zeros(2, 3, 4))


@pytest.mark.parametrize("wrong", [{"directions": 0}, {"knots": 1}])
def test_senseless_settings_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="directions >= 1 and knots >= 2"):
        SIGReg(**wrong)
