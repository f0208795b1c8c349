"""What data sets and checkpoints of the first schema say about their world, which was this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envs.base import WorldSpec
from envs.reacher.world import NAME, STATE

FIELDS = ("render_profile", "image_size", "physics_dt_s", "action_repeat")
FIRST_SCHEMA_FIELDS = ("torque_dim", *FIELDS)  # of a model's settings, now in the spec
FIRST_SCHEMA_STATE = ("qpos", "qvel")  # the state's columns, one after the other


def spec_of_first_schema(values: Mapping[str, Any]) -> WorldSpec:
    """The spec that ``values`` with the keys ``FIELDS`` stand for.

    Raises:
        KeyError: if one is missing.
        SpecError: if one makes no sense.
    """
    look, size, physics_dt_s, repeat = (values[name] for name in FIELDS)
    return WorldSpec(NAME, look, (size, size), 2, round(physics_dt_s * repeat, 9), STATE)
