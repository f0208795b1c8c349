"""What a model's own pictures look like, and how well it foresees them: the limits of its sight.

A network gives an embedding for any picture, of a covered lens too. Whether the picture can be one
of the world is asked of the training frames themselves, in two ways that cost next to nothing:

- no pixel should leave the range that it had in them (a moved camera, another light, swapped
  colours, a covered lens);
- small, it should look like one of the frames whose embeddings are nearest (a blob, half a picture,
  something twice).

And its embedding should lie among theirs: that of a picture of which a part is old lies beside
them.

Limits come from recordings that were left out, and are above what any of their frames reaches.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import DamagedDataError
from agent.interfaces import FloatArray, Image
from agent.model.likeness import (
    NEAREST,
    SIDE,
    beside,
    nearest,
    outside_range,
    unlike_any,
)

SIGHT_FILE = "sight.npz"
LEAST_OUTSIDE = 0.5  # of 255 on average: one level in half of what never changes, as a driver does
_ASKED, _CHUNK, _USUAL, _UNUSUAL = 2048, 256, 0.99, 0.2


@dataclass(frozen=True)
class Sight:
    """N training frames, small, and limits.

    ``embeddings`` (N, D) and ``thumbnails`` uint8 (N, 16, 16, 3) of the same frames; ``darkest``
    and ``brightest`` uint8 (h, w, 3), each pixel's range. ``outside_limit`` and
    ``unlike_limit`` are mean differences of 255 from that range and from the nearest thumbnail;
    leaving the range by ``LEAST_OUTSIDE`` or less is never strange.
    ``news_limit`` and ``drift_limit`` bound the mean square of a prediction's error, and of its
    running mean; ``still_limit`` that of an error where the picture is one that was shown before.
    Where it is the last one, less is enough: ``rest_limit``, but ``push_share`` times the mean
    square of the actions where that is more, as at a wall. (Older files have neither.)
    """

    embeddings: FloatArray
    thumbnails: Image
    darkest: Image
    brightest: Image
    outside_limit: float
    unlike_limit: float
    news_limit: float
    drift_limit: float
    still_limit: float
    rest_limit: float = 0.0
    push_share: float = 0.0

    def look(self, frames: Image, embeddings: FloatArray) -> tuple[FloatArray, FloatArray]:
        """How strange ``frames`` uint8 (E, h, w, 3) are, (E,): above 1 is no picture of the world;
        and how far their ``embeddings`` (E, D) lie beside the nearest known ones, (E,), a mean
        square. What is not finite is infinitely strange.
        """
        sound = np.isfinite(embeddings).all(1)
        finite = np.where(np.isfinite(embeddings), embeddings, np.float32(0))
        outside = outside_range(frames, self.darkest, self.brightest) / self.outside_allowed
        which = self._nearest(finite)
        unlike = unlike_any(frames, self.thumbnails[which]) / self.unlike_limit
        strange = np.where(sound, np.maximum(outside, unlike), np.inf).astype(np.float32)
        return strange, beside(finite, self.embeddings[which])

    @property
    def outside_allowed(self) -> float:
        """How far pixels may leave their range on average, of 255."""
        return max(self.outside_limit, LEAST_OUTSIDE)

    def beside_known(self, embeddings: FloatArray) -> FloatArray:
        """How far embeddings (E, D) lie beside the nearest known ones, (E,), a mean square."""
        return beside(embeddings, self.embeddings[self._nearest(embeddings)])

    def _nearest(self, embeddings: FloatArray) -> NDArray[np.intp]:
        return nearest(embeddings, self.embeddings, lengths=self._lengths)

    @cached_property
    def _lengths(self) -> FloatArray:
        lengths: FloatArray = np.square(self.embeddings).sum(1)
        return lengths

    def still_limit_at(self, push: float) -> float:
        """The limit of an error under the same picture again, after actions of a mean square."""
        least = self.rest_limit or self.still_limit / 2
        return min(self.still_limit, max(least, self.push_share * push))

    @cached_property
    def odd_limit(self) -> float:
        """Of how far a frame lies beside the known, times the error of its prediction.

        What is usual is asked of the known frames themselves, as the others see each of them.
        """
        count = len(self.embeddings)
        if count <= NEAREST:
            return float("inf")
        rows = np.linspace(0, count - 1, min(count, _ASKED)).astype(int)
        found = []
        for first in range(0, len(rows), _CHUNK):
            some = rows[first : first + _CHUNK]
            which = nearest(self.embeddings[some], self.embeddings, some)
            found.append(beside(self.embeddings[some], self.embeddings[which]))
        usual = np.quantile(np.concatenate(found), _USUAL)
        return float(_UNUSUAL * usual * self.news_limit)

    def facts(self) -> dict[str, str]:
        """The limits in words."""
        return {
            "training frames kept": str(len(self.embeddings)),
            "pixels outside their range": f"{self.outside_allowed:.3g} of 255",
            "unlike the nearest frames": f"{self.unlike_limit:.3g} of 255",
            "error of a prediction": f"{self.news_limit:.3g}",
            "lasting error": f"{self.drift_limit:.3g}",
            "error under an old picture": f"{self.still_limit:.3g}",
            "error under the same picture": f"{self.still_limit_at(0):.3g} at rest",
        }

    def to_bytes(self) -> bytes:
        """As a file; the same values give the same bytes."""
        file = io.BytesIO()
        np.savez(file, **{field.name: getattr(self, field.name) for field in fields(self)})
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Sight:
        """What :meth:`to_bytes` wrote.

        Raises:
            ValueError: if it is anything else; nothing in it is run, and no more memory is used
                than the file is long.
        """
        try:
            _require_stored(content)
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                names = [f.name for f in fields(cls) if f.default is MISSING or f.name in file]
                values = {name: _value(file[name]) for name in names}
        except (KeyError, OSError, zipfile.BadZipFile, EOFError) as error:
            raise ValueError(f"not a sight file: {error}") from error
        sight = cls(**values)
        sight._require_shapes()
        return sight

    def _require_shapes(self) -> None:
        count = len(self.embeddings)
        limits = [getattr(self, field.name) for field in fields(self)[4:]]
        fits = (
            self.embeddings.shape[1:] != ()
            and self.thumbnails.shape == (count, SIDE, SIDE, 3)
            and self.darkest.shape == self.brightest.shape
            and self.darkest.dtype == self.brightest.dtype == self.thumbnails.dtype == np.uint8
        )
        sound = [isinstance(limit, float) and limit >= 0 for limit in limits]
        if not fits or not all(sound) or not all(limits[:5]):
            raise ValueError("not a sight file: its arrays do not fit one another")


def sight_of(directory: Path, files: Mapping[str, bytes]) -> Sight | None:
    """The sight among the ``files`` of a bundle; older ones have none.

    Raises:
        DamagedDataError: if it is not what was written.
    """
    if SIGHT_FILE not in files:
        return None
    try:
        return Sight.from_bytes(files[SIGHT_FILE])
    except ValueError as error:
        raise DamagedDataError(f"{directory / SIGHT_FILE}: {error}") from error


def _require_stored(content: bytes) -> None:
    """Nothing compressed: a file cannot unfold to more than it is."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
    declared = sum(member.file_size for member in members)
    if any(member.compress_type for member in members) or declared > len(content):
        raise ValueError("not a sight file: it is compressed")


def _value(array: NDArray[Any]) -> Any:
    return float(array) if array.ndim == 0 else array
