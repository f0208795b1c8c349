"""Command line of lejepa-agent: parse, build, call. It alone reads ``sys.argv``.

Exit codes: 0 done, 2 the user's mistake, 3 damaged data or checkpoint, 4 the machine (no OpenGL,
disk full), 130 interrupted with everything saved.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from agent.commands.command import Entry, Group, Table

SCRIPT = "lejepa-agent"
ABOUT = "Train a LeJEPA world model of any world from pixels, and steer it to a goal picture."
COMMANDS: Table = {
    "doctor": Entry(
        "agent.commands.doctor:Doctor", "check this machine, and say how to fix what is missing"
    ),
    "worlds": Entry("agent.commands.worlds:Worlds", "list the worlds there are, and draw them"),
    "collect": Entry("agent.commands.collect:Collect", "record rollouts of a world to learn from"),
    "dataset": Group(
        "look at recorded rollouts",
        {
            "inspect": Entry("agent.commands.dataset:Inspect", "say what is in a data set"),
            "verify": Entry("agent.commands.dataset:Verify", "check every byte of a data set"),
            "preview": Entry("agent.commands.dataset:Preview", "draw a few of its episodes"),
            "frame": Entry("agent.commands.dataset:Frame", "save one of its frames, as a goal"),
        },
    ),
    "train": Entry("agent.commands.train:Train", "train a world model on recorded rollouts"),
    "sweep": Entry("agent.commands.sweep:Sweep", "train many, and say which settings predict best"),
    "baseline": Entry(
        "agent.commands.baseline:Baseline",
        "train a rival: SAC, TD3 or PPO on states, or a cloned policy",
    ),
    "control": Entry("agent.commands.control:Control", "steer a world to a goal, and film it"),
    "live": Entry("agent.commands.live:Live", "play with a trained agent in a browser"),
    "export": Entry("agent.commands.export:Export", "write the controller to run without torch"),
    "calibrate": Entry(
        "agent.commands.calibrate:Calibrate", "teach a checkpoint what its pictures look like"
    ),
    "evaluate": Entry("agent.commands.evaluate:Evaluate", "measure how well a controller does"),
    "diagnose": Entry(
        "agent.commands.diagnose:Diagnose", "ask whether rollouts and a model fit LeJEPA's theory"
    ),
    "demo": Entry(
        "agent.commands.demo:Demo",
        "collect, train, baseline, evaluate and control, then a report",
    ),
}
EXAMPLES = (
    "demo",
    "doctor",
    "collect --out data/reacher",
    "train --data data/reacher --out runs/reacher",
    "control --checkpoint checkpoints/reacher --goal-state 0.5 -1.2 --video runs/out.webm",
    "evaluate --controller world-model --protocol lewm --episodes 50 --json runs/out.json",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit code. ``argv`` is without the program's name."""
    program = _program_name() if argv is None else "run_agent.py"
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["--version"]:
        print(_version())
        return 0
    code = _explained(program, words)
    if argv is None:
        _leave(code)
    return code


def _leave(code: int) -> None:
    """All is said: a Ctrl-C while Python tears itself down ends it without a word more."""
    with suppress(OSError):  # who read has left: Python says so itself
        sys.stdout.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if "RANK" in os.environ:  # torchrun started several
        _end_now(code)


def _end_now(code: int) -> None:
    """End with nothing torn down: a thread of gloo that still holds a tensor would abort that."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _explained(program: str, words: Sequence[str]) -> int:
    try:
        return _run(program, words)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("agent", "envs", "planners"):
            raise
        from agent.commands.failures import MACHINE
        from agent.extras import missing_module

        sys.stderr.write(f"error: {missing_module(error)}\n")
        return MACHINE
    except KeyboardInterrupt:  # before there was anything to save
        return 130
    except BrokenPipeError:  # the reader, a pager perhaps, has left: nothing more to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(program: str, words: Sequence[str]) -> int:
    from agent.commands.calling import mistake, run_entry
    from agent.commands.parsing import find
    from agent.errors import UserError

    try:
        found, names, rest = find(COMMANDS, words)
    except UserError as error:
        return mistake(program, error)
    program = " ".join([program, *names])
    if not isinstance(found, Entry):
        return _help(program, found, asked=words[-1:] in (["-h"], ["--help"]))
    return run_entry(found, program, rest)


def _help(program: str, group: Group | None, asked: bool) -> int:
    from agent.commands.failures import DONE, USER
    from agent.commands.parsing import show_overview

    if group is None:
        examples = [f"{program} {example}" for example in EXAMPLES]
        show_overview(program, ABOUT, COMMANDS, examples)
    else:
        show_overview(program, group.summary, group.entries, [])
    return DONE if asked else USER


def _version() -> str:
    """What to tell with a report of a bug."""
    from agent import __version__
    from agent.evaluation.provenance import code_version
    from agent.extras import version_of

    commit = code_version()
    parts = [] if commit is None else [f"commit {commit}"]
    for name in ("torch", "mujoco"):
        version = version_of(name)
        parts.append(f"{name} {version}" if version else f"no {name}")
    return f"lejepa-agent {__version__} ({', '.join(parts)})"


def _program_name() -> str:
    name = Path(sys.argv[0]).name
    return name if name == SCRIPT else f"python {name}"


if __name__ == "__main__":
    sys.exit(main())
