"""What a diagnosis says of circles, and of how many outputs a world asks for."""

from __future__ import annotations

from collections.abc import Iterator

from agent.diagnosis.circles import MOST_OUTPUTS
from agent.diagnosis.shapes import Shapes
from agent.diagnosis.verdict import Finding, Level

ROUND_AND_ROUND = (
    "No embedding of a circle is Gaussian. Its sine and cosine are learned where features are "
    "white and slow, its angle never; a strong pull to the Gaussian bends them."
)
OUTPUTS = "--model.encoder.latent-dim"


def of_world(found: Shapes) -> Iterator[Finding]:
    """Circles among a world's coordinates, and the outputs that hold every first feature."""
    yield Finding(
        "Does a coordinate go round?", "values against their period",
        "roughly" if found.circles else "holds", _kinds(found), None, ROUND_AND_ROUND,
        f"Train with {OUTPUTS} above the number of variables and a small --training.sigreg-weight; "
        "read the circle as sine and cosine.",
    )  # fmt: skip
    yield Finding(
        "How many outputs does it ask for?", "slowest features of circles, intervals and lines",
        _level(found.needed, found.least),
        f"{_count(found)} for {found.least} first features (a circle has two); rates "
        f"{found.ratio:.3g} apart, the slowest one's second feature at {found.limit} times", None,
        "Harmonics and products of slow coordinates outlast the fastest one; with fewer outputs "
        "it is crowded out.",
        f"Train with {OUTPUTS} {_count(found)}, or give the coordinates like time constants. "
        "An interval is counted by its first cosine: for its angle's own sine and cosine take four "
        "times as many.",
    )  # fmt: skip


def of_embedding(
    circles: list[tuple[int, int]], outputs: int, world: Shapes | None
) -> Iterator[Finding]:
    """Circles among an embedding's slow directions; its size, where the ``world`` is known."""
    asked = () if world is None else world.circles
    yield Finding(
        "Circles among the slow directions?", "spread of a pair's distance from the middle",
        "roughly" if len(circles) < len(asked) or (circles and world is None) else "holds",
        _pairs(circles, asked), None,
        f"{ROUND_AND_ROUND} One that is no pair of slow directions by itself is mixed with others.",
        "Measure distances along a circle in the pair's angle; where the pair is missing, let a "
        "probe say how linear its sine and cosine are, and train longer on pairs, with a smaller "
        "--training.sigreg-weight.",
    )  # fmt: skip
    if world is None:
        return
    yield Finding(
        "Enough outputs for the world?", "slowest features of circles, intervals and lines",
        "fails" if outputs < world.least else "roughly" if outputs < world.needed else "holds",
        f"{outputs}, the world asks for {_count(world)} and has {world.least} first features", None,
        "With fewer outputs than first features something of the world is lost for certain; with "
        "fewer than asked for, what is fastest.",
        f"Train with {OUTPUTS} {_count(world)}.",
    )  # fmt: skip


def _pairs(circles: list[tuple[int, int]], asked: tuple[str, ...]) -> str:
    found = ", ".join(f"{i} and {j}" for i, j in circles)
    words = f"directions {found} (1 is the slowest)" if circles else "none"
    return f"{words}; the world has {', '.join(asked)}" if asked else words


def _level(needed: int, least: int) -> Level:
    if needed == least:
        return "holds"
    return "roughly" if needed <= 2 * least else "fails"


def _count(found: Shapes) -> str:
    return f"{found.needed}{' or more' if found.needed == MOST_OUTPUTS else ''}"


def _kinds(found: Shapes) -> str:
    words = []
    for one, covered in zip(found.coordinates, found.covered, strict=True):
        arc = f" ({covered:.0%} of its turn)" if covered == covered else ""
        words.append(f"{one.name}: {one.kind}{arc}")
    return ", ".join(words)
