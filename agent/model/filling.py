"""A network with the weights of a file, made only if the file holds all that the settings ask for.

Settings that a stranger wrote may ask for any size. The network is first laid out without memory,
and counted: it may have no more tensors, and numbers in them, than lie in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any, TypeVar

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

from agent.model.chance import own_chance

Network = TypeVar("Network", bound=nn.Module)
_SLACK = 2  # a part may be registered twice while it is made


def filled(make: Callable[[], Network], weights: bytes) -> Network:
    """What ``make`` makes, filled with ``weights`` (safetensors), in evaluation mode.

    Raises:
        SafetensorError, RuntimeError, OverflowError: if they do not fit each other.
        Whatever else ``make`` raises.
    """
    tensors = safetensors.torch.load(weights)
    numbers = sum(value.numel() for value in tensors.values())
    with _at_most(len(tensors), numbers), torch.device("meta"):
        make()
    with own_chance():  # what is drawn is written over
        network = make()
    network.load_state_dict(tensors)
    return network.eval()


@contextmanager
def _at_most(tensors: int, numbers: int) -> Iterator[None]:
    """RuntimeError as soon as networks made in the body have clearly more than that."""
    ours = get_ident()  # other threads make networks, too, and torch tells of all
    left = {"tensors": _SLACK * tensors, "numbers": _SLACK * numbers}

    def count(module: nn.Module, name: str, value: Tensor | None) -> None:
        if value is None or get_ident() != ours:
            return
        left["tensors"] -= 1
        left["numbers"] -= value.numel()
        if min(left.values()) < 0:
            raise RuntimeError(
                f"the settings ask for more than the {tensors} tensors of {numbers} numbers that "
                "the weights hold"
            )

    hooks: list[Any] = [
        register_module_parameter_registration_hook(count),
        register_module_buffer_registration_hook(count),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
