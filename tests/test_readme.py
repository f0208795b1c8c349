"""README.md says what the result files say."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAKER = runpy.run_path(str(ROOT / "benchmarks" / "readme_table.py"))


def test_the_table_of_results_is_that_of_the_result_files() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert MAKER["with_table"](readme) == readme


def test_every_file_the_readme_links_to_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [part.split(")")[0] for part in readme.split("](")[1:]]
    local = [link for link in links if not link.startswith("http")]
    assert local and all((ROOT / link).exists() for link in local)
