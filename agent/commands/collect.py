"""``collect``: record rollouts of a world."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from agent.commands.console import note, say
from agent.commands.places import run_beside
from agent.commands.progress import duration, progress
from agent.commands.values import Cluster, Parallel, Seed, optional
from agent.commands.worlds_asked import DEFAULT_WORLD, USUAL_BEHAVIOUR

if TYPE_CHECKING:
    from agent.data import RolloutStore

_LONG = 50  # frames; what is shorter is compared with what training takes


@dataclass(frozen=True)
class Collect:
    """Record rollouts of a world: frames, actions, and the true state where there is one.

    The world is moved at random, from random starts. Rollouts are written in checked files, one
    after the other; an interrupted collection continues when the same command is run again, and
    asking for more episodes later extends the data set. The same seed gives the same bytes,
    whatever the number of workers.

    Examples:
      python run_agent.py collect --out data/reacher
      python run_agent.py collect --world two-room --behaviour walk --out data/rooms
      python run_agent.py collect --world dmc:cartpole-swingup --out data/pole
      python run_agent.py collect --world ./my.py:World --behaviour ./my.py:wave --out data/my
    """

    out: Annotated[Path, arg(metavar="DIR")]
    """Directory of the data set; made if missing, continued if interrupted before."""
    world: Annotated[str, arg(metavar="NAME")] = DEFAULT_WORLD
    """Which world: one that `worlds` lists, dmc:DOMAIN-TASK, gym:ID or FILE.py:CLASS."""
    look: Annotated[str, optional("NAME", "the world's")] = ""
    """How frames are drawn, where the world has a choice."""
    image_size: Annotated[int | None, optional("INT", "the world's")] = None
    """Side of a frame in pixels."""
    episodes: int = 300
    """How many episodes in all."""
    episode_steps: int = 200
    """Length of an episode in env steps; it is shorter where the world ends it."""
    behaviour: Annotated[str, arg(metavar="NAME")] = USUAL_BEHAVIOUR
    """How the world is moved: restless, by actions that drift, weak or strong, another way every 25
    steps; ou, one way an episode; uniform, each drawn anew; swift, strong ones that drift; what a
    world has of its own; FILE.py:NAME; or the directory of a checkpoint, which then steers to goals
    it has seen."""
    workers: Annotated[Parallel | None, optional("INT", "every core")] = None
    """Processes at work. Changes the time it takes, never the data."""
    cluster: Cluster = ""
    """Where they run: on the Ray cluster at HOST:PORT, or `local`, one that is started here."""
    seed: Seed = 0
    """Everything random follows from it."""
    episodes_per_shard: int = 10
    """Episodes in one file, which is what a crash can cost."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return f"Every finished file in {self.out} is kept; run the same command again to continue."

    def run(self) -> None:
        """Collect what is missing, and say what there is."""
        from agent.commands.behaving import find_behaviour
        from agent.data import CollectConfig, collect

        start_s = time.monotonic()
        config = CollectConfig(**vars(self), find_behaviour=find_behaviour)
        with progress("collecting episodes") as update:
            store = collect(config, update)
        say(
            f"{self.out}: {store.episode_count} episodes, {store.row_count} frames, "
            f"{sum(record.size_bytes for record in store.records) / 1e6:.0f} MB "
            f"(took {duration(time.monotonic() - start_s)})"
        )
        if why := _unfit(store):
            note(f"nothing can be learned from these recordings yet: {why}", style="yellow")
            return
        words = ["--data", str(self.out), "--out", str(run_beside(self.out))]
        say(f"next: python run_agent.py train {shlex.join(words)}")


def _unfit(store: RolloutStore) -> str:
    """Why a default training would refuse the data set, in words; nothing if it would not."""
    import numpy as np

    from agent.data.motion import require_motion
    from agent.errors import UnfitError

    if store.episode_count < 2:
        return "training holds an episode out, and so takes two or more; collect more into it"
    longest = int(store.lengths().max())
    if longest < _LONG and longest < (needed := _needed_frames()):
        return f"training takes episodes of {needed} frames or more, these have at most {longest}"
    try:  # a few frames are read, from the disk
        require_motion(store.load(0), np.arange(store.episode_count), store.directory)
    except UnfitError as error:
        return str(error)
    return ""


def _needed_frames() -> int:
    from agent.config import default

    usual = default()
    return usual.training.longest_window(usual.model.action_block)
