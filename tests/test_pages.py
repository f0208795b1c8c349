"""The pages say what the result files say, and link to what is there."""

from pathlib import Path

import pytest

from agent.commands.report import PAGES, pages_made
from agent.commands.report_inputs import cells_in, curves_in

ROOT = Path(__file__).parents[1]


def test_the_tables_of_the_pages_are_those_of_the_result_files() -> None:
    pages = [ROOT / name for name in PAGES]
    results = ROOT / "results"
    for page, made in pages_made(pages, cells_in(results)[0], curves_in(results)):
        assert made == page.read_text(encoding="utf-8"), (
            f"{page.name}: make the tables anew: python run_agent.py report results/"
        )


@pytest.mark.parametrize("name", ["README.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))])
def test_every_file_a_page_links_to_is_there(name: str) -> None:
    page = ROOT / name
    links = [part.split(")")[0] for part in page.read_text(encoding="utf-8").split("](")[1:]]
    local = [link for link in links if not link.startswith("http")]
    assert all((page.parent / link).exists() for link in local)
    assert local or name != "README.md"
