"""What a protocol asks, as a fingerprint: its figures stand for this definition and no other."""

from __future__ import annotations

import hashlib
from functools import cache

from agent.evaluation.protocols import Protocol
from agent.evaluation.verdict import HELD_S

_DIGITS = 6  # of angles and velocities: processors differ in the last ones


@cache
def fingerprint(protocol: Protocol) -> str:
    """Twelve hexadecimal digits of the rule of success, the budget and the first task."""
    first = protocol.episodes(1, seed=0)[0]
    task = (first.start_qpos_rad, first.start_qvel_rad_s, first.goal_qpos_rad)
    rounded = [[round(float(value), _DIGITS) for value in part] for part in task]
    said = f"{protocol!r} held for {HELD_S} s, first task {rounded}"
    return hashlib.sha256(said.encode()).hexdigest()[:12]
