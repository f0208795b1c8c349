"""When two specs mean the same frames and actions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envs import SpecError, WorldSpec

ARM = WorldSpec("examples/arm.py:Arm", "own", (32, 48), 3, 0.1)
FILM = replace(ARM, world="recorded:arm", look="webcam")


@pytest.mark.parametrize("name", ["/elsewhere/arm.py:Arm", "./arm.py:Arm", "arm.py:Arm"])
def test_a_file_may_lie_elsewhere(name: str) -> None:
    ARM.require_same(replace(ARM, world=name), "the other")
    with pytest.raises(SpecError, match="world"):
        ARM.require_same(replace(ARM, world=name.replace(":Arm", ":Leg")), "the other")


def test_what_was_learned_from_recordings_may_steer_the_real_thing() -> None:
    FILM.require_same(ARM, "the arm")
    ARM.require_same(FILM, "the film")
    for changes in ({"image_size": (48, 32)}, {"action_dim": 2}, {"step_s": 0.2}):
        with pytest.raises(SpecError, match=next(iter(changes))):
            FILM.require_same(replace(ARM, **changes), "another arm")


def test_two_recordings_are_of_one_thing_or_they_differ() -> None:
    with pytest.raises(SpecError, match="world"):
        FILM.require_same(replace(FILM, world="recorded:leg"), "the other")
