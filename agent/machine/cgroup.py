"""The limits a container sets, as Linux keeps them: control groups of version 2, or of 1.

Groups are nested, and the limit of any that this process is in holds. Where a container hides the
names of the groups around it, its own is the root of what is mounted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

MOUNT = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def groups_of(controller: str) -> Iterator[Path]:
    """Directories of the groups this process is in by ``controller`` ("memory", "cpu"), its own
    first and the root last; nothing where there are none.
    """
    for line in read(OWN_GROUPS).splitlines():
        _, _, named = line.partition(":")  # its number: 0 of version 2, which lists no controllers
        controllers, _, name = named.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        for mount in (MOUNT / controllers, MOUNT / controller) if controllers else (MOUNT,):
            own = PurePosixPath(name.lstrip("/"))
            places = [mount / own, *(mount / around for around in own.parents)]
            yield from (place for place in dict.fromkeys(places) if place.is_dir())


def number_in(path: Path, key: str = "") -> int | None:
    """The whole number a file holds, or holds after ``key`` on a line; None if it holds none."""
    for line in read(path).splitlines():
        words = line.removeprefix(key).split()
        if line.startswith(key) and words and words[0].isdecimal():
            return int(words[0])
    return None


def read(path: Path) -> str:
    """The text of a file; none if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return ""
