"""What ``demo`` would be refused only when its turn comes, minutes later, is refused before it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from agent.commands.behaving import find_behaviour
from agent.commands.console import say
from agent.commands.demo_protocols import protocols_of
from agent.commands.demo_report import pictures_of_demo
from agent.commands.places import require_directory, require_file_places
from agent.commands.training_settings import chosen_settings
from agent.extras import require
from agent.files.folders import DEMO_MARK
from agent.rivals.algorithms import ALGORITHMS, whole_episodes
from envs import goal_errors, make_world

if TYPE_CHECKING:
    from agent.commands.demo import Demo


def check(demo: Demo) -> None:
    """Try everything that costs nothing: settings, names, numbers, libraries, goals, the place.

    Raises:
        UserError: on what makes no sense, or where nothing can be written.
        WorldError: if episodes of the world are too short for any task.
        SpecError: if the world's state says nothing of goals.
        MachineError: if a library is missing that some stage needs.
    """
    require("matplotlib")
    steps = demo.training_steps()
    chosen_settings(demo.preset, None, {} if steps is None else {"training.steps": steps})
    with closing(make_world(demo.world)) as world:
        find_behaviour(demo.behaviour, world)
        goal_errors(world.spec, world.state(), world.state())
    for usual, name in protocols_of(demo.world, demo.evaluation_seed).items():
        if name != usual:
            say(f"{name} in place of {usual}: episodes of {demo.world} end too soon for that")
    if demo.has_rival:
        require("stable_baselines3")
        whole_episodes(ALGORITHMS["sac"], demo.world, None, demo.rival.env_steps, "--sac-env-steps")
    require_directory(demo.place, "--out")
    if not (demo.place / DEMO_MARK).exists():
        require_file_places(demo.place, pictures_of_demo(), "--out")
