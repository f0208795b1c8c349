"""What sampling planners share: noise in many colours, and keeping the best plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def draw_normal(
    generators: Sequence[torch.Generator], shape: tuple[int, ...], like: Tensor
) -> Tensor:
    """Standard normal (E, *shape), row ``e`` from ``generators[e]`` alone."""
    rows = [torch.randn(shape, generator=generator, dtype=like.dtype) for generator in generators]
    return torch.stack(rows).to(like.device)


def plan_noise(
    generators: Sequence[torch.Generator],
    count: int,
    plans: Tensor,
    action_dim: int,
    colour: Callable[[Tensor], Tensor],
) -> Tensor:
    """Noise (E, count, H, U) for ``plans`` (E, H, U), one row of ``action_dim`` numbers a time.

    ``colour`` turns white noise (E, count, times, action_dim) into correlated noise.

    Raises:
        ValueError: if ``action_dim`` does not divide U.
    """
    _, steps, width = plans.shape
    times = noise_times(steps, width, action_dim)
    noise = colour(draw_normal(generators, (count, times, action_dim), like=plans))
    return noise.reshape(len(plans), count, steps, width)


def autoregressive(white: Tensor, keep: float) -> Tensor:
    """White noise (E, N, times, A) made first-order autoregressive in place, variance kept."""
    fresh = (1 - keep**2) ** 0.5
    for time in range(1, white.shape[2]):
        white[:, :, time] = keep * white[:, :, time - 1] + fresh * white[:, :, time]
    return white


def coloured(white: Tensor, exponent: float) -> Tensor:
    """White noise (E, N, times, A) given a power spectrum 1/f^exponent, of unit variance.

    (Timmer & König 1995, Sec. 3, as used by Pinneri et al. 2020.) The lowest frequency also
    stands in for the constant, so that plans may push one way all along.
    """
    times = white.shape[2]
    frequency = torch.fft.rfftfreq(times, dtype=white.dtype, device=white.device)
    frequency[0] = 1.0 / times
    shape = frequency ** (-exponent / 2)
    shape = shape / shape.square().mean().sqrt()
    spectrum = torch.fft.rfft(white, dim=2) * shape[:, None]
    noise = torch.fft.irfft(spectrum, n=times, dim=2)
    scaled: Tensor = noise / noise.std(dim=(1, 2), keepdim=True).clamp_min(1e-9)
    return scaled


def noise_times(steps: int, width: int, action_dim: int) -> int:
    """Times at which something acts in ``steps`` planner steps of ``width`` numbers.

    Raises:
        ValueError: if ``action_dim`` does not divide ``width``.
    """
    if width % action_dim:
        raise ValueError(
            f"expected planner steps of a multiple of action_dim={action_dim} numbers, got {width}"
        )
    return steps * width // action_dim


def cheapest(candidates: Tensor, costs: Tensor, count: int) -> Tensor:
    """The ``count`` best (E, count, H, U) of ``candidates`` (E, N, H, U), cheapest first."""
    chosen = costs.topk(count, dim=1, largest=False).indices  # (E, count)
    return candidates[torch.arange(len(candidates), device=candidates.device)[:, None], chosen]


def keep_best(
    candidates: Tensor, costs: Tensor, best: Tensor, best_cost: Tensor
) -> tuple[Tensor, Tensor]:
    """The better of the best plan known (E, H, U) and the cheapest of ``candidates`` (E, N, H, U).

    A cost that is not a number never wins.
    """
    cost, index = torch.nan_to_num(costs, nan=torch.inf).min(dim=1)
    challenger = candidates[torch.arange(len(candidates), device=candidates.device), index]
    better = cost < best_cost
    return torch.where(better[:, None, None], challenger, best), torch.where(
        better, cost, best_cost
    )
