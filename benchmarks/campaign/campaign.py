"""What is asked of the campaign: who plays what, how often, and where it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from agent.commands.controllers import CONTROLLERS
from agent.errors import UserError
from agent.machine.cores import usable_cores
from benchmarks.campaign.matrix import (
    EPISODES,
    EVALUATION_SEED,
    FEWER_EPISODES,
    PROTOCOLS,
    TRAININGS,
    Wanted,
    wanted_runs,
)
from benchmarks.campaign.subject import task


@dataclass(frozen=True)
class Campaign:
    """Controllers on protocols; ``runs`` holds the trainings, ``out`` the tables.

    Empty ``controllers`` and ``protocols`` are all of them; ``curves`` asks for the checkpoints
    along the trainings, ``plan`` only for what is left. Given the beginning of a ``commit``, what
    another one measured is outdated.
    """

    out: Path | None = None
    runs: Path = Path("runs/comparison")
    controllers: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    training_seeds: tuple[int, ...] = (0, 1, 2)
    episodes: int | None = None
    seed: int = EVALUATION_SEED
    workers: int = field(default_factory=usable_cores)
    plan: bool = False
    curves: bool = False
    again: bool = False
    commit: str = ""
    cluster: str = ""

    def run(self) -> None:
        """Say what there is, and measure what is missing."""
        from agent.commands.console import say
        from agent.commands.places import require_directory
        from benchmarks.campaign.curves import measure_curves
        from benchmarks.campaign.measuring import measure_runs, states_of
        from benchmarks.campaign.plan import show_commands, show_plan

        self._check()
        if not self.plan:
            require_directory(self.place, "--out")
        if self.curves:
            measure_curves(self)
            return
        states = states_of(self.wanted(), self.runs, self.place, self.commit)
        show_plan(states, self.workers)
        show_commands(states, self.runs)
        if not self.plan:
            measure_runs(states, self.workers, self.place, self.again, self.cluster)
            say(f"next: python -m benchmarks.campaign report {self.place.parent}")

    @property
    def place(self) -> Path:
        """The directory of the tables."""
        return self.out or Path("results") / ("curves" if self.curves else "comparison")

    def wanted(self) -> list[Wanted]:
        """The runs asked for."""
        protocols = self.protocols or PROTOCOLS
        fewer = FEWER_EPISODES if self.episodes is None else {}
        runs = wanted_runs(protocols, self.training_seeds, self.count, self.seed, fewer)
        return [run for run in runs if self.takes_part(run.controller)]

    @property
    def count(self) -> int:
        """Episodes of each run."""
        if self.episodes is not None:
            return self.episodes
        return 100 if self.curves else EPISODES

    def takes_part(self, controller: str) -> bool:
        """Whether this controller was asked for."""
        return not self.controllers or controller in self.controllers

    def _check(self) -> None:
        for name in self.protocols:
            task(name)
        _check_names(self.controllers, tuple(CONTROLLERS))
        numbers = (self.count, self.workers, self.seed + 1, *(s + 1 for s in self.training_seeds))
        if min(numbers) < 1 or not self.training_seeds:
            raise UserError(
                "expected --episodes and --workers of at least 1, a training seed, none negative"
            )
        if not (self._has_curves() if self.curves else self.wanted()):
            raise UserError(
                f"expected --controllers that play the --protocols, got "
                f"{', '.join(self.controllers) or 'all'} on {', '.join(self.protocols)}: no such "
                f"{'curve' if self.curves else 'run'}"
            )

    def _has_curves(self) -> bool:
        """Whether a training that was asked for has a curve on a protocol that was."""
        return any(
            self.takes_part(training.controller)
            and any(name in (self.protocols or training.curve) for name in training.curve)
            for training in TRAININGS
        )


def _check_names(given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            nearest = get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise UserError(
                f"unknown controller {name!r}; did you mean {nearest!r}? Expected some of: "
                f"{', '.join(known)}"
            )
