"""``train``: learn a world model from recorded rollouts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import arg

if TYPE_CHECKING:
    from agent.config import ExperimentConfig
    from agent.training.reports import TrainStatistics

CURVES_NAME = "curves.png"


def _from_preset() -> object:
    return arg(metavar="INT", help_behavior_hint="(default: the preset's)")


@dataclass(frozen=True)
class Train:
    """Train a world model on recorded rollouts, from frames and torques alone.

    Writes into --out: checkpoint/ (the model, for control and evaluate), training_state/ (to
    resume from), metrics.jsonl, tensorboard/ and curves.png. Interrupted or killed, it continues
    with --resume and ends with the very same weights.

    Examples:
      python run_agent.py train --data data/reacher --out runs/reacher
      python run_agent.py train --data data/reacher --out runs/reacher --resume
      python run_agent.py train --data data/reacher --out runs/try --preset tiny
      python run_agent.py train --data data/reacher --out runs/lewm --preset lewm
    """

    data: Annotated[Path, arg(metavar="DIR")]
    """The data set that collect made."""
    out: Annotated[Path, arg(metavar="DIR")]
    """Directory of the run."""
    preset: Literal["reacher-cpu", "tiny", "vicreg", "lewm", "lewm-224", "lewm-tiny"] = (
        "reacher-cpu"
    )
    """Settings: reacher-cpu, the real thing in minutes; tiny, seconds, which learns nothing;
    vicreg, the real thing with another regulariser; lewm, LeWorldModel's recipe, a day of one core
    (lewm-224 as published, for frames of 224 px; lewm-tiny, seconds)."""
    resume: bool = False
    """Continue the run in --out with the same settings."""
    steps: Annotated[int | None, _from_preset()] = None
    """Gradient steps."""
    seed: Annotated[int | None, _from_preset()] = None
    """Everything random follows from it."""
    threads: Annotated[int | None, _from_preset()] = None
    """Threads of torch; the same number gives the same weights."""
    device: Annotated[
        str | None, arg(metavar="NAME", help_behavior_hint="(default: the preset's, cpu)")
    ] = None
    """Where torch computes: cpu or cuda."""
    precision: Annotated[
        str | None, arg(metavar="NAME", help_behavior_hint="(default: the preset's, float32)")
    ] = None
    """Of the products inside the networks: float32, or bfloat16, which learns the preset lewm
    1.8 times as fast and ours no faster."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        state = self.out / "training_state"
        if not state.exists():
            return "Nothing had been learned yet; run the same command again to start anew."
        return f"The training state is saved in {state}; add --resume to the command to continue."

    def run(self) -> None:
        """Train to the end, and say what was learned."""
        from agent.commands.console import say, show_facts

        last = train_world_model(self.data, self.out, self._config(), self.resume)
        if last is None:
            say("this run had been trained to its end before")
        else:
            show_facts("what was learned", learned(last))
        say(f"wrote {self.out / 'checkpoint'} and {self.out / CURVES_NAME}")
        say(f"next: python run_agent.py control --checkpoint {self.out / 'checkpoint'}")

    def _config(self) -> ExperimentConfig:
        from agent.config import preset
        from agent.errors import UserError

        config = preset(self.preset)
        wanted = {
            "steps": self.steps, "seed": self.seed, "threads": self.threads, "device": self.device,
            "precision": self.precision,
        }  # fmt: skip
        given: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
        try:
            return replace(config, training=replace(config.training, **given))
        except ValueError as error:
            raise UserError(str(error)) from error


def train_world_model(
    data: Path, out: Path, config: ExperimentConfig, resume: bool = False
) -> TrainStatistics | None:
    """Train with a progress bar, keep what is reported, draw the curves; the last report.

    None where ``resume`` finds nothing left to do. Raises what ``Trainer`` raises.
    """
    from agent.commands.progress import follow, progress
    from agent.reporting.curves import learning_curves
    from agent.reporting.style import save_png
    from agent.training.head import teach_head
    from agent.training.recorder import read_metrics, record
    from agent.training.trainer import Trainer

    trainer = Trainer(data, out, config, resume)
    last = follow("training, steps", record(trainer.run(), out), _describe)
    save_png(learning_curves(read_metrics(out)), out / CURVES_NAME)
    with progress("teaching the action head, steps") as update:
        teach_head(out / "checkpoint", data, config.training, config.head, update)
    return last


def _describe(report: TrainStatistics) -> tuple[int, int, str]:
    return report.step, report.total_steps, f"loss {report.loss:.3f}"


def learned(report: TrainStatistics) -> dict[str, str]:
    """The last report in words, diagnostics included when it has any."""
    from agent.commands.progress import duration

    facts = {
        "steps": str(report.step),
        "time": duration(report.seconds),
        "frames per s": f"{report.frames_per_s:.0f}",
        "loss": f"{report.loss:.4f}",
    }
    if report.diagnostics is not None:
        found = report.diagnostics
        facts |= {f"probe R² {name}": f"{r2:.3f}" for name, r2 in found.probe_r2.items()}
        facts["effective rank"] = f"{found.effective_rank:.1f}"
        facts["SIGReg (1.05 is Gaussian)"] = f"{found.sigreg:.2f}"
        facts["open-loop error, last horizon"] = f"{found.open_loop_error[-1]:.3f}"
    return facts
