"""A report as one HTML file: no script, no network, everything inside.

``write_report`` writes sections; the functions before it make what goes into them. All text is
escaped (see :mod:`agent.reporting.markup`), and the page forbids itself to load or run anything.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from agent.files.durable import write_result
from agent.reporting.markup import Markup, data_uri, document, element, joined
from agent.reporting.style import png_bytes

VIDEO_TYPES = {".webm": "video/webm", ".mp4": "video/mp4"}


@dataclass(frozen=True)
class Section:
    """A chapter of the report; ``anchor`` is a word for its address within the page."""

    anchor: str
    title: str
    body: Markup


def write_report(path: Path, title: str, head: Markup, sections: Sequence[Section]) -> Path:
    """Write the page: title, ``head``, links to the sections, and the sections.

    UserError or MachineError if nothing can be written there.
    """
    links = [element("a", s.title, href=f"#{s.anchor}") for s in sections]
    chapters = [element("section", element("h2", s.title), s.body, id=s.anchor) for s in sections]
    body = joined([element("h1", title), head, element("nav", *links), *chapters])
    css = importlib.resources.files("agent.reporting").joinpath("report.css").read_text("utf-8")
    return write_result(path, document(title, css, body).encode("utf-8"))


def paragraph(*text: str, kind: str = "") -> Markup:
    """A paragraph; ``kind`` is "", "lead" or "made"."""
    return element("p", *text, class_=kind or False)


def tiles(shown: Iterable[Markup]) -> Markup:
    """Numbers in a row of boxes, of :func:`tile`."""
    return element("div", *shown, class_="tiles")


def tile(value: str, what: str, note: str) -> Markup:
    """A number worth seeing first, what it is, and what to know about it."""
    return element(
        "div",
        element("div", value, class_="value"),
        element("div", what, class_="what"),
        element("div", note, class_="note"),
        class_="tile",
    )


def picture(figure: Figure, alt: str, reading: str) -> Markup:
    """A figure with a plain word on how to read it."""
    image = element("img", src=data_uri(png_bytes(figure), "image/png"), alt=alt)
    caption = element("figcaption", element("strong", "How to read this."), " ", reading)
    return element("figure", image, caption)


def video(path: Path, caption: str) -> Markup:
    """A film, .webm or .mp4, within the page, playing silently over and over."""
    source = data_uri(path.read_bytes(), VIDEO_TYPES[path.suffix])
    player = element(
        "video", src=source, controls=True, loop=True, muted=True, autoplay=True, playsinline=True
    )
    return element("figure", player, element("figcaption", caption))


def table(header: Sequence[str], rows: Iterable[Markup], wordy: bool = False) -> Markup:
    """A table that scrolls sideways where it does not fit; ``rows`` come from :func:`row`.

    Cells hold numbers, set to the right, unless the table is ``wordy``.
    """
    cells = (
        element("th", name, class_="number" if i else False, scope="col")
        for i, name in enumerate(header)
    )
    head = element("thead", element("tr", *cells))
    kind = "wordy" if wordy else "numbers"
    whole = element("table", head, element("tbody", *rows), class_=kind)
    return element("div", whole, class_="scroll")


def row(name: str, *cells: str, emphasised: bool = False) -> Markup:
    """A line of a table: what it is about, then numbers."""
    numbers = (element("td", cell, class_="number") for cell in cells)
    kind = "ours" if emphasised else False
    return element("tr", element("th", name, scope="row"), *numbers, class_=kind)


def group_row(title: str, columns: int) -> Markup:
    """A line across the table that names the lines below it."""
    return element(
        "tr", element("th", title, colspan=str(columns), scope="rowgroup"), class_="group"
    )


def with_note(text: str, note: str) -> Markup:
    """Text with a smaller, quieter line below."""
    return joined([text, element("span", note, class_="small")])


def facts(values: Mapping[str, str]) -> Markup:
    """Names and values in two columns."""
    pairs = ((element("dt", name), element("dd", value)) for name, value in values.items())
    return element("dl", *(part for pair in pairs for part in pair))


def fold(summary: str, body: Markup) -> Markup:
    """Something to unfold by who wants to see it."""
    return element("details", element("summary", summary), body)


def notes(items: Iterable[tuple[str, str]]) -> Markup:
    """A numbered list of names and what there is to say about each."""
    lines = (element("li", element("strong", name), ": ", text) for name, text in items)
    return element("ol", *lines, class_="notes")
