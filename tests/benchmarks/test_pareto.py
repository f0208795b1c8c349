"""The frontier against points whose order is known, and the figure against its rows."""

from __future__ import annotations

from typing import Any

import pytest

from agent.errors import UserError
from agent.reporting.style import png_bytes
from benchmarks.campaign.pareto import frontier, pareto


def row(planner: str, protocol: str, p50_ms: float | None, held: float | None) -> dict[str, Any]:
    rate = {"rate": held, "low": held and held / 2, "high": held and 1.0}
    return {
        "planner": planner, "protocol": protocol, "held": rate, "first_touch": rate,
        "decision_ms": {"p50": p50_ms, "p95": p50_ms and 2 * p50_ms},
    }  # fmt: skip


def test_what_is_slower_and_no_better_is_not_on_the_frontier() -> None:
    points = [(3.0, 50.0), (1.0, 20.0), (2.0, 10.0), (5.0, 50.0), (4.0, 90.0), (1.0, 15.0)]
    assert frontier(points) == [(1.0, 20.0), (3.0, 50.0), (4.0, 90.0)]
    assert frontier([]) == []


def test_budgets_of_a_planner_are_joined_in_order_of_time() -> None:
    rows = [
        row("cem", "lewm", 30.0, 0.5), row("cem", "lewm", 10.0, 0.25),
        row("oracle", "lewm", 95.0, 1.0), row("cem", "swift", 10.0, 0.1),
        row("mppi", "swift", None, None),
    ]  # fmt: skip
    figure = pareto(rows)
    assert len(figure.axes) == 4  # two protocols, two rates
    (curve,) = [line for line in figure.axes[0].lines if line.get_label() == "cem"]
    assert list(curve.get_xdata()) == [10.0, 30.0] and list(curve.get_ydata()) == [25.0, 50.0]
    assert not [line for line in figure.axes[1].lines if line.get_label() == "mppi"]
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(UserError, match=r"benchmarks/control\.py"):
        pareto([])
