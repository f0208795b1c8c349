"""``train``: learn a world model from recorded rollouts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import arg

from agent.commands.console import be_quiet, say, show_facts
from agent.commands.idle_flags import refuse_idle, refuse_idle_settings
from agent.commands.learned import downhill, learned, say_what_is_missed
from agent.commands.places import require_file_places
from agent.commands.progress import follow, progress
from agent.commands.values import Parallel, Seed, optional
from agent.errors import UserError
from agent.extras import missing_extra
from agent.files.durable import write_durably
from agent.files.folders import holds_run
from agent.model.shipped import find_checkpoint
from agent.training.recorder import CURVES_NAME, METRICS_NAME

if TYPE_CHECKING:
    from agent.config import ExperimentConfig
    from agent.training.reports import TrainStatistics

_NEEDED = "(required, but for --print-config)"


@dataclass(frozen=True)
class Train:
    """Train a world model on recorded rollouts, from frames and actions alone.

    Writes into --out: checkpoint/ (the model, for control and evaluate), training_state/ (to
    resume from), config.toml (all settings, for --config), metrics.jsonl, tensorboard/ and
    curves.png. Interrupted or killed, it continues with --resume and ends with the very same
    weights.

    Every setting that --print-config shows is a flag by its dotted name, with one value. Flags
    win over --config, and that over --preset.

    Examples:
      python run_agent.py train --data data/reacher --out runs/reacher
      python run_agent.py train --data data/reacher --out runs/try --preset tiny
      python run_agent.py train --data data/reacher --out runs/try --resume
      python run_agent.py train --data data/reacher --out runs/wide --model.encoder.latent-dim 64
      python run_agent.py train --data data/reacher --out runs/mine --config mine.toml
      python run_agent.py train --data data/more --out runs/more --from runs/reacher
    """

    data: Annotated[str, arg(metavar="DIR|URL", help_behavior_hint=_NEEDED)] = ""
    """The data set that collect made, or recordings of your own; s3://bucket/folder, say, with the
    extra remote."""
    out: Annotated[Path, arg(metavar="DIR", help_behavior_hint=_NEEDED)] = Path()
    """Directory of the run."""
    preset: Annotated[
        Literal["default", "brisk", "tiny", "vicreg", "lewm", "lewm-224", "lewm-tiny"] | None,
        optional(
            "{default,brisk,tiny,vicreg,lewm,lewm-224,lewm-tiny}", "that of --config, else default"
        ),
    ] = None
    """Settings: default, the real thing in minutes; brisk, in two thirds of the time, a little less
    exact; tiny, seconds, which learns nothing; vicreg, default with another regulariser; lewm,
    LeWorldModel's recipe, a day of one core (lewm-224 as published, for frames of 224 px;
    lewm-tiny, seconds)."""
    begin: Annotated[
        Path | None, arg(name="from", metavar="CHECKPOINT", help_behavior_hint="(default: none)")
    ] = None
    """Go on from the weights of a checkpoint of the same world; its network is taken over."""
    config: Annotated[Path | None, optional("FILE.toml")] = None
    """Settings in a TOML file, as --print-config writes one; what it leaves out is the preset's."""
    print_config: bool = False
    """Show all settings as TOML, and end."""
    resume: bool = False
    """Continue the run in --out, with the settings that lie there unless others are named."""
    steps: Annotated[int | None, optional("INT", "the preset's")] = None
    """Gradient steps; those of the action head are fewer or more in proportion."""
    seed: Annotated[Seed | None, optional("INT", "the preset's")] = None
    """Everything random follows from it."""
    threads: Annotated[Parallel | None, optional("INT", "the preset's")] = None
    """Threads of torch; the same number gives the same weights."""
    device: Annotated[str | None, optional("NAME", "the preset's, cpu")] = None
    """Where torch computes: cpu or cuda."""
    precision: Annotated[str | None, optional("NAME", "the preset's, float32")] = None
    """Of the products inside the networks: float32, or bfloat16, which learns the preset lewm
    1.8 times as fast and ours no faster."""
    memory: Annotated[float | None, optional("GB", "the preset's, 0")] = None
    """What this process may take. Frames that do not fit are read in turn, ahead of the steps that
    need them; 0: 60 % of what is free, for frames."""
    settings: dict[str, str] = field(init=False, default_factory=dict)
    """What ``--room.name VALUE`` says, by ``room.name``; see ``flag_checks.split_settings``."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        state = self.out / "training_state"
        if not state.exists():
            return "Nothing had been learned yet; run the same command again to start anew."
        return f"The training state is saved in {state}; add --resume to the command to continue."

    def run(self) -> None:
        """Train to the end, and say what was learned."""
        from agent.config import as_toml
        from agent.model.description import checkpoint_spec, first_use
        from agent.training import ranks

        named, config = self._chosen()
        if self.print_config:
            say(as_toml(config, named).rstrip())
            return
        self._require_named()
        last = self._train(config, named)
        if ranks.place() > 0:
            return
        if last is None:
            say("this run had been trained to its end before")
        else:
            show_facts("what was learned", learned(last) | downhill(self.out / "checkpoint"))
            say_what_is_missed(last)
        say(f"wrote {self.out / 'checkpoint'}; reports and curves lie beside it")
        place = self.out / "checkpoint"
        use = first_use(checkpoint_spec(place), quote(str(place)), quote(self.data))
        say(f"next: {use}")

    def _require_named(self) -> None:
        missing = [
            flag for flag, given in (("--data", self.data), ("--out", self.out.name)) if not given
        ]
        if missing:
            raise UserError(
                f"expected {' and '.join(missing)}: `train --data DIR --out DIR`, a data set that "
                "`collect` made and a directory of its own for the run"
            )

    def _train(self, config: ExperimentConfig, named: str) -> TrainStatistics | None:
        """Train with a progress bar, keep settings and reports, draw the curves; the last report.

        ``named`` is the preset that ``config`` was made from. None where --resume finds nothing
        left to do.
        """
        from agent.config import CONFIG_NAME, as_toml
        from agent.training import ranks
        from agent.training.whole import finish, reports_of, trainer_of

        if not self.resume and ranks.is_first():
            _require_places(self.out)
        asked = (self.data, self.out, config, self.resume, self._begin())
        with one_voice(), trainer_of(*asked) as trainer:
            if ranks.is_first():
                write_durably(self.out / CONFIG_NAME, as_toml(config, named).encode())
            effort = config.training.effort
            last = follow("training, steps", reports_of(trainer), _describe, effort)
            if ranks.is_first():
                _draw_curves(self.out)
            with progress("teaching the action head, steps") as update:
                finish(trainer, update)
        return last

    def _chosen(self) -> tuple[str, ExperimentConfig]:
        """The preset's name, and the settings after --config and flags."""
        from agent.commands.training_settings import DEFAULT_PRESET, chosen_settings, read_settings
        from agent.model.checkpoint import load_checkpoint

        if self.print_config:
            refuse_idle(self, ("resume",), "with --print-config, which trains nothing")
        file = self._settings_file()
        named, from_file = (None, {}) if file is None else read_settings(file)
        begin = self._begin()
        network = None if begin is None else load_checkpoint(begin).config
        name = self.preset or named or DEFAULT_PRESET
        self._require_said_once()
        given = (self._begun_with(), from_file, self._short(), self.settings)
        config = chosen_settings(name, network, *given)
        refuse_idle_settings([config], self.settings)
        return name, config

    def _settings_file(self) -> Path | None:
        """That of --config; of a run that goes on, unless a preset is named, its own."""
        from agent.config import CONFIG_NAME

        own = self.out / CONFIG_NAME
        goes_on = self.resume and self.preset is None and own.is_file()
        return own if self.config is None and goes_on else self.config

    def _begun_with(self) -> dict[str, Any]:
        """Threads of the run that goes on, which may now have fewer cores: else its weights would
        be others, and it be refused."""
        from agent.files.bundle import STATE, has_bundle
        from agent.training import ranks
        from agent.training.state import begun_with

        if not self.resume or not has_bundle(self.out / STATE):
            return {}
        begun = begun_with(self.out / STATE)
        return {"training.threads": begun.threads} if begun.ranks == ranks.count() else {}

    def _require_said_once(self) -> None:
        for name in sorted({name.replace("-", "_") for name in self.settings} & set(self._short())):
            short = name.rpartition(".")[2].removesuffix("_gb")
            raise UserError(f"expected --{short} or --{name}, which mean the same, got both")

    def _short(self) -> dict[str, Any]:
        """Settings whose flags have short names, where given."""
        names = ("steps", "seed", "threads", "device", "precision")
        given = {name: getattr(self, name) for name in names} | {"memory_gb": self.memory}
        return {f"training.{name}": value for name, value in given.items() if value is not None}

    def _begin(self) -> Path | None:
        """The checkpoint to go on from; the directory of its run does as well."""
        try:
            return None if self.begin is None else find_checkpoint(self.begin)
        except UserError as error:
            if not self.resume:
                raise
            raise UserError(
                f"{error}. The run in {self.out} was begun from it, and goes on beside it alone: "
                "bring it back"
            ) from error


def _require_places(out: Path) -> None:
    """Nobody's file lies where a new run writes; what holds a run is refused as that."""
    from agent.config import CONFIG_NAME

    if not holds_run(out):
        require_file_places(out, (CONFIG_NAME, METRICS_NAME, CURVES_NAME), "--out")


@contextmanager
def one_voice() -> Iterator[None]:
    """Of several ranks the first speaks; another one only of what it alone knows."""
    from agent.training import ranks
    from agent.training.trainer import TrainingStoppedError

    be_quiet(ranks.place() > 0)
    try:
        yield
    except ranks.OtherRankError:
        raise
    except ranks.LostRankError:
        be_quiet(ranks.place() > 1)  # the first may be the one that is lost
        raise
    except Exception as error:
        be_quiet(isinstance(error, TrainingStoppedError) and ranks.place() > 0)
        raise


def _draw_curves(out: Path) -> None:
    """Learning needs no pictures: without the extra that draws them, a note."""
    try:
        from agent.reporting.curves import draw_curves
    except ModuleNotFoundError as error:
        say(f"no {CURVES_NAME} and no tensorboard/: {missing_extra(error) or error}")
        return
    draw_curves(out)


def _describe(report: TrainStatistics) -> tuple[int, int, str]:
    from agent.evaluation.statistics import in_digits

    return report.step, report.total_steps, f"loss {in_digits(report.loss, 3)}"
