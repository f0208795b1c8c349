"""See an exported controller steer its simulated world, without torch.

    python -m agent.export exported/reacher --goal-seed 7

Prints how near each episode ended and how long a tick took.
"""

from __future__ import annotations

from agent.streams import PatientStream

INTERRUPTED = 130


def main() -> int:
    """Returns the exit code; Ctrl-C ends it in a line, also while libraries are loaded."""
    try:
        from agent.export import program

        return program.main()
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=PatientStream("stderr"))
        return INTERRUPTED


if __name__ == "__main__":
    raise SystemExit(main())
