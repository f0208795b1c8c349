"""The pages say what the result files say, and link to what is there."""

import re
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

import pytest
from made_results import cell, point_in, result

from agent.errors import UserError
from benchmarks.campaign.curve_points import keep_point
from benchmarks.campaign.inputs import WORLDS, cells_in, curves_in
from benchmarks.campaign.quotable import sources
from benchmarks.campaign.report import PAGES, Report, pages_made
from benchmarks.campaign.tables import put_run
from benchmarks.campaign.worlds_table import runs_of_worlds
from studies.quotes import QUOTE, with_quotes

ROOT = Path(__file__).parents[2]


def test_the_tables_of_the_pages_are_those_of_the_result_files() -> None:
    pages = [ROOT / name for name in PAGES]
    results = ROOT / "results"
    cells, worlds = cells_in(results)[0], runs_of_worlds(results / WORLDS)
    curves = curves_in(results)
    quoted = sources(results, cells, curves)
    for page, made in pages_made(pages, cells, curves, worlds, quoted):
        assert made == page.read_text(encoding="utf-8"), (
            f"{page.name}: make the tables anew: python -m benchmarks.campaign report --pages"
        )


@pytest.mark.parametrize("name", ["README.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))])
def test_every_file_a_page_links_to_is_there(name: str) -> None:
    page = ROOT / name
    links = [part.split(")")[0] for part in page.read_text(encoding="utf-8").split("](")[1:]]
    local = [link for link in links if not link.startswith("http")]
    assert all((page.parent / link).exists() for link in local)
    assert local or name != "README.md"


@pytest.mark.parametrize(
    ("page", "begins", "ends"),
    [
        ("docs/results.md", "## How to read it", "## What experience buys"),
        ("docs/identifiability.md", "*Reading.* The essay above says", "## Limits"),
        ("docs/identifiability.md", "## The answer in five lines", "## The studies, one by one"),
        ("docs/identifiability.md", "*Reading.* Which motion", "## 7. Motion that"),
    ],
)
def test_no_result_in_the_text_is_typed_by_hand(page: str, begins: str, ends: str) -> None:
    """A figure that no file says is one that nobody notices when the files change."""
    text = (ROOT / page).read_text(encoding="utf-8")
    part = text[text.index(begins) : text.index(ends, text.index(begins))]
    assert QUOTE.search(part) and not any("|" in found[1] for found in QUOTE.finditer(text))
    typed = re.findall(r"(?<![\w.])\d*\.\d+|\d+ %", QUOTE.sub("", part))
    # rad of tolerance, s of a stride; λ and what it fades to; what is asked of a probe
    assert set(typed) <= {"0.05", "0.32", ".01", ".001", ".999"}


MADE = [
    "README.md",
    *(f"docs/{n}.md" for n in ("identifiability", "live", "reliability", "scaling")),
]


@pytest.mark.parametrize("page", MADE)
def test_no_table_of_results_is_typed_by_hand(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    by_hand = re.sub(r"<!-- ([\w-]+):begin -->.*?<!-- \1:end -->", "", text, flags=re.DOTALL)
    rows = [line for line in by_hand.splitlines() if line.startswith("|") and "Sec." not in line]
    assert not [row for row in rows if re.search(r"\d\.\d|[^\w]\.\d", QUOTE.sub("", row))]


def test_no_measurement_that_was_asked_for_is_typed_by_hand() -> None:
    """In the tables of what was asked and reached; what was asked, and published, is typed."""
    lines = iter((ROOT / "docs" / "results.md").read_text(encoding="utf-8").splitlines())
    measured = []
    for _ in (line for line in lines if line.startswith("| what | asked | measured")):
        next(lines)
        for row in takewhile(lambda line: line.startswith("|"), lines):
            measured.append(QUOTE.sub("", row).split(" | ")[2])
    assert len(measured) > 40
    assert not [cell for cell in measured if re.search(r"\d\.\d|[^\w]\.\d|\d %|\de-\d", cell)]


def test_the_rooms_weigh_what_the_architecture_says() -> None:
    """Within a hundredth, and at least twenty lines: it is about which room is heavy."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = re.findall(r"^\| `([\w/]+)/` \|.*?\| ([\d ]+) \|", text, re.MULTILINE)
    assert len(rooms) > 15
    for room, said in rooms:
        apart = {"envs": "reacher"}.get(room, "")  # has a line of its own
        lines = _lines(path for path in (ROOT / room).rglob("*.py") if apart not in path.parts)
        assert int(said.replace(" ", "")) == pytest.approx(lines, rel=0.01, abs=20), room
    whole = re.search(r"are ([\d ]+) lines", text)
    parts = [path for room in ("agent", "envs", "planners") for path in (ROOT / room).rglob("*.py")]
    assert whole and int(whole[1].replace(" ", "")) == pytest.approx(_lines(parts), rel=0.01)


def _lines(paths: Iterable[Path]) -> int:
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


@pytest.mark.parametrize(
    "words",
    ["runs; lewm; nobody; held", "curve; anywhere; sac; held; 7", "json; x.json; a; d"],
)
def test_what_cannot_be_quoted_is_named(words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot make the quote"):
        with_quotes(f"a <!-- q: {words} -->1<!-- /q -->", sources(tmp_path, [], []))


def test_a_quote_is_made_anew_and_strangers_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"rows": [{"ms, all": 2.349}]}', encoding="utf-8")
    made = sources(tmp_path, [cell("sac", "lewm", [0.5, 1.0])], [])
    page = "<!-- q: json; a.json; rows/0/ms, all; .1f -->9<!-- /q -->"
    page += " <!-- q: no; x -->7<!-- /q -->"
    expected = page.replace("9", "2.3")
    assert with_quotes(page, made) == expected == with_quotes(expected, made)
    quote = "<!-- q: runs; lewm; sac; held -->"
    assert with_quotes(f"{quote}<!-- /q -->", made) == f"{quote}75.0<!-- /q -->"
    prose = f"what stands after `<!-- q: … -->` is made: {quote}"  # and is no quote itself
    assert with_quotes(f"{prose}<!-- /q -->", made) == f"{prose}75.0<!-- /q -->"


def test_no_quote_of_a_page_is_empty() -> None:
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    found = [quote for page in pages for quote in QUOTE.findall(page.read_text(encoding="utf-8"))]
    assert found and all(said.strip() for _, said in found)


def test_a_directory_without_tables_leaves_every_page_alone(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("<!-- glance:begin -->\nold\n<!-- glance:end -->\n", encoding="utf-8")
    with pytest.raises(UserError, match="nothing was written"):
        Report(tmp_path, pages=(page,)).run()
    assert "old" in page.read_text(encoding="utf-8")
    assert not (tmp_path / "report.html").exists()


def test_pages_are_written_only_when_they_are_asked_for(tmp_path: Path) -> None:
    page, results = tmp_path / "README.md", tmp_path / "results"
    page.write_text("<!-- curves:begin -->\nold\n<!-- curves:end -->\n", encoding="utf-8")
    put_run(results / "comparison", result())
    keep_point(point_in(results / "curves"), result())
    Report(results).run()
    assert (results / "report.html").exists() and "old" in page.read_text(encoding="utf-8")
    Report(results, pages=()).run()
    assert "1 points in all" in page.read_text(encoding="utf-8")


def test_a_table_is_never_emptied(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("<!-- glance:begin -->\nold\n<!-- glance:end -->\n", encoding="utf-8")
    put_run(tmp_path / "comparison", result(protocol="somebody's"))
    with pytest.raises(UserError, match="'glance' of the page, got none"):
        Report(tmp_path, pages=(page,)).run()
    assert "old" in page.read_text(encoding="utf-8") and not (tmp_path / "report.html").exists()
