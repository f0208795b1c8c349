"""docs/identifiability.md says what the committed results say."""

from __future__ import annotations

from pathlib import Path

from agent.files.bundle import bundle_sha256
from studies.catalogue import HOMES
from studies.tables import FOLDERS, section, with_tables
from studies.tables.diagnosis import FOLDER, read_record

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "identifiability.md"


def test_the_page_has_the_tables_of_the_results() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page, ROOT / "results") == page, "run: python -m studies.tables"


def test_every_study_has_its_place_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    marks = ({f"<!-- {name}{end}:begin -->" for end in ("", "-full")} for name in HOMES)
    assert all(any(mark in page for mark in either) for either in marks)


def test_what_was_measured_in_full_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    measured = (ROOT / "results" / FOLDERS["full"]).glob("*.json")
    assert all(f"<!-- {path.stem}-full:begin -->" in page for path in measured)


def test_the_diagnosis_on_the_page_is_of_the_model_that_is_shipped() -> None:
    record = read_record(ROOT / "results" / FOLDER / "restless.json")
    assert record["checkpoint_sha256"] == bundle_sha256(ROOT / "checkpoints" / "reacher"), (
        f"make it anew: {record['command']} --json results/{FOLDER}/restless.json"
    )


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    assert section("law", tmp_path).startswith("Not measured yet: `python -m studies")
