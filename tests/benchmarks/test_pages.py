"""The pages say what the result files say, and link to what is there."""

from pathlib import Path

import pytest
from made_results import point_in, result

from agent.errors import UserError
from benchmarks.campaign.curve_points import keep_point
from benchmarks.campaign.inputs import WORLDS, cells_in, curves_in
from benchmarks.campaign.report import PAGES, Report, pages_made
from benchmarks.campaign.tables import put_run
from benchmarks.campaign.worlds_table import runs_of_worlds

ROOT = Path(__file__).parents[2]


def test_the_tables_of_the_pages_are_those_of_the_result_files() -> None:
    pages = [ROOT / name for name in PAGES]
    results = ROOT / "results"
    cells, worlds = cells_in(results)[0], runs_of_worlds(results / WORLDS)
    for page, made in pages_made(pages, cells, curves_in(results), worlds):
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
