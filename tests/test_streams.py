"""What is printed never ends the work, and no figure is lost on the way to the reader."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from agent.commands import console
from agent.streams import PatientStream, lost_output

ROOT = Path(__file__).parents[1]
WORK = (
    "import sys; from pathlib import Path; import run_agent; "
    "from agent.commands.console import note, say; from agent.commands.doctor import Doctor\n"
    "def run(self):\n"
    "    for number in range(9): say(f'{number} … ²'); note('…')\n"
    "    Path(sys.argv[1]).write_text('done')\n"
    "Doctor.run = run; sys.exit(run_agent.main(['doctor']))"
)
SHOWN = ("world-model-with-a-name", "100.0 (96-100)", "0.00028 0.0012")


def work(place: Path, out: int, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A command that prints as it works, and leaves a file when it came to its end."""
    words = [sys.executable, "-c", WORK, str(place / "file")]
    given = {**os.environ, **environment}
    return subprocess.run(
        words, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, env=given, check=False
    )


def test_a_reader_that_leaves_ends_printing_and_not_the_work(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = work(tmp_path, writer)
    os.close(writer)
    assert done.returncode == 0 and (tmp_path / "file").exists()
    assert b"Traceback" not in done.stderr and b"Broken" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_results_that_a_full_disk_lost_are_an_error_after_the_work(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = work(tmp_path, full.fileno())
    assert done.returncode == 4 and (tmp_path / "file").exists()
    assert b"No space left" in done.stderr and b"Traceback" not in done.stderr


def test_letters_a_terminal_does_not_know_are_replaced(tmp_path: Path) -> None:
    done = work(tmp_path, subprocess.PIPE, PYTHONIOENCODING="latin-1")
    assert done.returncode == 0 and (tmp_path / "file").exists()
    assert done.stdout.splitlines()[0] == b"0 \\u2026 \xb2"


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes there")
def test_a_film_with_any_name_is_written_in_any_locale(tmp_path: Path) -> None:
    place = tmp_path / "ümlaut.webm"
    words = ["run_agent.py", "control", "--seconds", "0.2", "--video", str(place)]
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env={**os.environ, **plain}, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert place.stat().st_size > 1000


def test_a_name_that_is_no_utf_8_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
    monkeypatch.setattr(sys, "stdout", stream)
    PatientStream("stdout").write("film\udcff.webm")
    assert stream.buffer.getvalue() == b"film\\udcff.webm"  # type: ignore[attr-defined]
    assert lost_output() is None


@pytest.mark.parametrize("columns", [None, 200, 80, 30])
def test_a_table_keeps_every_figure_at_any_width(
    columns: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    is_terminal = columns is not None
    narrow = Console(file=shown, force_terminal=is_terminal, width=columns or 20, highlight=False)
    monkeypatch.setattr(console, "results", narrow)
    table = Table()
    for name in ("who", "held", "error"):
        table.add_column(name, no_wrap=True)
    table.add_row(*SHOWN)
    console.show_table(table)
    assert all(figure in shown.getvalue() for figure in SHOWN)
    console.show_facts("facts", {"a long name of a fact": "12.5 (11.0 to 14.0)"})
    assert "…" not in shown.getvalue()


def test_a_name_with_colons_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Not as a picture of what it names."""
    console.note("unknown task for bot.py:Robot: expected one")
    console.show_facts("about :car:", {"bot.py:Robot:": ":pick:"})
    said = capsys.readouterr()
    assert "bot.py:Robot: expected" in said.err
    assert all(word in said.out for word in ("about :car:", "bot.py:Robot:", ":pick:"))
