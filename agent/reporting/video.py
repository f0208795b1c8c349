"""Writing videos and pictures with OpenCV, and laying out a scene beside its goal.

VP8 in WebM is what every browser plays and what OpenCV's wheel can encode; H.264 it cannot. GIF,
for pages that play nothing else, is written by Pillow, which matplotlib brings.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from agent.errors import MachineError, UserError
from agent.files.durable import explained_disk_errors, make_directory, write_result
from agent.files.ours import require_suffix, signed
from agent.interfaces import Image
from envs import import_opencv

CODECS = {".webm": "VP80", ".mp4": "mp4v"}
SUFFIXES = (*CODECS, ".gif")
GIF_COLOURS = 256  # the same in all frames: what stands still costs nothing, and never flickers
MOST_COVERED = 1  # Pillow's method that keeps the colours of what is small
PALETTE_FRAMES = 8
PANEL_PX = 320
CAPTION_PX, LINE_PX = 64, 28
TEXT_SCALE = 0.8  # legible in a film of a third of a page
GAP_PX = 8
BACKGROUND = (24, 26, 32)
INK = (235, 235, 235)


def write_video(path: Path, frames: Iterable[Image], frames_per_s: float) -> Path:
    """Write RGB ``frames``, all uint8 (h, w, 3) of one size with even sides; whole or not at all.

    UserError for an unknown suffix or no frames, MachineError if it could not all be written.
    """
    require_suffix(path, SUFFIXES)
    shown = list(frames)
    if not shown:
        raise UserError(f"expected frames to write into {path}, got none")
    make_directory(path.parent)
    with _scratch_film(path) as film, explained_disk_errors(path.parent):
        if path.suffix == ".gif":
            _write_gif(film, shown, frames_per_s)
        else:
            _encode(film, shown, frames_per_s)
        count = _frames_in(film)
        merges = path.suffix == ".gif"  # equal neighbours, into one that is shown for longer
        if count < 1 or (count != len(shown) and not merges):
            raise MachineError(
                f"expected {len(shown)} frames in {path}, got {count}: is the disk full? Nothing "
                "was written there"
            )
        return write_result(path, signed(film.read_bytes(), path.suffix))


@contextmanager
def _scratch_film(path: Path) -> Iterator[Path]:
    """A name to write under, beside ``path``, or elsewhere: OpenCV dies of names it cannot read."""
    beside = path.parent if str(path.parent.resolve()).isascii() else None
    with TemporaryDirectory(prefix=".film-", dir=beside) as scratch:
        yield Path(scratch) / f"film{path.suffix}"


def _encode(film: Path, frames: Sequence[Image], frames_per_s: float) -> None:
    cv2, (height, width) = import_opencv(), frames[0].shape[:2]
    assert height % 2 == 0 and width % 2 == 0, "codecs want even sides"
    code = cv2.VideoWriter.fourcc(*CODECS[film.suffix])
    with _quiet_stderr():
        writer = cv2.VideoWriter(str(film), code, frames_per_s, (width, height))
    if not writer.isOpened():
        raise MachineError(f"OpenCV cannot write {film}: try another of {' '.join(CODECS)}")
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()


def _frames_in(film: Path) -> int:
    """How many can be seen when it is played."""
    with _quiet_stderr():
        reader = import_opencv().VideoCapture(str(film))
        count = sum(1 for _ in iter(reader.grab, False))
        reader.release()
    return count


def _write_gif(film: Path, frames: Sequence[Image], frames_per_s: float) -> None:
    from PIL import Image as Pillow

    some = frames[:: max(1, len(frames) // PALETTE_FRAMES)]
    colours = Pillow.fromarray(np.concatenate(some)).quantize(GIF_COLOURS, MOST_COVERED)
    first, *rest = [
        Pillow.fromarray(frame).quantize(palette=colours, dither=Pillow.Dither.NONE)
        for frame in frames
    ]
    pause_ms = round(1000 / frames_per_s)
    first.save(film, save_all=True, append_images=rest, duration=pause_ms, loop=0)


def write_picture(path: Path, picture: Image) -> Path:
    """Write one RGB picture, uint8 (h, w, 3), as PNG; UserError for another suffix."""
    require_suffix(path, (".png",))
    coded, content = import_opencv().imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
    assert coded
    return write_result(path, signed(content.tobytes(), path.suffix))


def beside_goal(scene: Image, goal: Image, caption: str, aspect: float | None = None) -> Image:
    """Scene left, goal right, each as large as fits a square, lines of text above; RGB.

    ``aspect``: width to height of what the camera sees, where pictures have another.
    """
    width, height = 2 * PANEL_PX + 3 * GAP_PX, CAPTION_PX + PANEL_PX + GAP_PX
    canvas: Image = np.empty((height, width, 3), np.uint8)
    canvas[:] = BACKGROUND
    for number, picture in enumerate((scene, goal)):
        left = GAP_PX + number * (PANEL_PX + GAP_PX)
        canvas[CAPTION_PX : CAPTION_PX + PANEL_PX, left : left + PANEL_PX] = _panel(picture, aspect)
    _write_text(canvas, caption, GAP_PX)
    _write_text(canvas, "goal", 2 * GAP_PX + PANEL_PX)
    return canvas


def _panel(picture: Image, aspect: float | None) -> Image:
    cv2, (rows, columns) = import_opencv(), picture.shape[:2]
    how = cv2.INTER_AREA if max(rows, columns) > PANEL_PX else cv2.INTER_CUBIC
    wide = aspect or columns / rows
    width, height = (max(1, round(PANEL_PX * min(1.0, part))) for part in (wide, 1 / wide))
    panel: Image = np.empty((PANEL_PX, PANEL_PX, 3), np.uint8)
    panel[:] = BACKGROUND
    top, left = (PANEL_PX - height) // 2, (PANEL_PX - width) // 2
    scaled = cv2.resize(picture, (width, height), interpolation=how)
    panel[top : top + height, left : left + width] = scaled
    return panel


def _write_text(canvas: Image, text: str, left: int) -> None:
    """Lines from the top, each made smaller if it is wider than a panel."""
    cv2 = import_opencv()
    font = cv2.FONT_HERSHEY_SIMPLEX
    for number, line in enumerate(text.split("\n"), 1):
        (width, _), _ = cv2.getTextSize(line, font, TEXT_SCALE, 2)
        scale = TEXT_SCALE * min(1.0, PANEL_PX / max(1, width))
        where = (left, number * LINE_PX - GAP_PX // 2)
        cv2.putText(canvas, line, where, font, scale, INK, 2, cv2.LINE_AA)


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hide a message of OpenCV's that no setting hides: it names a code it then does not need."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
