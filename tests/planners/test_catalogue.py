"""The catalogue of planners against the command line that offers it."""

from typing import get_args

from agent.commands.controllers import PlannerName
from planners import PLANNERS


def test_the_command_line_offers_every_planner() -> None:
    """It lists them itself, so as to show its help at once."""
    assert get_args(PlannerName) == tuple(PLANNERS)
