"""Pictures of a data set: a contact sheet, or a video of whole episodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agent.data.episodes import Episodes
from agent.data.store import RolloutStore
from agent.errors import UserError
from agent.files.ours import require_suffix
from agent.interfaces import Image
from agent.reporting.video import SUFFIXES, write_picture, write_video

DRAWINGS = (".png", *SUFFIXES)
GAP_PX = 2


def preview_dataset(
    directory: Path | str, out: Path | str, episodes: int = 6, frames: int = 10
) -> list[int]:
    """Draw ``episodes`` episodes spread over the data set into ``out``; which those are.

    A ``.png`` shows each as a row of ``frames`` frames spread over time; a film (``SUFFIXES``)
    shows them side by side, at the speed they were recorded. UserError for any other suffix.
    """
    out = Path(out)
    require_suffix(out, DRAWINGS)
    if episodes < 1 or frames < 1:
        raise UserError(f"expected at least one episode and frame, got {episodes} and {frames}")
    store = RolloutStore.open(directory)
    recorded = store.load(memory_limit_bytes=0)  # a few frames: leave the rest on disk
    ids = _spread(recorded.count, episodes)
    if out.suffix == ".png":
        write_picture(out, contact_sheet(recorded, ids, frames))
    else:
        write_video(out, side_by_side(recorded, ids), 1.0 / store.header.spec.step_s)
    return ids


def save_frame(directory: Path | str, out: Path, episode: int, frame: int) -> Path:
    """One frame of a data set as a picture, as a goal to go to; UserError where there is none."""
    recorded = RolloutStore.open(directory).load(memory_limit_bytes=0)
    if not 0 <= episode < recorded.count:
        raise UserError(f"expected --episode from 0 to {recorded.count - 1}, got {episode}")
    count = int(recorded.ep_len[episode])
    if not -count <= frame < count:
        raise UserError(
            f"expected --frame from 0 to {count - 1}, or from -1 back to -{count}, got {frame}"
        )
    row = int(recorded.ep_offset[episode]) + frame % count
    return write_picture(out, recorded.pixels[np.array([row])][0])


def contact_sheet(recorded: Episodes, ids: list[int], frames: int) -> Image:
    """One row per episode, one column per moment, uint8 (height, width, 3) RGB.

    An episode of fewer frames shows some of them twice.
    """
    columns = min(frames, max(int(recorded.ep_len[i]) for i in ids))
    rows = []
    for i in ids:
        moments = np.linspace(0, recorded.ep_len[i] - 1, columns).round().astype(int)
        rows.append(_row(recorded.pixels[recorded.ep_offset[i] + moments]))
    return np.concatenate(rows, axis=0)


def side_by_side(recorded: Episodes, ids: list[int]) -> Image:
    """All frames of several episodes next to each other, uint8 (S+1, height, width, 3) RGB.

    The sides are even, as codecs want them. Shorter ones show their last frame until the longest
    ends.
    """
    longest = np.arange(max(int(recorded.ep_len[i]) for i in ids))
    rows = np.array(
        [recorded.ep_offset[i] + np.minimum(longest, recorded.ep_len[i] - 1) for i in ids]
    )  # (E, S+1)
    film = np.stack([_row(moment) for moment in recorded.pixels[rows].swapaxes(0, 1)])
    return film[:, : film.shape[1] // 2 * 2, : film.shape[2] // 2 * 2]


def _row(frames: Image) -> Image:
    gap = ((0, 0), (GAP_PX, GAP_PX), (GAP_PX, GAP_PX), (0, 0))
    return np.concatenate(list(np.pad(frames, gap, constant_values=255)), axis=1)


def _spread(count: int, wanted: int) -> list[int]:
    """Up to ``wanted`` different numbers below ``count``, evenly spread, both ends included."""
    return sorted({round(x) for x in np.linspace(0, count - 1, min(wanted, count))})
