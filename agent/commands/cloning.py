"""What ``baseline`` does for the algorithms that learn from recorded rollouts."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.rivals.cloning_training import CloningStatistics

FROM_ROLLOUTS = ("inverse-dynamics", "clone")


def clone(out: Path, algorithm: str, data: Path | None, steps: int | None, seed: int) -> None:
    """Train to the end, and say where the result is.

    Raises:
        UserError: if there is no data, or ``steps`` or ``seed`` make no sense.
    """
    from dataclasses import replace

    from agent.commands.console import say
    from agent.commands.progress import duration, follow
    from agent.errors import UserError
    from agent.rivals.cloning_training import CloningSettings, train_clone

    if data is None:
        raise UserError(f"expected --data for {algorithm}: the rollouts that collect recorded")
    try:
        settings = replace(
            CloningSettings(), seed=seed, **({} if steps is None else {"steps": steps})
        )
    except ValueError as error:
        raise UserError(str(error)) from error
    last = follow(
        f"training {algorithm}, steps", train_clone(data, out, algorithm, settings), _describe
    )
    assert last is not None, "a training reports at least once"
    say(f"{last.step} steps in {duration(last.seconds)}, {_errors(last)}")
    say(f"wrote {out / 'checkpoint'}, from step {last.kept_step}, the best on held-out episodes")
    words = ["--controller", algorithm, "--checkpoint", str(out)]
    say(f"next: python run_agent.py evaluate {shlex.join(words)}")


def _describe(report: CloningStatistics) -> tuple[int, int, str]:
    return report.step, report.total_steps, _errors(report)


def _errors(report: CloningStatistics) -> str:
    from agent.evaluation.statistics import in_digits

    ours, chance = in_digits(report.held_out, 3), in_digits(report.chance, 3)
    return f"held-out action error {ours} (mean action {chance})"
