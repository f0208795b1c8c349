"""What can happen to a camera: pictures in, wrong pictures out. Frames are uint8 (E, h, w, 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np

from agent.interfaces import Image

Fault = Callable[[list[Image], int, np.random.Generator], Image]
"""Takes the true frames so far, the tick at which the fault began, and a random stream."""


def _now(change: Callable[[Image], Image]) -> Fault:
    return lambda seen, began, rng: change(seen[-1])


def _each(change: Callable[[Image], Image]) -> Fault:
    return lambda seen, began, rng: np.stack([change(frame) for frame in seen[-1]])


def _turned(frame: Image) -> Image:
    height, width = frame.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 5, 1)
    turned: Image = cv2.warpAffine(frame, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return turned


def _nearer(frame: Image) -> Image:
    height, width = frame.shape[:2]
    part = frame[height // 8 : -(height // 8), width // 8 : -(width // 8)]
    nearer: Image = cv2.resize(part, (width, height))
    return nearer


def _blurred(frame: Image) -> Image:
    blurred: Image = cv2.GaussianBlur(frame, (9, 9), 3)
    return blurred


def _noisy(seen: list[Image], began: int, rng: np.random.Generator) -> Image:
    noise = rng.normal(0, 40, seen[-1].shape)
    return np.clip(seen[-1] + noise, 0, 255).astype(np.uint8)


def _covered(seen: list[Image], began: int, rng: np.random.Generator) -> Image:
    frames = seen[-1].copy()
    side = frames.shape[1] // 3
    for frame in frames:
        top, left = rng.integers(0, frames.shape[1] - side, 2)
        frame[top : top + side, left : left + side] = rng.integers(0, 256, 3)
    return frames


def _torn(seen: list[Image], began: int, rng: np.random.Generator) -> Image:
    frames = seen[-1].copy()
    half = frames.shape[1] // 2
    frames[:, :half] = seen[began - 1][:, :half]
    return frames


def _hidden(seen: list[Image], began: int, rng: np.random.Generator) -> Image:
    """The ground alone: what moves is not in the picture."""
    ground = np.median(np.concatenate(seen), 0).astype(np.uint8)
    return np.broadcast_to(ground, seen[-1].shape).copy()


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "hangs": lambda seen, began, rng: seen[began - 1],
        "late by 5 ticks": lambda seen, began, rng: seen[max(0, len(seen) - 6)],
        "every fourth picture": lambda seen, began, rng: seen[len(seen) - 1 - (len(seen) - 1) % 4],
        "black": _now(np.zeros_like),
        "white": _now(lambda frames: np.full_like(frames, 255)),
        "red and blue swapped": _now(lambda frames: frames[..., ::-1].copy()),
        "half the light": _now(lambda frames: frames // 2),
        "more light": _now(lambda frames: np.minimum(frames, 195) + 60),
        "inverted": _now(lambda frames: 255 - frames),
        "moved by 4 px": _now(lambda frames: np.roll(frames, 4, 2)),
        "turned by 5 degrees": _each(_turned),
        "mirrored": _now(lambda frames: frames[:, :, ::-1].copy()),
        "upside down": _now(lambda frames: frames[:, ::-1, ::-1].copy()),
        "nearer": _each(_nearer),
        "out of focus": _each(_blurred),
        "noise of 40": _noisy,
        "partly covered": _covered,
        "upper half hangs": _torn,
        "the ground alone": _hidden,
    }
)
