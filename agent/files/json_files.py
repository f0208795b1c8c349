"""Results as JSON files that name their schema: whole or not there, read or refused in words.

A file carries a sum of what it says, so that a digit that changed on the disk is not believed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from agent.errors import DamagedDataError, UserError
from agent.files.durable import write_result

SUM = "content_sha256"


def parsed(text: str | bytes) -> Any:
    """What the JSON ``text`` says; ValueError where it is none, nested too deeply included."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """``content`` (JSON values) and the sum of it."""
    return {**content, SUM: sum_of(content)}


def unsealed(path: object, content: Mapping[str, Any]) -> dict[str, Any]:
    """What :func:`sealed` was given; files from before there were sums have none to check.

    Raises:
        DamagedDataError: if it is not what was written to ``path``.
    """
    inner = {name: value for name, value in content.items() if name != SUM}
    if SUM in content and content[SUM] != sum_of(inner):
        raise DamagedDataError(
            f"damaged {path}: its content is not what was written (the sum in {SUM!r} differs). "
            "Restore the file or make it again"
        )
    return inner


def sum_of(content: Mapping[str, Any]) -> str:
    """The SHA-256 of ``content`` (JSON values), whatever the order of its names."""
    plain = json.loads(json.dumps(dict(content)))
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` as :func:`write_result` does; ValueError if a number is not finite."""
    text = json.dumps(sealed(content), indent=1, allow_nan=False) + "\n"
    write_result(path, text.encode())


def read_json(path: Path, what: str, schemas: Sequence[str], maker: str) -> dict[str, Any]:
    """What :func:`write_json` wrote: ``what`` it is, of one of ``schemas``, the newest first.

    Raises:
        UserError: if there is no such file, or it is of another schema: then ``maker`` is the
            command that makes it again.
        DamagedDataError: if it does not say what was written.
    """
    try:
        content = parsed(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"expected {what} at {path}, got: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"expected {path} to be JSON, got: {error}") from error
    found = content.get("schema") if isinstance(content, dict) else None
    if found not in schemas:
        raise UserError(
            f"expected {path} with schema {schemas[0]!r}, got schema {found!r}; make it again "
            f"with {maker}"
        )
    return unsealed(path, content)


def read_lines(path: Path, what: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """The objects in ``path``, one a line, which have the fields ``names``; none without the file.

    DamagedDataError for a line that is no ``what``.
    """
    found = []
    for number, text in enumerate(path.read_bytes().splitlines() if path.exists() else (), 1):
        try:
            line = parsed(text)
            itemgetter(*names)(line)  # raises where it lacks one
            found.append(line)
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedDataError(
                f"{path}, line {number} is no {what} ({error!r}): remove that line and run the "
                "same command again"
            ) from error
    return found


def require_fields(path: Path, content: Mapping[str, Any], names: Sequence[str]) -> None:
    """UserError naming those of ``names`` that ``content``, read from ``path``, lacks."""
    missing = [name for name in names if name not in content]
    if missing:
        raise UserError(f"expected {path} to have the fields {', '.join(missing)}, got none")
