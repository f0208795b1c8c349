"""``compare``: measure every controller on every protocol, over days if need be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from agent.commands.matrix import EPISODES, EVALUATION_SEED

if TYPE_CHECKING:
    from agent.commands.matrix import Wanted


def _names(what: str) -> object:
    return arg(metavar="NAME", help_behavior_hint=f"(default: {what})")


@dataclass(frozen=True)
class Compare:
    """Measure every controller on every protocol, on the same episodes, one file each.

    It trains nothing: it lists the commands that make the checkpoints it misses, measures what
    it can, and skips what is measured. Run it again after each training, or after an
    interruption; --plan only shows what is left and how long it takes. --curves measures the
    checkpoints along the trainings instead, for success against experience. report turns the
    files into tables and figures.

    Examples:
      python run_agent.py compare --plan
      python run_agent.py compare --controllers world-model sac --protocols lewm anywhere
      python run_agent.py compare --curves
    """

    out: Annotated[
        Path | None,
        arg(metavar="DIR", help_behavior_hint="(default: results/comparison, or results/curves)"),
    ] = None
    """Where the results are and go."""
    runs: Annotated[Path, arg(metavar="DIR")] = Path("runs/comparison")
    """Where the trainings are: DIR/CONTROLLER-SEED."""
    controllers: Annotated[tuple[str, ...], _names("all")] = ()
    """Who takes part."""
    protocols: Annotated[tuple[str, ...], _names("all; three for --curves")] = ()
    """What they play."""
    training_seeds: tuple[int, ...] = (0, 1, 2)
    """Trainings of each learned controller."""
    episodes: Annotated[
        int | None,
        arg(metavar="INT", help_behavior_hint=f"(default: {EPISODES}; 100 for --curves)"),
    ] = None
    """Episodes of each file; LeWorldModel's recipe plays at most 30."""
    seed: int = EVALUATION_SEED
    """Decides starts and goals."""
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Cores to use."""
    plan: bool = False
    """Only say what is done, what is left and how long it takes."""
    curves: bool = False
    """Measure the checkpoints along the trainings."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return "Every finished file is kept; run the same command again to continue."

    def run(self) -> None:
        """Say what there is, and measure what is missing."""
        from agent.commands.comparing import measure_cells, states_of
        from agent.commands.comparison_plan import show_commands, show_plan
        from agent.commands.console import say
        from agent.commands.curving import measure_curves

        self._check()
        if self.curves:
            measure_curves(self)
            return
        states = states_of(self.wanted(), self.runs, self.place)
        show_plan(states, self.workers)
        show_commands(states, self.runs)
        if not self.plan:
            measure_cells(states, self.workers)
            say(f"next: python run_agent.py report {self.place.parent}")

    @property
    def place(self) -> Path:
        """The directory of the results."""
        return self.out or Path("results") / ("curves" if self.curves else "comparison")

    def wanted(self) -> list[Wanted]:
        """The files asked for."""
        from agent.commands.matrix import PROTOCOLS, wanted_cells

        cells = wanted_cells(
            self.place, self.protocols or PROTOCOLS, self.training_seeds, self.count, self.seed
        )
        return [cell for cell in cells if self.takes_part(cell.controller)]

    @property
    def count(self) -> int:
        """Episodes of each file."""
        if self.episodes is not None:
            return self.episodes
        return 100 if self.curves else EPISODES

    def takes_part(self, controller: str) -> bool:
        """Whether this controller was asked for."""
        return not self.controllers or controller in self.controllers

    def _check(self) -> None:
        from agent.commands.controllers import CONTROLLERS
        from agent.errors import UserError
        from agent.evaluation.protocols import protocol_named

        for name in self.protocols:
            protocol_named(name)
        _check_names(self.controllers, tuple(CONTROLLERS))
        numbers = (self.count, self.workers, self.seed + 1, *(s + 1 for s in self.training_seeds))
        if min(numbers) < 1 or not self.training_seeds:
            raise UserError(
                "expected --episodes and --workers of at least 1, a training seed, none negative"
            )


def _check_names(given: Sequence[str], known: Sequence[str]) -> None:
    from difflib import get_close_matches

    from agent.errors import UserError

    for name in given:
        if name not in known:
            nearest = get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise UserError(
                f"unknown controller {name!r}; did you mean {nearest!r}? Expected some of: "
                f"{', '.join(known)}"
            )
