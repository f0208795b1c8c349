"""Some controllers, a line each: what it is, what it cost, and how it does on four protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.reporting.results_table import OURS
from benchmarks.campaign.cell_words import (
    NOTHING,
    UNMEASURED,
    counts,
    env_steps,
    markdown_table,
    wall_clock,
)
from benchmarks.campaign.cells import RETURN, Cell

TOUCH, HELD = "first_touch", "held"
COLUMNS = (
    ("lewm", TOUCH), ("swift", HELD), ("anywhere", HELD), ("dmc-hard", RETURN),
)  # fmt: skip
SHOWN = ("world-model", "direct", "sac", "sac-brief", "ppo", "computed-torque", "random")
OWN_WORDS = {"sac-brief": "the same, stopped early"}  # of what is no controller of its own
WORDS = {TOUCH: "touch %", HELD: "held %", RETURN: "return"}
HEAD = (
    "controller", "env steps", "training",
    *(f"`{protocol}` {WORDS[key]}" for protocol, key in COLUMNS), "tick [ms]",
)  # fmt: skip


def glance(cells: Sequence[Cell], about: Mapping[str, str]) -> str:
    """One Markdown table of means, ``about`` each controller, and what it rests on.

    Only those of ``SHOWN``, in that order; the complete tables are in docs/results.md.
    """
    about = {**about, **OWN_WORDS}
    shown = {(c.controller, c.protocol): c for c in cells if c.protocol in dict(COLUMNS)}
    there = {name for name, _ in shown}
    names = [name for name in SHOWN if name in there]
    shown = {key: cell for key, cell in shown.items() if key[0] in names}
    if not names:
        return f"No result {UNMEASURED}"
    rows = [_row(name, about.get(name, ""), shown) for name in names]
    return f"{markdown_table(HEAD, rows)}\n\n{_note(list(shown.values()))}"


def _row(name: str, about: str, shown: Mapping[tuple[str, str], Cell]) -> list[str]:
    mine = [shown.get((name, protocol)) for protocol, _ in COLUMNS]
    first = next(cell for cell in mine if cell is not None)
    title = f"**{name}**" if name == OURS else name
    found = [_value(cell, key) for cell, (_, key) in zip(mine, COLUMNS, strict=True)]
    tick = first.decision_ms()
    return [
        f"{title}: {about}" if about else title,
        env_steps(first),
        wall_clock(first) or NOTHING,
        *found,
        NOTHING if tick is None else f"{tick[0]:.1f}",
    ]


def _value(cell: Cell | None, key: str) -> str:
    if cell is None:
        return NOTHING
    if key == RETURN:
        return f"{cell.values(RETURN).mean():.0f}"
    rate = cell.rate(key)
    return NOTHING if rate is None else f"{100 * rate.value:.1f}"


def _note(cells: Sequence[Cell]) -> str:
    most = max(cells, key=lambda cell: (len(cell.results), cell.episodes))
    names = dict.fromkeys(cell.controller for cell in cells)
    played = {name: [c for c in cells if c.controller == name] for name in names}
    few = [
        f"{name} {counts(mine[0])}"
        for name, mine in played.items()
        if all(cell.episodes < most.episodes for cell in mine)
    ]
    but = f"; {', '.join(few)}" if few else ""
    return (
        f"Training seeds {counts(most)} episodes, one seed of what learns nothing{but}. "
        "Tick: the median time of a decision, on the leftmost protocol with a figure in the row."
    )
