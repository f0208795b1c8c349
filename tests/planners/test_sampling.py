"""Noise of a known colour, and the best plan whatever the costs."""

import math

import pytest
import torch

from planners.sampling import coloured, draw_normal, keep_best, noise_times


def white(times: int, samples: int = 4000) -> torch.Tensor:
    generators = [torch.Generator().manual_seed(0)]
    return draw_normal(generators, (samples, times, 2), like=torch.zeros(1))


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_the_spectrum_falls_as_asked(exponent: float) -> None:
    noise = coloured(white(64), exponent)
    power = torch.fft.rfft(noise, dim=2).abs().square().mean((0, 1, 3))
    slope = math.log(float(power[16] / power[2])) / math.log(16 / 2)
    assert slope == pytest.approx(-exponent, abs=0.1)
    assert float(noise.std()) == pytest.approx(1.0, abs=0.02)


def test_a_cost_that_is_not_a_number_never_wins() -> None:
    candidates = torch.arange(3.0).reshape(1, 3, 1, 1)
    costs = torch.tensor([[math.nan, 5.0, 4.0]])
    best, cost = keep_best(candidates, costs, torch.full((1, 1, 1), 9.0), torch.tensor([4.5]))
    assert best.item() == 2.0 and cost.item() == 4.0
    best, cost = keep_best(candidates[:, :1], costs[:, :1], best, cost)
    assert best.item() == 2.0 and cost.item() == 4.0


def test_a_step_must_hold_whole_actions() -> None:
    assert noise_times(steps=8, width=4, action_dim=2) == 16
    with pytest.raises(ValueError, match="action_dim=3"):
        noise_times(steps=8, width=4, action_dim=3)
