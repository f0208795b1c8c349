"""JSON on disk says what was written, or is refused."""

import json
from pathlib import Path

import pytest

from agent.errors import DamagedDataError, UserError
from agent.files.json_files import SUM, parsed, read_json, read_lines, write_json

CONTENT = {"schema": "a/1", "rate": 0.75, "rows": [{"held": 3, "name": "a"}], "none": None}


def read(path: Path) -> dict[str, object]:
    return read_json(path, "a result", ("a/1",), "`make`")


def test_what_was_written_comes_back_and_nothing_else(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", CONTENT)
    assert read(tmp_path / "a.json") == CONTENT


@pytest.mark.parametrize(("was", "now"), [("0.75", "0.25"), ('"a"', '"b"'), ('"held"', '"helt"')])
def test_another_digit_or_letter_is_damage(tmp_path: Path, was: str, now: str) -> None:
    path = tmp_path / "a.json"
    write_json(path, CONTENT)
    path.write_text(path.read_text().replace(was, now))
    with pytest.raises(DamagedDataError, match=r"damaged .*a\.json.*Restore"):
        read(path)


def test_a_file_from_before_there_were_sums_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(CONTENT))
    assert read(tmp_path / "a.json") == CONTENT
    write_json(tmp_path / "b.json", {**CONTENT, "schema": "b/1"})
    assert SUM in (tmp_path / "b.json").read_text()
    with pytest.raises(UserError, match="schema 'b/1'"):
        read(tmp_path / "b.json")


def test_what_is_nested_too_deeply_is_no_json() -> None:
    with pytest.raises(ValueError, match="deep"):
        parsed("[" * 10**6)


@pytest.mark.parametrize("line", [b"\xff", b"[" * 10**6, b"{}", b"7", b'"trial"'])
def test_a_line_that_is_none_is_damage_with_its_number(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "a.jsonl"
    assert not read_lines(path, "training", ("trial",))
    path.write_bytes(b'{"trial": 1}\n' + line + b"\n")
    with pytest.raises(DamagedDataError, match=r"a\.jsonl, line 2 is no training"):
        read_lines(path, "training", ("trial",))
