"""README.md says what the result files say."""

from pathlib import Path

from agent.commands.report import cells_in, readme_of

ROOT = Path(__file__).parents[1]


def test_the_tables_of_results_are_those_of_the_result_files() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme_of(readme, cells_in(ROOT / "results")[0]) == readme, (
        "make the tables anew: python run_agent.py report results/ --readme README.md"
    )


def test_every_file_the_readme_links_to_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [part.split(")")[0] for part in readme.split("](")[1:]]
    local = [link for link in links if not link.startswith("http")]
    assert local and all((ROOT / link).exists() for link in local)
