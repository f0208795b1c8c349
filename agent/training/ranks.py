"""Several ranks that train one model: processes which torchrun started, on one machine or on many.

Each has a part of every batch. What a loss says of the whole batch (a characteristic function, a
covariance, a BatchNorm's mean) is averaged over all parts on the way forward, and its gradient is
summed over them on the way back, so that the ranks together do what one does alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from agent.errors import MachineError

_PEER_GONE = (  # as gloo, NCCL and the store between the ranks tell it
    "closed by peer", "reset by peer", "Broken pipe", "Socket", "socket", "NCCL", "Timed out",
    "timed out",
)  # fmt: skip
T = TypeVar("T")


class OtherRankError(MachineError):
    """Another rank has failed and says why itself; there is nothing more to say here."""


class LostRankError(MachineError):
    """Another rank has gone without a word."""


def started() -> int:
    """How many ranks torchrun started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1


def place() -> int:
    """Which of the started ones this is, joined or not."""
    return int(os.environ["RANK"]) if started() > 1 else 0


def on_this_machine() -> int:
    """How many of them share this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if started() > 1 else 1


def count() -> int:
    """How many ranks train together; 1 outside :func:`joined`."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def number() -> int:
    """Which of them this is."""
    return dist.get_rank() if count() > 1 else 0


def is_first() -> bool:
    """Whether this rank writes, prints and reports; the others only compute."""
    return number() == 0


@contextmanager
def joined(device: str) -> Iterator[None]:
    """Train together with the other ranks, if torchrun started several: by NCCL on "cuda", each on
    its own GPU, and by gloo elsewhere.

    Raises:
        MachineError: if the others cannot be met.
        LostRankError: if one of them is lost on the way.
    """
    if started() == 1 or count() > 1:
        yield
        return
    on_gpu = torch.device(device).type == "cuda"
    try:
        if on_gpu:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        dist.init_process_group("nccl" if on_gpu else "gloo")
    except (RuntimeError, ValueError) as error:
        raise MachineError(
            f"cannot meet the other {started() - 1} ranks: {_first_line(error)}. Start all of them "
            "by torchrun, with an address that every machine reaches (--rdzv-endpoint)"
        ) from error
    try:
        yield
    except RuntimeError as error:
        if not any(sign in str(error) for sign in _PEER_GONE):
            raise
        raise LostRankError(
            f"lost the connection to another rank ({_first_line(error)}): what it said itself "
            "tells why. Start again with --resume, with as many ranks as you like"
        ) from error
    finally:
        dist.destroy_process_group()


def mean(part: Tensor) -> Tensor:
    """The mean over ranks of a tensor that each has of its own, with a gradient to every one."""
    if count() == 1:
        return part
    total: Tensor = _Sum.apply(part)  # type: ignore[no-untyped-call]
    return total / count()


def each(part: Tensor) -> Tensor:
    """That tensor of every rank (ranks, ...), with a gradient to each."""
    if count() == 1:
        return part[None]
    mine = torch.nn.functional.one_hot(torch.tensor(number()), count()).to(part)
    whole: Tensor = _Sum.apply(mine.reshape(-1, *[1] * part.ndim) * part)  # type: ignore[no-untyped-call]
    return whole


class _Sum(torch.autograd.Function):
    """The sum over ranks: each rank's loss reaches the parts of all."""

    @staticmethod
    def forward(context: Any, part: Tensor) -> Tensor:
        return _summed(part)

    @staticmethod
    def backward(context: Any, slope: Tensor) -> Tensor:
        return _summed(slope)


def _summed(part: Tensor) -> Tensor:
    total = part.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total


def mean_values(values: Sequence[float], device: torch.device) -> tuple[float, ...]:
    """The means over ranks of some numbers, the same on every rank."""
    if count() == 1:
        return tuple(values)
    total = torch.tensor(values, dtype=torch.float64, device=device)
    dist.all_reduce(total)
    return tuple((total / count()).tolist())


def by_all(job: Callable[[], T]) -> T:
    """What ``job`` returns, once every rank has done it.

    Where some fail all end: the first of those with its own exception, the others with
    :class:`OtherRankError`.
    """
    if count() == 1:
        return job()
    failure: Exception | None = None
    try:
        result = job()
    except Exception as error:
        failure = error
    failed: list[bool] = [False] * count()
    dist.all_gather_object(failed, failure is not None)
    if not any(failed):
        return result
    if failure is not None and failed.index(True) == number():
        raise failure
    raise OtherRankError(f"rank {failed.index(True)} has failed")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
