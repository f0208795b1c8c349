"""The suite fails if its tests leave anything in the temporary directory, alone or in parallel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import tempfile
from pathlib import Path
def test_one(tmp_path): assert tmp_path.exists()
def test_another(): {body}
"""
CLEAN = "tempfile.TemporaryDirectory().cleanup()"
LITTER = 'tempfile.mkdtemp(prefix="SB3-")'


@pytest.mark.parametrize(
    ("workers", "body", "code"), [(0, LITTER, 1), (2, LITTER, 1), (2, CLEAN, 0)]
)
def test_what_is_left_fails_the_suite(tmp_path: Path, workers: int, body: str, code: int) -> None:
    conftest = Path(__file__).with_name("conftest.py").read_text()
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_it.py").write_text(TESTS.format(body=body))
    (tmp_path / "temporary").mkdir()
    ours = ("PYTEST_", "TMPDIR")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"--numprocesses={workers}", "-p", "no:cacheprovider"],
        cwd=tmp_path, env={**environment, "TMPDIR": str(tmp_path / "temporary")},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert ("'SB3-" in done.stdout) == bool(code)
    assert [path.name.split("-of-")[0] for path in (tmp_path / "temporary").iterdir()] == ["pytest"]
