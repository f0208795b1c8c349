"""Muon for matrices, AdamW for the rest, one learning-rate curve for both.

Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers"; Liu et al. 2025,
arXiv:2502.16982) replaces a matrix's momentum by the nearest orthogonal matrix, found by a
Newton-Schulz iteration. torch's own takes only two-dimensional parameters and iterates in
bfloat16, which many CPUs emulate slowly; here convolution kernels count as (out, in·h·w)
matrices and the arithmetic is float32.

Each round has a polynomial of its own, the nearest to 1 on what the rounds before leave of the
interval [0.002, 1] (Amsel et al. 2025, "The Polar Express", arXiv:2505.16932, Sec. 3): four rounds
do what five of one polynomial did.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from agent.model.world_model import TAUGHT_LATER
from agent.training.adamw import AdamW, LightOptimiser
from agent.training.settings import TrainingConfig

# a·x + b·x³ + c·x⁵, one a round; tests/training/test_optimiser.py finds them again.
_ROUNDS = (
    (8.426790, -24.936142, 18.492498),
    (4.111648, -3.059130, 0.574954),
    (3.714571, -2.778127, 0.542939),
    (2.781950, -2.074927, 0.463501),
)
_LONG = 2  # times as many columns as rows
_SETTLING_PEAK = 0.5  # of the main part's


class Muon(LightOptimiser):
    """Momentum, made orthogonal."""

    def __init__(self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient; ``closure`` is not used."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, rate, keep = self.state[parameter], group["lr"], group["momentum"]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].lerp_(gradient, 1 - keep)
        direction = gradient.lerp(state["momentum"], keep).flatten(1)  # Nesterov
        rows, columns = direction.shape
        stretch = math.sqrt(max(1.0, rows / columns))
        parameter.add_(orthogonalise(direction).reshape(parameter.shape), alpha=-rate * stretch)


def orthogonalise(matrix: Tensor) -> Tensor:
    """Roughly U·Vᵀ of the singular value decomposition of ``matrix``, same shape.

    Singular values end within about [0.68, 1.32], which is near enough for a step direction, where
    they were above 0.002 of √‖M·Mᵀ‖, which bounds the largest.
    """
    is_tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if is_tall else matrix
    gram = wide @ wide.T
    bound = 1.01 * gram.norm() + 1e-14  # of the squares; a hair above 1 would run away
    scaled, gram = wide / bound.sqrt(), gram / bound
    is_long = wide.shape[1] >= _LONG * wide.shape[0]
    found = _by_gram(scaled, gram) if is_long else _by_rounds(scaled, gram)
    return found.T if is_tall else found


def _by_rounds(current: Tensor, gram: Tensor) -> Tensor:
    """Each round's polynomial of ``current``, whose ``gram`` matrix is given."""
    for number, (a, b, c) in enumerate(_ROUNDS):
        if number:
            gram = current @ current.T
        rest = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        current = torch.addmm(current, rest, current, beta=a)
    return current


def _by_gram(matrix: Tensor, gram: Tensor) -> Tensor:
    """The same, gathering the rounds in a square matrix: of a long one they are the cheaper."""
    factor = gathered = torch.eye(0)
    for number, (a, b, c) in enumerate(_ROUNDS):
        if number:
            gram = factor @ gram @ factor
        factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        gathered = factor @ gathered if number else factor
    return gathered @ matrix


class WorldModelOptimiser:
    """Both optimisers behind one door; its learning rate is a pure function of the step.

    What is taught later is left alone: the goal distance and the action head.
    """

    def __init__(self, model: nn.Module, config: TrainingConfig) -> None:
        self.config = config
        named = model.named_parameters()
        self.parameters = [value for name, value in named if not name.startswith(TAUGHT_LATER)]
        by_muon = [p for p in self.parameters if p.ndim >= 2 and config.optimiser == "muon"]
        by_adamw = [p for p in self.parameters if p.ndim < 2 or config.optimiser == "adamw"]
        decay = config.weight_decay if config.optimiser == "adamw" else 0.0
        adamw = AdamW(by_adamw, config.learning_rate, decay)
        self.parts: dict[str, LightOptimiser] = {"adamw": adamw}
        if by_muon:
            self.parts = {"muon": Muon(by_muon, config.matrix_learning_rate), **self.parts}
        self._peaks = {"muon": config.matrix_learning_rate, "adamw": config.learning_rate}

    def step(self, loss: Tensor, step: int) -> None:
        """Descend ``loss`` at the learning rate of training step ``step``.

        Raises:
            FloatingPointError: if the gradient is not finite; the weights are then as before.
        """
        for name, part in self.parts.items():
            part.zero_grad(set_to_none=True)
            for group in part.param_groups:
                group["lr"] = self._peaks[name] * learning_rate_factor(step, self.config)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.parameters, self.config.gradient_clip)
        if not bool(norm.isfinite()):
            raise FloatingPointError("the gradient is not finite")
        for part in self.parts.values():
            part.step()

    def tensors(self) -> dict[str, Tensor]:
        """All optimiser state under flat names, for a training-state file."""
        return {
            f"{name}.{index}.{key}": value
            for name, part in self.parts.items()
            for index, state in part.state_dict()["state"].items()
            for key, value in state.items()
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take back what :meth:`tensors` gave."""
        for name, part in self.parts.items():
            states: dict[int, dict[str, Tensor]] = {}
            for flat, value in tensors.items():
                owner, index, key = flat.split(".")
                if owner == name:
                    states.setdefault(int(index), {})[key] = value
            groups = part.state_dict()["param_groups"]
            part.load_state_dict({"state": states, "param_groups": groups})


def learning_rate_factor(step: int, config: TrainingConfig) -> float:
    """Linear warm-up, then half a cosine down to zero at the last step; in (0, 1].

    Warm start, main part and settling have such a curve each, the last one half as high.
    """
    main = config.main_steps
    first, last = main.start, main.stop
    peak = 1.0
    if step < first:
        last, first = first, 0
    elif step >= last:
        first, last, peak = last, config.steps, _SETTLING_PEAK
    done, steps = step - first, last - first
    warmup = max(1, round(config.warmup_fraction * steps))
    if done < warmup:
        return peak * (done + 1) / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (done - warmup) / max(1, steps - warmup)))
