"""Pictures of a data set: a contact sheet, or a video of whole episodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from agent.data.episodes import Episodes
from agent.data.store import RolloutStore
from agent.errors import MachineError, UserError
from agent.files.durable import explained_disk_errors
from agent.interfaces import Image

VIDEO_CODECS = {".mp4": "mp4v", ".webm": "VP90"}
GAP_PX = 2


def preview_dataset(
    directory: Path | str, out: Path | str, episodes: int = 6, frames: int = 10
) -> Path:
    """Draw ``episodes`` episodes spread over the data set into ``out``.

    A ``.png`` shows each as a row of ``frames`` frames spread over time; an ``.mp4`` or ``.webm``
    shows them side by side, at the speed they were recorded. UserError for any other suffix.
    """
    out = Path(out)
    if out.suffix not in {".png", *VIDEO_CODECS}:
        raise UserError(f"expected a name in .png, .mp4 or .webm, got {out}")
    if episodes < 1 or frames < 1:
        raise UserError(f"expected at least one episode and frame, got {episodes} and {frames}")
    store = RolloutStore.open(directory)
    recorded = store.load(memory_limit_bytes=0)  # a few frames: leave the rest on disk
    ids = _spread(recorded.count, episodes)
    with explained_disk_errors(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".png":
            _write_picture(out, contact_sheet(recorded, ids, frames))
        else:
            _write_video(out, side_by_side(recorded, ids), 1.0 / store.header.spec.step_s)
    return out


def contact_sheet(recorded: Episodes, ids: list[int], frames: int) -> Image:
    """One row per episode, one column per moment, uint8 (height, width, 3) RGB.

    An episode of fewer frames shows some of them twice.
    """
    columns = min(frames, max(int(recorded.ep_len[i]) for i in ids))
    rows = []
    for i in ids:
        moments = np.linspace(0, recorded.ep_len[i] - 1, columns).round().astype(int)
        rows.append(_row(recorded.pixels[recorded.ep_offset[i] + moments]))
    sheet: Image = np.concatenate(rows, axis=0)
    return sheet


def side_by_side(recorded: Episodes, ids: list[int]) -> Image:
    """All frames of several episodes next to each other, uint8 (S+1, height, width, 3) RGB.

    Shorter ones show their last frame until the longest ends.
    """
    longest = np.arange(max(int(recorded.ep_len[i]) for i in ids))
    rows = np.array(
        [recorded.ep_offset[i] + np.minimum(longest, recorded.ep_len[i] - 1) for i in ids]
    )  # (E, S+1)
    return np.stack([_row(moment) for moment in recorded.pixels[rows].swapaxes(0, 1)])


def _row(frames: Image) -> Image:
    gap = ((0, 0), (GAP_PX, GAP_PX), (GAP_PX, GAP_PX), (0, 0))
    row: Image = np.concatenate(list(np.pad(frames, gap, constant_values=255)), axis=1)
    return row


def _spread(count: int, wanted: int) -> list[int]:
    """Up to ``wanted`` different numbers below ``count``, evenly spread, both ends included."""
    return sorted({round(x) for x in np.linspace(0, count - 1, min(wanted, count))})


def _write_picture(out: Path, picture: Image) -> None:
    import cv2

    coded, content = cv2.imencode(".png", picture[..., ::-1])
    assert coded
    out.write_bytes(content.tobytes())


def _write_video(out: Path, pictures: Image, frames_per_s: float) -> None:
    import cv2

    height, width = (side // 2 * 2 for side in pictures.shape[1:3])  # codecs want even sides
    code = cv2.VideoWriter.fourcc(*VIDEO_CODECS[out.suffix])
    writer: Any = cv2.VideoWriter(str(out), code, frames_per_s, (width, height))
    if not writer.isOpened():
        raise MachineError(f"OpenCV cannot write {out.suffix} here: choose another suffix or .png")
    for picture in pictures:
        writer.write(np.ascontiguousarray(picture[:height, :width, ::-1]))
    writer.release()
