"""The state of a MuJoCo body as columns: ``qpos`` then ``qvel``, named after its joints."""

from __future__ import annotations

from math import pi
from typing import Any

from envs.base import Column
from envs.goals import QUATERNION

FREE, BALL, SLIDE, HINGE = range(4)  # MuJoCo's joint types
HINGE_RAD = 0.05
SLIDE_M = 0.02
# By domain, where the default does not fit: the tolerance of slides [m], and whether they are
# one point.
SLIDES = {"point_mass": (0.015, "place"), "cartpole": (0.05, "")}
PLACE, TURN = ("x", "y", "z"), ("qw", "qx", "qy", "qz")
SPIN = ("wx", "wy", "wz")


def state_columns(domain: str, model: Any) -> tuple[Column, ...]:
    """Columns of ``model``: hinges [rad], slides [m] and quaternions; no speed has a tolerance."""
    joints = [
        (model.id2name(index, "joint") or f"joint{index}", int(model.jnt_type[index]), index)
        for index in range(model.njnt)
    ]
    positions = [c for name, kind, i in joints for c in _position(domain, model, name, kind, i)]
    speeds = [column for name, kind, _ in joints for column in _speed(name, kind)]
    return (*positions, *speeds)


def _position(domain: str, model: Any, name: str, kind: int, index: int) -> list[Column]:
    low, high = (
        model.jnt_range[index] if model.jnt_limited[index] else (-float("inf"), float("inf"))
    )
    tolerance, point = SLIDES.get(domain, (SLIDE_M, ""))
    if kind == HINGE:
        period = float("inf") if model.jnt_limited[index] else 2.0 * pi
        return [Column(name, "rad", period, float(low), float(high), HINGE_RAD)]
    if kind == SLIDE:
        return [
            Column(name, "m", low=float(low), high=float(high), tolerance=tolerance, point=point)
        ]
    place = [Column(f"{name}_{axis}", "m", tolerance=SLIDE_M, point=name) for axis in PLACE]
    turn = [
        Column(f"{name}_{part}", QUATERNION, tolerance=HINGE_RAD / 2, point=f"{name}_turn")
        for part in TURN
    ]  # half a small angle is how far quaternions are apart
    return (place if kind == FREE else []) + turn


def _speed(name: str, kind: int) -> list[Column]:
    if kind in (HINGE, SLIDE):
        return [Column(f"{name}_speed", "rad/s" if kind == HINGE else "m/s")]
    spin = [Column(f"{name}_{axis}", "rad/s") for axis in SPIN]
    return ([Column(f"{name}_v{axis}", "m/s") for axis in PLACE] if kind == FREE else []) + spin
