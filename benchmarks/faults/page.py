"""The tables of docs/reliability.md, made from the suites' files alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.files.durable import write_durably
from agent.files.json_files import parsed, read_json, unsealed
from benchmarks import chi_square, random_calls
from benchmarks.faults.suites import SUITES
from benchmarks.sight import SCHEMA
from studies.marks import filled

SIGHT_COLUMNS = (
    "fault", "episodes", "held at once", "held in time", "harmless", "held later", "let go in time",
)  # fmt: skip


def fill_page(page: Path, results: Path) -> None:
    """Put the table of every suite in ``results`` between its marks on ``page``."""
    write_durably(page, filled_page(page.read_text(encoding="utf-8"), results).encode())


def filled_page(text: str, results: Path) -> str:
    """``text`` with the table of every suite that is in ``results``."""
    for name, suite in SUITES.items():
        path = results / f"{name}.json"
        if path.exists():
            schema = f"lejepa-agent/faults-{name}/1"
            found = read_json(path, "a suite's rows", (schema,), f"benchmarks.faults {name}")
            table = _table(suite.columns, found["rows"])
            text = filled(text, f"faults-{name}", f"{table}\n\n{_made(found)}")
    for path in sorted(results.glob("sight-*.json")):
        text = filled(text, path.stem, _sight(path))
    others = {"chi-square": _chances, "random-calls": _calls, "long-runs": _long_run}
    for stem, table_of in others.items():
        if (path := results / f"{stem}.json").exists():
            text = filled(text, stem, table_of(path))
    return text


def _calls(path: Path) -> str:
    """How calls drawn at random ended."""
    found = read_json(path, "random calls", (random_calls.SCHEMA,), "benchmarks.random_calls")
    wrong = f"{found['calls']} calls, of which went wrong: {len(found['wrong'])}."
    return f"{wrong}\n\n{random_calls.table(found)}\n\n{_made(found)}"


def _chances(path: Path) -> str:
    """How often healthy pictures leave a limit, and in how many recordings faulty ones do."""
    found = read_json(path, "chances", (chi_square.SCHEMA,), "benchmarks.chi_square")
    return f"{chi_square.tables(found)}\n\n{_made(found)}"


def _long_run(path: Path) -> str:
    """What a process held after many rounds beside what it held after the first."""
    found = unsealed(path, parsed(path.read_text(encoding="utf-8")))
    memory, left = found["rss_mb"], found["left"]
    row = {
        "ran": f"{60 * found['hours']:.0f} minutes", "rounds": found["rounds"],
        "environments": found["environments"], "episodes": found["episodes"],
        **{f"{name} left": count for name, count in left.items()},
        "memory, first and last round": f"{memory['first']:.1f} and {memory['last']:.1f} MB",
        "slope": f"{found['rss_mb_per_hour']:.2f} ± {found['rss_mb_per_hour_error']:.2f} MB/h",
    }  # fmt: skip
    lines = [
        "| what | |",
        "| --- | ---: |",
        *(f"| {name} | {value} |" for name, value in row.items()),
    ]
    return "\n".join([*lines, "", _made(found)])


def _sight(path: Path) -> str:
    """The faults of a camera in one world, and how often a healthy one was stopped."""
    found = read_json(path, "a guard's rows", (SCHEMA,), "benchmarks.sight")
    rows = [{**row, "wrong": ["it acted"] * row["never"]} for row in found["rows"]]
    healthy = found["healthy"]
    stopped = f"Healthy episodes: {healthy['episodes']}, of which held at any time: "
    table = _table((*SIGHT_COLUMNS, "wrong"), rows)
    return f"{stopped}{healthy['stopped']}.\n\n{table}\n\n{_made(found)}"


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1)]
    lines += [[_cell(row.get(column, 0)) for column in columns] for row in rows]
    whole = [sum(n for n in (row.get(c, 0) for row in rows) if type(n) is int) for c in columns]
    counted = [c for c in columns[1:] if any(type(row.get(c)) is int for row in rows)]
    if counted:
        wrong = sum(len(row["wrong"]) for row in rows)
        sums = {column: str(number) for column, number in zip(columns, whole, strict=True)}
        sums = {column: text if column in counted else "" for column, text in sums.items()}
        lines.append([{**sums, columns[0]: "all", "wrong": str(wrong)}[c] for c in columns])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    """Faults that went wrong are counted; what they said stands in the file."""
    text = str(len(value)) if isinstance(value, list) else str(value)
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _made(found: Mapping[str, Any]) -> str:
    return f"Made by `{found['command']}` ({found['date'][:10]}, {found['hardware']})."
