"""From the words after a program's name to an exit code: parse, call, explain what went wrong."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import FrameType

from agent.commands.command import Entry
from agent.commands.console import debugging, note, show_logs
from agent.commands.failures import DONE, INTERRUPTED, MACHINE, USER, exit_code_of, explain
from agent.commands.parsing import parse
from agent.errors import MachineError, UserError
from agent.machine.temporary import answering
from agent.streams import lost_output

_ENDINGS = [n for n in signal.Signals if n.name in ("SIGTERM", "SIGHUP")]
LEAST_ADDRESSES_GB = 3.0  # what torch, MuJoCo and a few threads reserve, most of it never used


def run_entry(entry: Entry, program: str, words: Sequence[str]) -> int:
    """Parse ``words`` as the flags of ``entry`` and run it; returns the exit code."""
    try:
        command = parse(entry, program, words)
    except UserError as error:
        return mistake(program, error)
    except SystemExit as leaving:  # tyro printed help (0) or what was wrong with a flag (2)
        return leaving.code if isinstance(leaving.code, int) else 0
    return call(command.run, lambda: command.after_interrupt)


def mistake(program: str, error: Exception) -> int:
    """Say what was wrong, and where help is; returns the exit code."""
    note(f"error: {error}", style="red")
    note(f"Help: {program} --help")
    return USER


def _require_addresses() -> None:
    """MachineError where ``ulimit -v`` leaves this process fewer than the libraries reserve.

    They break at it, some of them without end.
    """
    try:
        import resource
    except ImportError:  # a system without such limits
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESSES_GB * 1e9:
        raise MachineError(
            f"expected room for {LEAST_ADDRESSES_GB:g} GB of addresses, got a limit of "
            f"{limit / 1e9:.1f} GB: raise it with `ulimit -v unlimited`, or limit the memory that "
            "is really used (a container, systemd-run -p MemoryMax)"
        )


def _after_output() -> int:
    """The exit code of a job that is done, unless its results could not be shown to the end."""
    lost = lost_output()
    if lost is None:
        return DONE
    note(f"error: the work is done, but its results could not be printed: {lost.strerror}")
    return MACHINE


def call(job: Callable[[], object], left: Callable[[], str]) -> int:
    """The exit code of a ``job``; why it ended early is said, and what Ctrl-C has ``left``."""
    show_logs()
    try:
        _require_addresses()
        with endings_as_interrupts():
            job()
    except KeyboardInterrupt:
        sys.unraisablehook = lambda _: None  # what was only half made cannot end well
        note(f"\ninterrupted. {left()}", style="yellow")
        return INTERRUPTED
    except Exception as error:
        code = exit_code_of(error)
        if code is None or debugging():
            raise
        note(f"error: {explain(error)}", style="red")
        return code
    return _after_output()


def endings_as_interrupts() -> AbstractContextManager[None]:
    """Answer SIGTERM and a lost terminal as Ctrl-C: save, end the workers, say how to go on.

    Left to itself Python ends on the spot, and the workers of a comparison measure on alone. What
    is ignored already, as ``nohup`` has it, stays ignored.
    """
    answered = [n for n in _ENDINGS if signal.getsignal(n) is not signal.SIG_IGN]
    return answering(dict.fromkeys(answered, _interrupt))


def _interrupt(number: int, frame: FrameType | None) -> None:
    if signal.Signals(number).name == "SIGHUP":
        signal.signal(number, signal.SIG_IGN)  # shell and system both send it; the first counts
        _let_go_of_the_terminal()
    answer = signal.getsignal(signal.SIGINT)
    if not callable(answer):  # Ctrl-C is ignored, as in a shell's background job
        raise KeyboardInterrupt
    answer(signal.SIGINT, frame)


def _let_go_of_the_terminal() -> None:
    """Whatever is still said goes nowhere; said to a terminal that is gone it would be an error."""
    with Path(os.devnull).open("w") as nowhere:
        for descriptor in (1, 2):
            with suppress(OSError):  # there may be none
                if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                    os.dup2(nowhere.fileno(), descriptor)
