"""``doctor``: is this machine fit for the main job, and if not, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from agent.commands.console import say, show_rows
from agent.errors import MachineError

STYLES = {"ok": "green", "note": "cyan", "slow": "yellow", "problem": "bold red"}


@dataclass(frozen=True)
class Doctor:
    """Check this machine, and say how to fix what is missing.

    Renders a frame to find a working OpenGL, looks at the versions of all packages (dm-control
    works only with its own MuJoCo), at OpenCV, threads, memory and disk. Exit code 4 if the
    main job cannot run here.

    Example:
      python run_agent.py doctor
    """

    after_interrupt = "Nothing was changed."

    def run(self) -> None:
        """Print every finding; MachineError if one stops the main job."""
        from agent.commands.checks import check_all

        findings = list(check_all(Path.cwd()))
        rows = [(f"[{STYLES[f.status]}]{f.status}[/]", f.what, escape(f.found)) for f in findings]
        show_rows(("", "what", "found"), rows, folding=("found",))
        for finding in findings:
            if finding.fix:
                say(f"\n{finding.what}: {finding.found}\n  to fix: {finding.fix}")
        problems = [finding.what for finding in findings if finding.status == "problem"]
        if problems:
            raise MachineError(f"this machine is not ready: {', '.join(problems)}")
        say("\nThis machine is ready.")
