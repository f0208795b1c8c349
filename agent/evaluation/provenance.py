"""Where a figure comes from: the code that made it, and what the controller had learned from."""

from __future__ import annotations

import datetime
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.machine.cgroup import read
from agent.machine.cores import usable_cores

DIRTY = "-dirty"  # ends the commit of code that differs from it
CODE = (".py", ".toml", ".lock")
_GIT_TIMEOUT_S = 10.0


def origin_of(facts: Mapping[str, Any], with_head: bool = False) -> dict[str, Any]:
    """Which training a controller comes from, and its price: the fields of a result.

    From the facts of a checkpoint as the trainings here write them: ``env_steps`` that were
    recorded or played, held-out ones included, ``seconds`` or ``training_s`` of wall clock,
    ``peak_memory_mb``, and ``seed``, its own or its settings'. None where it was not recorded.

    A world model says how many steps it was fitted to; those its data set kept for diagnosis
    were recorded for it as well, so the data set's own count goes first. What a model went on from
    had its price before; ``with_head`` adds that of teaching the action head.
    """
    data = facts.get("data", {})
    settings = facts.get("training", facts.get("settings", {}))
    steps = facts.get("env_steps")
    if "episodes" in data and "episode_steps" in data:  # checkpoints of before say no more
        steps = data.get("env_steps", data["episodes"] * data["episode_steps"])
    before, head = facts.get("before", {}), facts.get("head", {}) if with_head else {}
    times_s = [facts.get("training_s", facts.get("seconds")), before.get("training_s")]
    price = {
        "env_steps": _sum([steps, before.get("env_steps")]),
        "training_s": _sum([*times_s, head.get("seconds")]),
        "memory_mb": facts.get("peak_memory_mb"),
    }
    return {"training_seed": facts.get("seed", settings.get("seed")), "bought_with": price}


def _sum(parts: Sequence[float | None]) -> float | None:
    """Of what was recorded; None if the first was not."""
    known = [part for part in parts if part is not None]
    return None if parts[0] is None else round(sum(known), 1) if len(known) > 1 else known[0]


def circumstances() -> dict[str, str | None]:
    """Which code ran on what, and when: part of every file of results."""
    return {
        "commit": code_version(),
        "hardware": hardware(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def hardware() -> str:
    """Processor, cores and system, in words."""
    return f"{_processor()}, {usable_cores()} cores, {platform.system()} {platform.machine()}"


def _processor() -> str:
    lines = read(Path("/proc/cpuinfo")).splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    # Where it is not Linux, the standard library's word for it.
    return names[0] if names else platform.processor() or "unknown processor"


def code_version() -> str | None:
    """The commit this code is at, ``-dirty`` if code differs from it; None outside its repository.

    What measuring writes is no code: figures and pages may differ. A copy installed inside
    somebody else's repository has no commit: this file must be tracked.
    """
    if _git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return None
    commit = _git("describe", "--always", f"--dirty={DIRTY}", "--abbrev=12", "--exclude=*")
    if commit is None or not commit.endswith(DIRTY):
        return commit
    differing = _git("diff", "--name-only", "HEAD")
    if differing is None or any(name.endswith(CODE) for name in differing.splitlines()):
        return commit
    return commit.removesuffix(DIRTY)


def _git(*words: str) -> str | None:
    # Whoever owns the files: this code is running already, so reading its commit adds no risk.
    try:
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", str(Path(__file__).parent), *words],
            capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
