"""Peak memory is in megabytes, and never falls."""

import subprocess
import sys

import numpy as np

TAKE_200_MB = """
import numpy as np
from agent.machine.memory import peak_memory_mb
before = peak_memory_mb()
block = np.ones(200_000_000, np.uint8)
full = peak_memory_mb()
del block
print(before, full, peak_memory_mb())
"""


def test_a_child_does_not_inherit_what_its_parent_held() -> None:
    block = np.ones(400_000_000, np.uint8)
    words = "from agent.machine.memory import peak_memory_mb; print(peak_memory_mb())"
    run = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 300 < block.nbytes / 1e6


def test_what_was_needed_once_stays_the_peak() -> None:
    run = subprocess.run(
        [sys.executable, "-c", TAKE_200_MB], capture_output=True, text=True, check=True
    )
    before, full, after = map(float, run.stdout.split())
    assert 150 < full - before < 250  # some of what importing took is free again
    assert after > full - 5  # the kernel counts in batches
