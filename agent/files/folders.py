"""Folders of ours: what kind of thing one holds, and that nothing else is put into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import UserError
from agent.files.bundle import CHECKPOINT, MANIFEST, STATE, has_bundle
from agent.files.lock import writing_lock

DATASET_MARK, DEMO_MARK = "dataset.json", "stages.json"
SWEEP_MARK = "trials.jsonl"
RUN, DEMO, SWEEP, STUDIES = "a run", "a demo", "a sweep", "studies"
_MARKS = {  # a name in a folder, and what that makes the folder
    DATASET_MARK: "a data set",
    DEMO_MARK: DEMO,
    SWEEP_MARK: SWEEP,
    MANIFEST: "a checkpoint",
    CHECKPOINT: RUN,
    STATE: RUN,
}


@contextmanager
def writing_into(out: Path, kind: str) -> Iterator[None]:
    """Hold the right to put ``kind`` (``RUN``, ``DEMO``, ``SWEEP``) into ``out``, made if missing.

    Raises:
        UserError: if ``out`` holds something else of ours, or another process is writing there.
    """
    require_kind(out, kind)
    with writing_lock(out):
        yield


def require_kind(out: Path, kind: str) -> None:
    """UserError if ``out`` holds something of ours that is not ``kind``."""
    for name, held in _MARKS.items():
        if held != kind and (out / name).exists():
            raise UserError(
                f"expected --out to be new, empty or {kind}, got {held} in {out} ({name}); "
                "nothing was written, choose another --out"
            )


def holds_run(out: Path) -> bool:
    """Whether a training in ``out`` has kept anything: a state to resume, or a checkpoint."""
    return has_bundle(out / STATE) or has_bundle(out / CHECKPOINT)


def require_no_run(
    out: Path, otherwise: str = "continue it with --resume (in Python resume=True)"
) -> None:
    """A training never replaces another.

    Raises:
        UserError: if ``out`` holds one; the message offers ``otherwise`` or another directory. Or
            if it holds something else of ours.
    """
    require_kind(out, RUN)
    if holds_run(out):
        raise UserError(f"{out} already holds a run; {otherwise}, or choose a new --out")
