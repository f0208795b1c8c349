"""AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101), to the bit torch's own, begun in no time.

torch's loads its compiler, two seconds of a short training, to tell it to keep out.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer


class LightOptimiser(Optimizer):
    """torch's, out of whose bookkeeping no compiler needs to be kept."""

    add_param_group = inspect.unwrap(Optimizer.add_param_group)
    zero_grad = inspect.unwrap(Optimizer.zero_grad)
    state_dict = inspect.unwrap(Optimizer.state_dict)
    load_state_dict = inspect.unwrap(Optimizer.load_state_dict)


class AdamW(LightOptimiser, torch.optim.AdamW):
    """Steps of a gradient's running mean over its running spread, and weights that decay."""

    step = torch.no_grad()(inspect.unwrap(torch.optim.AdamW.step))

    def __init__(self, parameters: Iterable[Tensor], lr: float, weight_decay: float = 0.0) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay, foreach=False)
