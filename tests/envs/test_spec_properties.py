"""Any spec survives JSON; errors at the seam of an angle and at the edge of a tolerance."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf, nextafter, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs import Column, Episode, SpecError, WorldSpec, judge_by_tolerance
from envs.goals import state_error
from envs.reacher import angle_error_rad, wrap_angle

often = settings(max_examples=150, deadline=None, derandomize=True)
POSITIVE = st.floats(0.0, exclude_min=True, allow_infinity=False)
ANGLES = st.floats(-50.0, 50.0) | st.sampled_from(
    [pi, -pi, nextafter(pi, 0), nextafter(pi, 4), nextafter(-pi, 0), nextafter(-pi, -4), 0.0, -0.0]
)


@st.composite
def columns(draw: st.DrawFn) -> Column:
    low, high = sorted(draw(st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False))))
    return Column(
        name=draw(st.text(min_size=1)), unit=draw(st.text()), period=draw(POSITIVE | st.just(inf)),
        low=low if low < high else -inf, high=high if low < high else inf,
        tolerance=draw(st.none() | POSITIVE), point=draw(st.just("") | st.text(min_size=9)),
    )  # fmt: skip


SPECS = st.builds(
    WorldSpec,
    world=st.text(), look=st.text(),
    image_size=st.tuples(st.integers(1, 1024), st.integers(1, 1024)),
    action_dim=st.integers(1, 10**6), step_s=POSITIVE,
    state=st.lists(columns(), max_size=4, unique_by=lambda column: column.name).map(tuple),
)  # fmt: skip


def circle(tolerance: float, period: float = 2 * pi) -> WorldSpec:
    return WorldSpec("w", "l", (8, 8), 1, 0.1, (Column("a", "rad", period, tolerance=tolerance),))


@often
@given(SPECS)
def test_a_spec_survives_json(spec: WorldSpec) -> None:
    text = json.dumps(spec.to_json(), allow_nan=False)
    assert WorldSpec.from_json(json.loads(text)) == spec


@pytest.mark.parametrize("tolerance", [inf, 0.0, -1.0, float("nan")])
def test_a_tolerance_that_means_nothing_is_refused(tolerance: float) -> None:
    with pytest.raises(SpecError, match="tolerance"):
        Column("x", tolerance=tolerance)


@often
@given(ANGLES, ANGLES, st.integers(-5, 5))
def test_an_angles_error_is_the_arc_however_often_it_came_round(
    a: float, b: float, turns: int
) -> None:
    arc = abs(np.angle(np.exp(1j * (a - b))))
    error = state_error(circle(0.1), np.array([a + turns * 2 * pi]), np.array([b]))[0]
    assert 0.0 <= error <= pi
    assert error == pytest.approx(arc, abs=1e-12)
    back = state_error(circle(0.1), np.array([b]), np.array([a + turns * 2 * pi]))[0]
    assert error == pytest.approx(back, abs=1e-12)
    reacher = angle_error_rad((a, a), (b, b))
    np.testing.assert_allclose(reacher, arc, atol=1e-12)


@often
@given(ANGLES)
def test_a_wrapped_angle_is_in_its_range_and_stays(angle: float) -> None:
    wrapped = float(wrap_angle(angle))
    assert -pi <= wrapped < pi
    assert wrap_angle(wrapped) == pytest.approx(wrapped, abs=1e-15)


@often
@given(st.floats(1e-6, 3.0), st.booleans(), st.integers(1, 20))
def test_nearer_than_the_tolerance_and_no_other_is_there(
    tolerance: float, below: bool, ticks: int
) -> None:
    at = nextafter(tolerance, 0.0) if below else tolerance
    path, far = np.full((ticks, 1, 1), at), np.array([3.1])
    found = judge_by_tolerance(circle(tolerance), path, far, Episode(0, np.zeros(1), far))
    assert found.first_touch == below and found.final_error == at


def test_a_point_has_one_tolerance() -> None:
    """Its error is the length of one offset, which is within one of them or is not."""
    x, y = (Column(name, "m", tolerance=0.1, point="tip") for name in "xy")
    assert WorldSpec("w", "l", (8, 8), 1, 0.1, (x, y)).goal_columns == (0, 1)
    for other in (replace(y, tolerance=0.2), replace(y, unit="mm"), replace(y, tolerance=None)):
        with pytest.raises(SpecError, match=r"share the point 'tip', got 0\.1 m, "):
            WorldSpec("w", "l", (8, 8), 1, 0.1, (x, other))


def test_a_state_is_a_tuple_whatever_it_was_given_as() -> None:
    x = Column("x")
    spec = WorldSpec("w", "l", (8, 8), 1, 0.1, [x])  # type: ignore[arg-type]
    assert spec == WorldSpec("w", "l", (8, 8), 1, 0.1, (x,)) and hash(spec)
    with pytest.raises(SpecError, match=r"a state of Columns, \(column,\) of one"):
        WorldSpec("w", "l", (8, 8), 1, 0.1, x)  # type: ignore[arg-type]
