"""The catalogue of planners against the command line that offers it."""

from typing import get_args, get_type_hints

from agent.commands.evaluate import Evaluate
from planners import PLANNERS


def test_the_command_line_offers_every_planner() -> None:
    """It lists them itself, so as to show its help without importing torch."""
    assert get_args(get_type_hints(Evaluate)["planner"]) == tuple(PLANNERS)
