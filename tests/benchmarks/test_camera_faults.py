"""When a camera fault counts as held in time, and when it harms nobody."""

import numpy as np

from benchmarks.sight import _counts

LASTS, SOON = 10, 2


def counts(held: set[int], matters: set[int]) -> dict[str, int]:
    ticks = np.arange(LASTS + 5)[:, None]
    return _counts(
        np.isin(ticks, sorted(held)), np.isin(ticks[:LASTS], sorted(matters)), SOON
    )  # one episode


def test_time_runs_from_when_it_matters() -> None:
    assert counts({2}, {0, 1})["held at once"] == counts({2}, {0, 1})["held in time"] == 1
    late_but_in_time = counts({6}, {4, 5})
    assert late_but_in_time["held in time"] == 1 and late_but_in_time["held at once"] == 0
    assert counts({7}, {4, 5, 6}) == {
        "held at once": 0, "held in time": 0, "harmless": 0, "held later": 1, "never": 0,
    }  # fmt: skip
    assert counts(set(), {4})["never"] == 1
    assert counts({LASTS}, {4})["never"] == 1  # once it was over


def test_what_never_matters_is_harmless() -> None:
    for matters in (set(), {8}, {9}):
        assert counts(set(), matters)["harmless"] == 1
    assert counts(set(), {7})["never"] == 1
    assert counts({9}, {9})["held in time"] == 1
