"""For every test, and the programs it starts: one thread, and a temporary directory left empty.

Set before torch is imported, because OpenMP reads it once; two threads on a busy machine make
tests slower, not faster.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["OMP_NUM_THREADS"] = "1"

KEPT_FOR_LATER = ("torchinductor_", "pymp-")  # a user's cache; removed when the process ends
LONGEST = (
    "test_demo.py", "test_documentation.py", "test_in_a_browser.py", "test_ranks.py",
    "test_faults.py", "test_pages.py", "test_pipeline.py", "test_random_calls.py", "test_ray.py",
    "test_runner.py", "test_reinforcement.py", "test_resume.py",
)  # fmt: skip
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ  # works in the directory of the one it serves

if not IS_WORKER:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())  # for ``tmp_path``
    os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="lejepa-agent-tests-")
tempfile.tempdir = os.environ["TMPDIR"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: one that is begun last keeps one core waiting for the other."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_sessionstart() -> None:
    """Answer Ctrl-C, also where the shell started the tests with interrupts ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Fail if anything is left in the temporary directory when every worker has ended."""
    yield
    if IS_WORKER:
        return
    place = Path(os.environ["TMPDIR"])
    left = sorted(p.name for p in place.iterdir() if not p.name.startswith(KEPT_FOR_LATER))
    shutil.rmtree(place)
    if left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"\nERROR: the tests left {len(left)} in the temporary directory: {left[:20]}")
