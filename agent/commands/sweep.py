"""``sweep``: train many world models and say which settings predict best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from rich.markup import escape
from tyro.conf import arg

from agent.commands.console import note, say, show_rows
from agent.commands.idle_flags import refuse_idle, refuse_idle_settings
from agent.commands.places import require_file_places
from agent.commands.progress import progress
from agent.commands.values import Cluster, Parallel, Seed, optional
from agent.errors import UserError
from agent.extras import missing_extra
from agent.files.durable import write_durably
from agent.files.folders import SWEEP, SWEEP_MARK, writing_into

if TYPE_CHECKING:
    from agent.sweep.plan import Plan
    from agent.sweep.space import Space
    from agent.sweep.trial import Line

_NEEDED = "none, but required here or in --config"
TABLE_NAME, FIGURE_NAME = "table.md", "sweep.png"
_IN_FILE = ("data", "seeds", "preset", "search", "trials")


@dataclass(frozen=True)
class Sweep:
    """Train many world models: data sets × seeds × settings. Which settings predict best?

    Any setting of train --print-config is a flag by its dotted name, with values to try: 8,16,32;
    or a range to search in, 1e-4..1e-2. A --config FILE.toml says the same: data, seeds, preset,
    search, trials, and tables of settings, where a list is values to try and
    {low = 1e-4, high = 1e-2} a range; flags win over it.

    Compared is the error of predictions ten model steps ahead on held-out episodes. Writes into
    --out: trials/ (a run each, as train makes one), trials.jsonl, table.md and sweep.png. What is
    finished is kept: interrupted, the same command continues, and asking for more extends it.

    Examples:
      python run_agent.py sweep --data data/reacher --out runs/sweep --seeds 0 1 2
        --training.sigreg-weight 0.003,0.01,0.03 --training.steps 1000
      python run_agent.py sweep --config sweep.toml --out runs/sweep --cluster 10.0.0.1:6379
      python run_agent.py sweep --data data/reacher --out runs/optuna --search optuna --trials 40
        --training.learning-rate 1e-4..1e-2 --stop-early --cluster local
    """

    out: Annotated[Path, arg(metavar="DIR")]
    """Directory of the sweep."""
    data: Annotated[tuple[Path, ...], optional("DIR ...", _NEEDED)] = ()
    """Data sets to learn from, each with its world."""
    seeds: Annotated[tuple[int, ...], optional("INT ...", "0")] = ()
    """Seeds of the trainings."""
    preset: Annotated[str | None, optional("NAME", "default")] = None
    """What is not varied, as for train."""
    search: Annotated[
        Literal["grid", "random", "optuna"] | None, optional("{grid,random,optuna}", "grid")
    ] = None
    """How settings are chosen: all combinations, at random, or by Optuna, which needs --cluster and
    takes the seeds in turn."""
    trials: Annotated[int | None, optional("INT", "20")] = None
    """How many choices of settings random and optuna make, for each data set."""
    config: Annotated[Path | None, optional("FILE.toml")] = None
    """The same in a file."""
    draw_seed: Seed = 0
    """Decides what is chosen at random."""
    stop_early: bool = False
    """End trainings that lag behind (ASHA, by Ray Tune); needs --cluster."""
    workers: Annotated[Parallel | None, optional("INT", "every core")] = None
    """Trainings at once, one thread each."""
    cluster: Cluster = ""
    """Where they run: on the Ray cluster at HOST:PORT, or `local`, one that is started here."""
    settings: dict[str, str] = field(init=False, default_factory=dict)
    """What ``--room.name VALUE`` says, by ``room.name``; see ``flag_checks.split_settings``."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return f"Every finished training in {self.out} is kept; run the same command to continue."

    def run(self) -> None:
        """Train what is missing, then write and show the table."""
        from agent.sweep.plan import Sweeper

        plan, out = self._plan(), self.out.resolve()
        sweeper = Sweeper(plan, out, self.workers, self.cluster, self.stop_early)
        if not (out / SWEEP_MARK).exists():
            require_file_places(out, (TABLE_NAME, FIGURE_NAME), "--out")
        with writing_into(out, SWEEP):
            with progress("training, runs") as update:
                lines = sweeper.run(update)
            self._conclude(lines, plan)

    def _plan(self) -> Plan:
        """Flags before the file before the defaults."""
        from agent.sweep.plan import Plan
        from agent.sweep.space import read_words, varied

        said, space = ({}, {}) if self.config is None else _read(self.config)
        given = {name: getattr(self, name) for name in _IN_FILE}
        said |= {name: value for name, value in given.items() if value not in (None, ())}
        said["seeds"] = tuple(_several(said.get("seeds", (0,))))
        try:
            said["data"] = tuple(map(Path, _several(said.get("data", ()))))
            plan = Plan(
                **said, space={**space, **read_words(self.settings)}, draw_seed=self.draw_seed
            )
        except TypeError as error:
            raise UserError(f"--config {self.config}: {error}") from error
        if plan.search == "grid":
            why = "with --search grid, which tries all"
            refuse_idle(self, ("trials", "draw_seed"), why)
            if "trials" in said:
                raise UserError(f"trials in --config {self.config} does nothing {why}")
        if plan.search != "optuna":
            configs = [trial.config() for trial in plan.listed(self.out)]
            refuse_idle_settings(configs, varied(plan.space))
        return plan

    def _conclude(self, lines: Sequence[Line], plan: Plan) -> None:
        from agent.sweep.results import HEADER, groups, markdown, require_one
        from agent.sweep.space import varied
        from agent.sweep.trial import read_record

        names, found = varied(plan.space), groups(lines)
        write_durably(self.out / TABLE_NAME, markdown(found, names).encode())
        rows = [tuple(map(escape, group.row(names))) for group in found]
        show_rows(HEADER, rows, folding=("settings",))
        try:
            from agent.reporting.style import save_png
            from agent.sweep.figure import figure

            save_png(figure(found, names), self.out / FIGURE_NAME)
        except ModuleNotFoundError as error:
            say(f"no {FIGURE_NAME}: {missing_extra(error) or error}")
        others = len(read_record(self.out)) - len(lines)
        if others > 0:
            say(f"{others} more trainings, of other settings, are kept in {self.out}, not shown")
        say(f"wrote {self.out / TABLE_NAME}, which says where in {self.out / 'trials'} each lies")
        require_one(lines)


def _several(said: Any) -> Sequence[Any]:
    """In a file one may stand without brackets."""
    return said if isinstance(said, (list, tuple)) else (said,)


def _read(path: Path) -> tuple[dict[str, Any], Space]:
    """What a file says by name, and its tables of settings without a seed."""
    from agent.commands.training_settings import read_toml
    from agent.sweep.space import is_varied, read_tables

    values = read_toml(path)
    said = {name: values.pop(name) for name in _IN_FILE if name in values}
    space = dict(read_tables(values))
    seed = space.get("training.seed")
    if seed is not None and not is_varied(seed):  # as train --print-config writes it
        note(f"training.seed of {path} is left out: --seeds says from which to train")
        del space["training.seed"]
    return said, space
