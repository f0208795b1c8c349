"""``python -m studies``: parse, run, and say how it ended."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from agent.commands.calling import run_entry
from agent.commands.command import Entry

ENTRY = Entry("studies.command:Studies", "study when LeJEPA finds the world's own variables")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the studies that the words ask for; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    return run_entry(ENTRY, "python -m studies", words or ["--help"])


if __name__ == "__main__":
    sys.exit(main())
