"""What a sweep is asked for, data sets × seeds × settings, and doing what is missing of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.cluster import crew_for, one_cluster
from agent.config import preset
from agent.data import RolloutStore
from agent.errors import UserError
from agent.machine.cores import usable_cores
from agent.settings import flat
from agent.sweep.searching import Search, end_early, suggest
from agent.sweep.space import Choices, Space, draw, grid, is_varied, is_within, with_whole_lists
from agent.sweep.trial import Line, Training, Trial, keep, read_record

SEARCHES = ("grid", "random", "optuna")
Update = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """``search`` is "grid", "random" or "optuna"; the last two make ``trials`` choices of settings.

    Grid and random search train each choice on every data set from every seed; Optuna searches for
    each data set by itself and takes the seeds in turn.
    """

    data: tuple[Path, ...]
    seeds: tuple[int, ...] = (0,)
    preset: str = "default"
    search: str = "grid"
    trials: int = 20
    space: Space = field(default_factory=dict)
    draw_seed: int = 0

    def __post_init__(self) -> None:
        whole = [*self.seeds, self.trials, self.draw_seed]
        if not all(type(number) is int for number in whole) or not isinstance(self.preset, str):
            raise UserError(
                "expected whole numbers as seeds and trials and the name of a preset, got "
                f"{list(self.seeds)}, {self.trials!r} and {self.preset!r}"
            )
        if not self.data:
            raise UserError(
                "expected data sets to learn from, got none: name them with --data, or as "
                "data = [...] in the file of --config"
            )
        if not self.seeds or self.trials < 1:
            raise UserError("expected seeds, and trials of at least 1")
        for place in self.data:
            if ":/" in str(place) and not place.exists():  # two slashes have become one
                raise UserError(
                    f"expected data sets on a disk of this machine, got the address {place}: bring "
                    "it here, or train on it one by one with `train`"
                )
        for name, domain in self.space.items():
            if isinstance(domain, Choices) and domain.values in ((), ("",)):
                raise UserError(f"expected values to try for {name}, got none")
        if self.search not in SEARCHES:
            raise UserError(f"expected a search of {', '.join(SEARCHES)}, got {self.search!r}")
        if self.search != "grid" and not self.space:
            raise UserError(f"expected settings to search among for {self.search}, got none")
        if "training.seed" in self.space:
            raise UserError("expected seeds by --seeds, got training.seed among the settings")
        space = with_whole_lists(self.space, dict(flat(preset(self.preset))))
        object.__setattr__(self, "space", space)

    @property
    def suggestions(self) -> int:
        """How many trainings a search by Optuna makes: no more than there are different ones."""
        values = [domain.values for domain in self.space.values() if isinstance(domain, Choices)]
        if len(values) < len(self.space):
            return self.trials
        return min(self.trials, math.prod(map(len, values)) * len(self.seeds))

    def choices(self) -> list[dict[str, Any]]:
        """The settings of a grid or of a random search."""
        if self.search == "grid":
            return list(grid(self.space))
        return [draw(self.space, self.draw_seed, number) for number in range(self.trials)]

    def listed(self, out: Path) -> list[Trial]:
        """Every trial of a grid or of a random search, each once, its settings checked.

        Raises:
            UserError: on an unknown setting, a value that makes no sense, or data that is none.
        """
        examples = [self.example(out, data) for data in self.data]
        trials = [
            replace(one, seed=seed, settings=settings)
            for one in examples
            for settings in self.choices()
            for seed in self.seeds
        ]
        for trial in trials:
            trial.config()
        return list({trial.name: trial for trial in trials}.values())

    def example(self, out: Path, data: Path) -> Trial:
        """The trial on ``data`` in which nothing is varied: what is fixed is in its settings."""
        content = RolloutStore.open(data).content_sha256()
        fixed = {
            name: domain.values[0]
            for name, domain in self.space.items()
            if isinstance(domain, Choices) and not is_varied(domain)
        }
        return Trial(str(out), str(data.resolve()), content, self.preset, self.seeds[0], fixed)


@dataclass(frozen=True)
class Sweeper:
    """A plan, carried out below ``out`` by ``workers`` on ``cluster``, as ``agent.cluster`` has it.

    ``stop_early`` ends trainings that lag behind. Lines of finished trainings are kept at once.
    """

    plan: Plan
    out: Path
    workers: int | None = None
    cluster: str = ""
    stop_early: bool = False

    def __post_init__(self) -> None:
        if not self.cluster and (self.plan.search == "optuna" or self.stop_early):
            raise UserError(
                "expected --cluster with --search optuna and --stop-early, which Ray Tune does, "
                "got none: add --cluster local"
            )

    def run(self, update: Update = lambda done, total: None) -> list[Line]:
        """Train what is missing; the lines of all that was asked for.

        Raises what ``train_world_model`` raises, MachineError where workers are lost for good.
        """
        record = read_record(self.out)
        if self.plan.search == "optuna":
            return self._suggested(record, update)
        trials = self.plan.listed(self.out)
        missing = [trial for trial in trials if self._is_missing(record.get(trial.name))]
        keeping = _keeping(self.out, record, len(trials) - len(missing), len(trials), update)
        if missing:
            with one_cluster(self.cluster, self.workers):
                self._train(missing, keeping)
        return [{**record[trial.name], "data": trial.data} for trial in trials]  # it may have moved

    def _is_missing(self, line: Line | None) -> bool:
        """Whether it was never trained, or was ended early and no longer may be."""
        return line is None or (bool(line.get("stopped_early")) and not self.stop_early)

    def _train(self, trials: Sequence[Trial], keeping: Callable[[Line], None]) -> None:
        if self.stop_early:
            for data in dict.fromkeys(trial.data for trial in trials):
                end_early([trial for trial in trials if trial.data == data], keeping)
            return
        at_once = min(self.workers or usable_cores(), usable_cores(), len(trials))
        with crew_for(Training(at_once), self.workers, len(trials), self.cluster) as crew:
            for _, line in crew.as_done(trials):
                keeping(line)

    def _suggested(self, record: dict[str, Line], update: Update) -> list[Line]:
        plan = self.plan
        examples = [plan.example(self.out, data) for data in plan.data]
        done = [self._known(one, record) for one in examples]
        total = plan.suggestions * len(examples)
        keeping = _keeping(self.out, record, sum(map(len, done)), total, update)
        with one_cluster(self.cluster, self.workers):
            for example, before in zip(examples, done, strict=True):
                missing, seed = plan.suggestions - len(before), plan.draw_seed + len(before)
                journal = self.out / "optuna.log"
                search = Search(example, plan.space, plan.seeds, journal, seed)
                if missing > 0:
                    suggest(search, missing, self.stop_early, keeping)
        return [line for example in examples for line in self._known(example, record)]

    def _known(self, example: Trial, record: Mapping[str, Line]) -> list[Line]:
        """Lines of the same data and preset that this search could have suggested."""
        same = (example.content, example.preset)
        return [
            {**line, "data": example.data}
            for line in record.values()
            if (line["content"], line["preset"]) == same
            and line["seed"] in self.plan.seeds
            and is_within(line["settings"], self.plan.space)
        ]


def _keeping(
    out: Path, record: dict[str, Line], done: int, total: int, update: Update
) -> Callable[[Line], None]:
    """What keeps a line on the disk and in ``record``, and tells how far the sweep is."""
    update(done, total)

    def take(line: Line) -> None:
        nonlocal done
        known = record.get(line["trial"])
        if known is None or known["curve"] != line["curve"]:  # Optuna may ask for one twice
            keep(out, line)
        record[line["trial"]] = line
        done += 1
        update(done, total)

    return take
