"""What a training learned, and what it did not, in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.commands.console import say
from agent.commands.progress import duration

if TYPE_CHECKING:
    from agent.training.reports import TrainStatistics

READ = 0.5  # R² below which a coordinate counts as not learned


def learned(report: TrainStatistics) -> dict[str, str]:
    """The last report in words, diagnostics included when it has any."""
    from agent.evaluation.statistics import in_digits

    facts = {
        "steps": str(report.step),
        "time": duration(report.seconds),
        "frames per s": f"{report.frames_per_s:.0f}",
        "loss": in_digits(report.loss, 4),
    }
    if report.diagnostics is not None:
        found = report.diagnostics
        facts |= {f"probe R² {name}": f"{r2:.3f}" for name, r2 in found.probe_r2.items()}
        facts |= {f"probe R² {name}": "none: it never varies" for name in found.unscored}
        facts["effective rank"] = f"{found.effective_rank:.1f}"
        facts["SIGReg (1.05 is Gaussian)"] = f"{found.sigreg:.2f}"
        facts["open-loop error, last horizon"] = in_digits(found.open_loop_error[-1], 3)
    return facts


def say_what_is_missed(report: TrainStatistics) -> None:
    """What predictions do not have, and the coordinates that no line reads: goals that differ in
    them look alike.
    """
    if report.diagnostics is None:
        return
    missed_by = report.diagnostics.open_loop_error[-1]
    if not missed_by < 1:
        say(
            f"not learned, what follows: predictions miss by {missed_by:.3g} times the variance of "
            "what they predict, and a mean by 1. Train longer, or with a lower "
            "--training.learning-rate if the loss has grown"
        )
    found = report.diagnostics.probe_r2
    missed = [f"{name} ({r2:.2f})" for name, r2 in found.items() if r2 < READ]
    if missed:
        say(
            f"not learned, by a line (R²): {', '.join(missed)}. Record more episodes, in which it "
            "takes every value, or train longer; `diagnose` says more"
        )


def downhill(checkpoint: Path) -> dict[str, str]:
    """What its goal metric is like far from a goal, in words."""
    from agent.model.checkpoint import checkpoint_facts

    found = checkpoint_facts(checkpoint).get("geometry") or {}
    return {"false minima, as recorded": f"{found['false_minima']:.1%}"} if found else {}
