"""For every test, and the programs it starts: one thread.

Set before torch is imported, because OpenMP reads it once; two threads on a busy machine make
tests slower, not faster.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"
