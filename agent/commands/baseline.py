"""``baseline``: train the rival the world model is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import arg

if TYPE_CHECKING:
    from agent.baselines.sac import SacStatistics


@dataclass(frozen=True)
class Baseline:
    """Train SAC with hindsight goals on true joint angles, to compare the world model with.

    It sees what the world model never does: angles and velocities, of the arm and of the goal.
    Writes into --out: checkpoint/ (for evaluate --controller sac) and metrics.jsonl.

    Example:
      python run_agent.py baseline --out runs/sac
    """

    out: Annotated[Path, arg(metavar="DIR")]
    """Directory of the run; a baseline that is there already is replaced."""
    algorithm: Literal["sac"] = "sac"
    """Which one: soft actor-critic, by Stable-Baselines3."""
    env_steps: int = 30_000
    """Env steps of 0.04 s to learn from."""
    seed: int = 0
    """Everything random follows from it."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        checkpoint = self.out / "checkpoint"
        again = "A baseline cannot be resumed: the same command starts anew."
        return f"What was learned is in {checkpoint}. {again}" if checkpoint.exists() else again

    def run(self) -> None:
        """Train to the end, and say where the result is."""
        from agent.baselines.sac import train_sac
        from agent.commands.console import say
        from agent.commands.progress import duration, follow

        reports = train_sac(self.out, self.env_steps, self.seed)
        last = follow(f"training {self.algorithm}, env steps", reports, _describe)
        assert last is not None, "a baseline reports at least once"
        say(f"{last.env_steps} env steps in {duration(last.seconds)}, {_success(last)}")
        say(f"wrote {self.out / 'checkpoint'}")
        say(f"next: python run_agent.py evaluate --controller sac --checkpoint {self.out}")


def _describe(report: SacStatistics) -> tuple[int, int, str]:
    # All environments step together, so the last round may go a little beyond.
    return min(report.env_steps, report.total_env_steps), report.total_env_steps, _success(report)


def _success(report: SacStatistics) -> str:
    if report.success is None:
        return "no episode ended yet"
    return f"success of the last 100 episodes {100 * report.success:.0f} %"
