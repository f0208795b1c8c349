"""What the tests of this room share outside fixtures."""

import sys
from pathlib import Path

import agent.data  # noqa: F401  (loads the module named below)

COLLECT = sys.modules["agent.data.collect"]  # the module: agent.data.collect is the function
SETTINGS = {"episodes": 6, "episode_steps": 20, "episodes_per_shard": 2, "seed": 3}
WORLDS = Path(__file__).with_name("box_world.py")
BOX = {"world": f"{WORLDS}:EndlessBox", "image_size": 16, **SETTINGS}
