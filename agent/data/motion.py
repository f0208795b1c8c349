"""Does anything move in recorded frames? What stands still throughout teaches nothing."""

from __future__ import annotations

import logging

import numpy as np

from agent.data.episodes import Episodes, Rows
from agent.errors import UnfitError
from agent.interfaces import Image

_EPISODES, _FRAMES = 64, 4096
_LOOKS = 5  # at an episode, to see whether anything moves
_log = logging.getLogger(__name__)


def some_frames(episodes: Episodes, ids: Rows) -> Image:
    """Frames uint8 (at most 2 * 4096, h, w, 3), evenly from about 64 of the episodes ``ids``."""
    rows = episodes.row_numbers(ids[:: max(1, len(ids) // _EPISODES)])
    return episodes.pixels[rows[:: max(1, len(rows) // _FRAMES)]]


def require_motion(episodes: Episodes, ids: Rows, where: object) -> None:
    """A few frames of about 64 of the episodes ``ids`` of the data set ``where`` must differ.

    UnfitError if all frames are one picture; a warning if each episode is, or actions never vary.
    """
    sent = episodes.action[episodes.row_numbers(ids)]
    sent = sent[np.isfinite(sent).all(1)]  # nothing acts at an end
    if len(sent) and (sent == sent[0]).all():
        _log.warning("the actions of %s never vary: what they do cannot be learned from it", where)
    spans = [episodes.rows(int(i)) for i in ids[:: max(1, len(ids) // _EPISODES)]]
    rows = [np.linspace(span.start, span.stop - 1, _LOOKS).astype(np.int64) for span in spans]
    looks = episodes.pixels[np.stack(rows)]  # (episodes, looks, h, w, 3)
    if not (looks == looks[:, :1]).all():
        return
    frames = some_frames(episodes, ids)
    if bool((frames == frames[0]).all()):
        raise UnfitError(
            f"expected frames that change in {where}, got the same picture throughout: there is "
            "nothing to learn; record again, with the camera on what moves"
        )
    _log.warning("the episodes of %s seem to stand still: what moves is not in the picture", where)
