"""Tables as bytes: what is written of values, and what rows that were read mean."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from agent.errors import UserError

Row = TypeVar("Row")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A header and rows; equal content gives equal bytes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def text_of(value: Any) -> str:
    """A value as a cell of the table: nothing for None, 0 or 1 for a truth, floats by ``repr``.

    Raises:
        UserError: for a text that a spreadsheet would take for a formula and run.
    """
    if isinstance(value, str) and value.startswith(_FORMULA):
        raise UserError(
            f"expected a text that is no formula, got {value[:40]!r}: name it otherwise"
        )
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(int(value) if isinstance(value, bool) else value, allow_nan=False)


def table_bytes(path: Path) -> bytes:
    """The file at ``path``; UserError that names it if there is none."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"expected a table at {path}, got: {error.strerror}. Make one with "
            "`python -m benchmarks.campaign measure`"
        ) from error


def meanings(
    path: Path,
    columns: Sequence[str],
    table: bytes,
    meaning: Callable[[Sequence[str]], Row],
    without: int = 0,
) -> list[Row]:
    """What each row of ``table`` means; UserError that names ``path`` if one means nothing.

    Older tables may lack the last ``without`` of the ``columns``.
    """
    wanted = list(columns)
    try:
        header, *rows = list(csv.reader(io.StringIO(table.decode()))) or [[]]
        known = header in (wanted, wanted[: len(wanted) - without])
        found = [meaning(_whole(header, row)) for row in rows] if known else []
    except (ValueError, csv.Error) as error:
        raise UserError(f"expected numbers and texts in {path}, got: {error}") from error
    if not known:
        raise UserError(f"expected {path} to have the columns {', '.join(wanted)}, got {header}")
    return found


def sum_of(cells: Iterable[str]) -> str:
    """Twelve hexadecimal digits that another digit in ``cells`` would change."""
    return hashlib.sha256("\x1f".join(cells).encode()).hexdigest()[:12]


def _whole(header: Sequence[str], row: Sequence[str]) -> Sequence[str]:
    if len(row) != len(header):
        raise ValueError(f"{len(row)} cells in a row, expected {len(header)}")
    return row
