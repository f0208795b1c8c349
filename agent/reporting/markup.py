"""Building HTML that cannot be broken by what is written into it.

Text is escaped unless it is ``Markup``, and only this module makes ``Markup`` out of text.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable

from agent.files.ours import GENERATOR

_VOID = frozenset({"br", "hr", "img", "meta"})
_CONTROL = {*range(32), 127} - {9, 10, 13}  # neither HTML nor a font has these
_REPLACED = dict.fromkeys(_CONTROL, "\N{REPLACEMENT CHARACTER}")


class Markup(str):
    """HTML, safe to insert as it is."""

    __slots__ = ()


def element(name: str, *children: str, **attributes: str | bool) -> Markup:
    """``<name …>children</name>``, children and attribute values escaped.

    A trailing underscore of an attribute's name is dropped (``class_``), others become hyphens
    (``aria_label``); True gives an attribute without a value, False none.
    """
    opening = "".join([name, *(_attribute(key, value) for key, value in attributes.items())])
    if name in _VOID:
        assert not children, f"<{name}> holds nothing"
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{joined(children)}</{name}>")


def joined(parts: Iterable[str]) -> Markup:
    """One after the other; plain text is escaped."""
    return Markup("".join(part if isinstance(part, Markup) else _escaped(part) for part in parts))


def data_uri(content: bytes, media_type: str) -> str:
    """``content`` as an address that needs no network."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def document(title: str, css: str, body: Markup) -> str:
    """A whole page that may show pictures and videos within itself, and load and run nothing."""
    assert "<" not in css, "a style sheet of ours closes no element"
    policy = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="generator", content=GENERATOR),
        element("title", title),
        element("style", Markup(css)),
    )
    return f"<!doctype html>\n{element('html', head, element('body', body), lang='en')}\n"


def writable(text: str) -> str:
    """``text`` with control characters and lone surrogates replaced by marks.

    A path holds a lone surrogate for each byte that is no UTF-8; no file in UTF-8 can.
    """
    return text.encode("utf-8", "replace").decode("utf-8").translate(_REPLACED)


def _attribute(key: str, value: str | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    if isinstance(value, bool):
        return f" {name}" if value else ""
    return f' {name}="{_escaped(value)}"'


def _escaped(text: str) -> str:
    return html.escape(writable(text), quote=True)
