"""Results as JSON files that name their schema: whole or not there, read or refused in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.errors import UserError
from agent.files.durable import explained_disk_errors, make_directory, write_durably


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write ``content``; the old file or the new one survives a crash, never a mixture.

    Raises:
        ValueError: if a number is not finite.
        UserError, MachineError: if nothing can be written there.
    """
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    make_directory(path.parent)
    with explained_disk_errors(path.parent):
        write_durably(path, text.encode())


def read_json(path: Path, what: str, schemas: Sequence[str], maker: str) -> dict[str, Any]:
    """What :func:`write_json` wrote: ``what`` it is, of one of ``schemas``, the newest first.

    Raises:
        UserError: if there is no such file, or it is of another schema: then ``maker`` is the
            command that makes it again.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
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
    return dict(content)


def require_fields(path: Path, content: Mapping[str, Any], names: Sequence[str]) -> None:
    """UserError naming those of ``names`` that ``content``, read from ``path``, lacks."""
    missing = [name for name in names if name not in content]
    if missing:
        raise UserError(f"expected {path} to have the fields {', '.join(missing)}, got none")
