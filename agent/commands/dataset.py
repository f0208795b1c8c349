"""``dataset inspect | verify | preview | frame``: look at recorded rollouts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from agent.commands.console import say, show_facts
from agent.commands.idle_flags import refuse_idle
from agent.commands.places import require_file_place


@dataclass(frozen=True)
class _Reads:
    """Commands that change nothing."""

    directory: Annotated[Positional[str], arg(metavar="DIR|URL")]
    """The data set."""

    after_interrupt = "The data set was only read; nothing has changed."


@dataclass(frozen=True)
class Inspect(_Reads):
    """Say what is in a data set: how much, how it was made, where the world has been.

    Pictures are not read, so this takes a moment whatever the size.

    Example:
      python run_agent.py dataset inspect data/reacher
    """

    def run(self) -> None:
        """Print the facts."""
        from agent.data import inspect_dataset

        show_facts("what is in it", inspect_dataset(self.directory))


@dataclass(frozen=True)
class Verify(_Reads):
    """Check every byte of a data set against its manifest, and that every file can be read.

    Damage ends in exit code 3 and a line for each bad file.

    Example:
      python run_agent.py dataset verify data/reacher
    """

    def run(self) -> None:
        """Check, and print what was checked."""
        from agent.data import verify_dataset

        show_facts("checked", verify_dataset(self.directory))
        say("intact")


@dataclass(frozen=True)
class Preview(_Reads):
    """Draw a few episodes of a data set: a sheet of frames, or a video.

    Examples:
      python run_agent.py dataset preview data/reacher
      python run_agent.py dataset preview data/reacher --out runs/rollouts.webm --episodes 4
    """

    out: Annotated[Path, arg(metavar="FILE")] = Path("runs/preview.png")
    """What to write: .png for a row of frames per episode, .webm, .mp4 or .gif for a film."""
    episodes: int = 6
    """How many episodes at most, spread over the data set."""
    frames: int = 10
    """Frames of each episode in a .png at most, spread over time."""

    def run(self) -> None:
        """Draw, and say where."""
        from agent.reporting.preview import DRAWINGS, preview_dataset

        if self.out.suffix != ".png":
            refuse_idle(self, ("frames",), "in a film, which shows every frame")
        require_file_place(self.out, "--out", suffixes=DRAWINGS)
        shown = preview_dataset(self.directory, self.out, self.episodes, self.frames)
        which = f"episodes {', '.join(map(str, shown))}"
        how = (
            "a row each, evenly from first frame to last" if self.out.suffix == ".png" else "a film"
        )
        say(f"wrote {self.out}: {which}, {how}")


@dataclass(frozen=True)
class Frame(_Reads):
    """Save one frame of a data set as a picture: a goal for control --goal-image, say.

    Examples:
      python run_agent.py dataset frame data/kitchen --episode 3 --frame -1 --out runs/goal.png
      python run_agent.py control --checkpoint runs/pole --goal-image runs/goal.png
    """

    out: Annotated[Path, arg(metavar="FILE.png")]
    """The picture."""
    episode: int = 0
    """Which episode."""
    frame: int = -1
    """Which of its frames; -1 is the last one."""

    def run(self) -> None:
        """Save it, and say where."""
        from agent.reporting.preview import save_frame

        require_file_place(self.out, "--out", ".png")
        say(f"wrote {save_frame(self.directory, self.out, self.episode, self.frame)}")
