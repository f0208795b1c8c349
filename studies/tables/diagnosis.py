"""The table of ``diagnose`` on our own data and model, from the files it wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.diagnosis.page import SCHEMA
from agent.files.json_files import read_json, require_fields

MARK = "diagnose"
FILES = ("restless", "gaussian")  # in the folder ``FOLDER`` of results, in the order of columns
FOLDER = "diagnosis"
FIELDS = ("subjects", "data", "checkpoint_sha256", "command", "commit", "hardware", "date")


def diagnosis_section(results: Path) -> str:
    """A line a question, a column a subject: effect and verdict; then how each file was made."""
    records = _records(results)
    columns = _columns(records)
    head = ["", *(f"{_about(one)} of {_data(record)}" for one, record in columns)]
    questions = list(dict.fromkeys(f["question"] for one, _ in columns for f in one["findings"]))
    rows = [[question, *(_cell(one, question) for one, _ in columns)] for question in questions]
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n\n".join([table, *(_made(record) for record in records)])


def verdicts(results: Path) -> list[tuple[str, dict[str, Any]]]:
    """Each subject of the table under a heading of two lines."""
    columns = _columns(_records(results))
    return [
        (f"{_about(one).partition(',')[0]},\n{record['data']['behaviour']} data", one)
        for one, record in columns
    ]


def read_record(path: Path) -> dict[str, Any]:
    """What ``diagnose --json`` wrote.

    Raises:
        UserError: if there is no such file, or it is none of these.
    """
    content = read_json(path, "a diagnosis", (SCHEMA,), "`diagnose --json`")
    require_fields(path, content, FIELDS)
    return content


def _records(results: Path) -> list[dict[str, Any]]:
    return [read_record(results / FOLDER / f"{name}.json") for name in FILES]


def _columns(records: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(one, record) for record in records for one in record["subjects"]]


def _about(subject: dict[str, Any]) -> str:
    return f"{subject['name']}, {subject['about'].partition(': ')[2].partition(' of ')[0]}"


def _data(record: dict[str, Any]) -> str:
    return f"`{record['data']['behaviour']}`, seed {record['data']['seed']}"


def _cell(subject: dict[str, Any], question: str) -> str:
    for line in subject["findings"]:
        if line["question"] == question:
            return f"{line['effect']}: **{line['level']}**"
    return "–"


def _made(record: dict[str, Any]) -> str:
    data = record["data"]
    recorded = (
        f"collect --world {data['spec']['world']} --behaviour {data['behaviour']} "
        f"--episodes {data['episodes']} --seed {data['seed']}"
    )
    return f"`{record['command']}`, of `{recorded}`; {record['hardware']}, {record['date'][:10]}."
