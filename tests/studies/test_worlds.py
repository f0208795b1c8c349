"""Synthetic worlds: their moments, their inverses, and what can be learned from them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from agent.errors import UserError
from studies.couplings import Couplings
from studies.law_study import separate
from studies.learning import Recipe, learn, ornstein_uhlenbeck, planar_encoder
from studies.metrics import linear_r2, mean_correlation
from studies.objectives import OBJECTIVES, Objective, whitened
from studies.violations import BROKEN
from studies.worlds import MIXINGS, linear, sample_latents, step


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0, 8.0, 32.0])
def test_latents_have_unit_variance_and_the_kurtosis_of_their_law(shape: float) -> None:
    """E z⁴/(E z²)² = Γ(5/α)Γ(1/α)/Γ(3/α)²."""
    z = sample_latents(400_000, 1, stream(), shape).double()
    kurtosis = math.gamma(5 / shape) * math.gamma(1 / shape) / math.gamma(3 / shape) ** 2
    assert float(z.var()) == pytest.approx(1, rel=0.03)
    assert float((z**4).mean()) == pytest.approx(kurtosis, rel=0.15)


def test_a_step_keeps_variance_and_correlates_by_rho() -> None:
    z = sample_latents(200_000, 2, stream())
    partner = step(z, torch.tensor([0.9, 0.3]), stream(1))
    assert partner.var(0).numpy() == pytest.approx([1, 1], rel=0.02)
    assert (z * partner).mean(0).numpy() == pytest.approx([0.9, 0.3], abs=0.01)


def test_a_shape_of_nought_is_no_law() -> None:
    with pytest.raises(UserError, match="shape above 0"):
        sample_latents(10, 2, stream(), 0.0)


@pytest.mark.parametrize("name", MIXINGS)
def test_mixings_are_injective(name: str) -> None:
    """Where the Jacobian's determinant never vanishes or changes sign, nearby points stay apart."""
    z = sample_latents(100, 2, stream())
    jacobians = torch.func.vmap(torch.func.jacrev(lambda one: MIXINGS[name](one[None])[0]))(z)
    signs = torch.linalg.det(jacobians).sign()
    assert (signs == signs[0]).all()


@pytest.mark.parametrize("scale", [1.0, 1e-2])
def test_no_encoder_gets_round_its_unit_variance(scale: float) -> None:
    """However small what is normalised; with torch's ε the small one comes out at a fraction."""
    encoder = planar_encoder(2, 2, 0)
    last = encoder[-2]
    with torch.no_grad():
        last.weight *= scale
        last.bias *= scale
    spread = encoder(torch.randn((5000, 2), generator=stream())).var(0, unbiased=False)
    assert spread.tolist() == pytest.approx([1, 1], abs=2e-3)


@pytest.mark.parametrize("dimensions", [2, 6])
def test_couplings_are_undone_by_their_inverse(dimensions: int) -> None:
    mixing = Couplings(dimensions, stream(), 1.0)
    inverse = Couplings(dimensions, stream(1), 0.0, inverse=True)
    inverse.load_state_dict(mixing.state_dict())
    z = sample_latents(100, dimensions, stream(2))
    with torch.no_grad():
        assert not torch.allclose(mixing(z), z, atol=0.1)
        assert torch.allclose(inverse(mixing(z)), z, atol=1e-4)


def test_couplings_need_two_halves() -> None:
    with pytest.raises(ValueError, match="even"):
        Couplings(3, stream(), 1.0)


@pytest.mark.parametrize("condition", ["mean", "variance", "noise"])
@pytest.mark.parametrize("amount", [0.0, 0.6])
def test_broken_worlds_keep_variance_one(condition: str, amount: float) -> None:
    z, partner = BROKEN[condition](amount)(50_000, stream())
    assert z.var(0).numpy() == pytest.approx([1, 1], rel=0.06)
    assert partner.var(0).numpy() == pytest.approx([1, 1], rel=0.06)


def test_a_ratio_of_rates_is_one_of_logarithms() -> None:
    z, partner = BROKEN["rates"](4.0)(200_000, stream())
    slow, fast = (z * partner).mean(0).log().tolist()
    assert fast / slow == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_an_objective_does_not_see_a_rotation(kind: str) -> None:
    first, second = torch.randn((2, 4000, 2), generator=stream())
    turn = torch.linalg.qr(torch.randn((2, 2), generator=stream(1))).Q
    asked = Objective(kind, 0.01, directions=256)
    before = asked.loss(first[:500], second[:500], stream(2))
    after = asked.loss(first[:500] @ turn, second[:500] @ turn, stream(3))
    assert float(after) == pytest.approx(float(before), rel=0.01)


def test_a_whitened_batch_has_the_identity_for_covariance() -> None:
    """And the loss of a pair of copies, each with noise of its own, is what noise alone leaves."""
    signal, noise, more = torch.randn((3, 20_000, 3), generator=stream())
    mixed = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.0, 3.0]])
    first, second = (signal + 0.5 * noise) @ mixed, (signal + 0.5 * more) @ mixed
    white = whitened(torch.cat([first, second]))
    torch.testing.assert_close(white.T @ white / len(white), torch.eye(3), atol=1e-3, rtol=0)
    loss = Objective("whitening").loss(first, second, stream())
    assert float(loss) == pytest.approx(3 * 2 * 0.2, rel=0.02)  # 3 outputs, 2(1 − ρ), ρ = 1 / 1.25
    relative = Objective("whitening", relative=True).loss(first, second, stream())
    assert float(relative.exp()) == pytest.approx(float(loss))


def test_one_far_out_does_not_end_whitening() -> None:
    far = torch.randn((512, 2), generator=stream())
    far[0] = torch.tensor([1e7, 1.001e7])
    far.requires_grad_()
    white = whitened(far)
    torch.testing.assert_close(white.T @ white / len(white), torch.eye(2), atol=1e-3, rtol=0)
    white.square().sum().backward()
    assert far.grad is not None and far.grad.isfinite().all()
    with pytest.raises(torch.linalg.LinAlgError):
        whitened(torch.full((4, 2), float("nan")))


def test_planes_see_what_lies_in_them_alone() -> None:
    """In 16 dimensions a uniform law looks Gaussian in a plane; two coordinates do not."""
    wide, narrow = (2 * 3**0.5 * (torch.rand((2000, d), generator=stream()) - 0.5) for d in (16, 2))
    gaussian = torch.randn((2000, 16), generator=stream())

    def statistic(values: torch.Tensor) -> float:
        asked = Objective("subspaces", 1.0, directions=256)
        twice = asked.loss(values, values, stream(1))  # no alignment is left: λ·SIGReg alone
        return float(twice) / 2

    assert statistic(gaussian) == pytest.approx(1.05, abs=0.35)
    assert statistic(wide) < 2 < 4 < statistic(narrow)


@pytest.mark.parametrize("kind", ["lejepa", "whitening"])
def test_a_gaussian_world_is_learned(kind: str) -> None:
    """300 steps lift the banana from its linear R² of .83 to nearly all of it."""
    encoder = planar_encoder(2, 2, seed=5)
    recipe = Recipe(300, 256, objective=Objective(kind))
    found = learn(encoder, ornstein_uhlenbeck(MIXINGS["banana"], 0.95), recipe, seed=5)
    assert found.r2 > 0.985
    assert found.procrustes_error is not None and found.bound is not None
    assert found.procrustes_error <= found.bound


def test_the_same_seed_gives_the_same_figures() -> None:
    def once() -> float:
        world = ornstein_uhlenbeck(MIXINGS["spiral"], 0.9)
        return learn(planar_encoder(2, 2, 5), world, Recipe(5, 32), 5).r2

    assert once() == once()


def test_fastica_separates_what_is_linear_and_not_gaussian_and_nothing_else() -> None:
    uniform, gaussian = (sample_latents(5000, 2, stream(), shape) for shape in (32.0, 2.0))

    def mcc(latents: torch.Tensor) -> float:
        observed = linear(latents).double().numpy()
        return mean_correlation(latents.double().numpy(), separate(observed, seed=5))

    assert mcc(uniform) > 0.99
    assert mcc(gaussian) < 0.97
    bent = MIXINGS["spiral"](uniform).double().numpy()
    assert linear_r2(separate(bent, seed=5), np.asarray(uniform.double())) < 0.9
