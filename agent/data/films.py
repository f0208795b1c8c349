"""Frames of one's own as a data set wants them: read off a film, and brought to one size."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from agent.errors import UserError
from agent.interfaces import Image
from agent.resizing import resized
from agent.settings import MAX_SEED, require_whole
from envs import import_opencv

_log = logging.getLogger(__name__)


def read_film(path: Path | str, image_size: tuple[int, int], every: int = 1) -> Image:
    """The frames of a film, uint8 (T, h, w, 3), RGB, in the order in which they were taken.

    Args:
        path: anything that OpenCV can decode.
        image_size: height and width [px] that frames are brought to; see :func:`agent.resized`.
        every: one frame of so many is kept, the first of all first: 3 makes 30 frames a second 10.

    Raises:
        UserError: if there is no such film, nothing in it can be decoded, or fewer frames than it
            says it has: what is missing may lie in the middle.
    """
    every = require_whole(every, "every, frames of which one is kept,", 1, MAX_SEED)
    cv2 = import_opencv()
    film, frames, number = cv2.VideoCapture(str(path)), [], 0
    said = int(film.get(cv2.CAP_PROP_FRAME_COUNT))  # 0 or less where it does not say
    while film.grab():
        if number % every == 0:
            frames.append(resized(film.retrieve()[1][None, ..., ::-1], image_size)[0])
        number += 1
    only_last = number == said - 1 and not _has_frame(film, said - 1)  # some count the end
    film.release()
    if frames and only_last:
        _log.warning("%s says it has %d frames, of which %d could be read", path, said, number)
    if frames and number < said and not only_last:
        raise UserError(
            f"expected the {said} frames that {path} says it has, got {number}: it is damaged, and "
            "actions would no longer be those between its frames; write it anew"
        )
    if not frames:
        what = "nothing that OpenCV can decode" if Path(path).exists() else "no such file"
        raise UserError(f"expected a film at {path}, got {what}")
    return np.stack(frames)


def _has_frame(film: Any, number: int) -> bool:
    """Whether there is one of that number after all: then what is missing lies before it."""
    return bool(film.set(import_opencv().CAP_PROP_POS_FRAMES, number) and film.grab())
