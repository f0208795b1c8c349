"""Numbers in running text, each quoted from a file of results by the words before it.

``<!-- q: SOURCE; … -->98.9<!-- /q -->``: what stands between the marks is made, never typed. No
``|`` separates the words: it would end a cell where the text is a table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.errors import UserError

QUOTE = re.compile(r"<!-- q: ([^<>]*?) -->([^<>]*?)<!-- /q -->")
Source = Callable[..., str]
"""The words after its name, as texts, to the number as a text; raises LookupError or ValueError."""


def with_quotes(page: str, sources: Mapping[str, Source]) -> str:
    """``page`` with the quotes from ``sources`` made anew; those of others are left as they are.

    Raises:
        UserError: naming a quote that cannot be found.
    """

    def made(found: re.Match[str]) -> str:
        name, *words = [word.strip() for word in found[1].split(";")]
        if name not in sources:
            return found[0]
        try:
            return f"<!-- q: {found[1]} -->{sources[name](*words)}<!-- /q -->"
        except (LookupError, ValueError, TypeError, OSError) as error:
            raise UserError(f"cannot make the quote {found[1]!r}: {error!r}") from error

    return QUOTE.sub(made, page)


def of_files(results: Path) -> Source:
    """Quotes ``FILE; PATH/TO/VALUE; FORMAT`` from the JSON files in ``results``."""
    return lambda file, *words: of_file(results / file)(*words)


def of_file(file: Path, inside: str = "") -> Source:
    """Quotes ``PATH/TO/VALUE; FORMAT`` from one JSON file, paths beginning ``inside`` of it."""

    def made(path: str, form: str) -> str:
        content = json.loads(file.read_text(encoding="utf-8"))
        return format(value_at(content, inside + path), form)

    return made


def value_at(content: Any, path: str) -> Any:
    """What ``content`` of nested objects and lists holds at ``path``, keys between ``/``.

    Raises:
        LookupError: if it holds nothing there.
    """
    for key in path.split("/"):
        content = content[int(key)] if isinstance(content, list) else content[key]
    return content
