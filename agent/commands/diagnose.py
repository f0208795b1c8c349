"""``diagnose``: do some rollouts, and a model, meet the conditions of the theory?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from rich.markup import escape
from tyro.conf import arg

from agent.commands.console import say, show_rows
from agent.commands.idle_flags import refuse_idle
from agent.commands.parsing import line_of
from agent.commands.places import require_file_place
from agent.commands.progress import progress
from agent.commands.values import Seed, optional
from agent.errors import UserError
from agent.evaluation.provenance import circumstances
from agent.files.bundle import bundle_sha256
from agent.model.shipped import find_checkpoint

if TYPE_CHECKING:
    from agent.diagnosis import Diagnosis, Trajectories
    from agent.diagnosis.shapes import Shapes
    from agent.diagnosis.subjects import Embedded

DEFAULT_STRIDE = 2  # env steps, as the shipped model's
COLOURS = {"holds": "green", "roughly": "yellow", "fails": "red", "unclear": "cyan"}


@dataclass(frozen=True)
class Diagnose:
    """Ask of recorded rollouts, and of a model, what LeJEPA's theory asks of the world.

    Is what moves Gaussian, stationary, with noise that adds, and of one speed? What goes round, and
    how many outputs does that ask for? Is the embedding white, how many of its directions are used,
    what does the theorem promise? Each line has a verdict and what to do about it. The world's own
    coordinates are diagnosed where they were recorded; with --checkpoint, so are the model's
    embeddings and its prediction errors.

    Examples:
      python run_agent.py diagnose --data data/reacher
      python run_agent.py diagnose --data data/reacher --checkpoint checkpoints/reacher
    """

    data: Annotated[Path, arg(metavar="DIR")]
    """The data set that collect made."""
    checkpoint: Annotated[Path | None, optional("DIR")] = None
    """A world model, or the run that made it."""
    out: Annotated[Path, arg(metavar="FILE")] = Path("runs/diagnosis.html")
    """The page to write, with every figure inside."""
    json: Annotated[Path | None, optional("FILE", "only the page")] = None
    """Where to write the verdicts for programs."""
    episodes: int = 400
    """Episodes to look at, at most, spread over the data set."""
    stride: Annotated[int | None, optional("INT", "the model's step, else 2")] = None
    """Env steps between rows of the state."""
    rates: bool = False
    """Diagnose the whole state and not only what a goal is about. One picture shows no rates."""
    seed: Seed = 0
    """Which frames are sampled, and the draws behind the p-values."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return f"Data and model were only read; {self.out} has not been written."

    def run(self) -> None:
        """Diagnose, write the page, print the verdicts."""
        from agent.diagnosis.page import CAUTION, write_diagnosis, write_record

        require_file_place(self.out, "--out", suffixes=(".html",))
        require_file_place(self.json, "--json", ".json")
        sources = {"data": str(self.data)}
        if self.checkpoint is not None:
            sources["checkpoint"] = str(self.checkpoint)
        found = self._diagnoses()
        if self.json is not None:
            write_record(self.json, found, self._about())
        page = write_diagnosis(self.out, found, sources)
        for one in found:
            show(one)
        say(f"These are the theory's conditions. {CAUTION}")
        say(f"wrote {page}" + ("" if self.json is None else f" and {self.json}"))

    def _about(self) -> dict[str, Any]:
        """What the file says of where it comes from."""
        from agent.data import RolloutStore

        place = None if self.checkpoint is None else find_checkpoint(self.checkpoint)
        return {
            "data": RolloutStore.open(self.data).header.to_json(),
            "checkpoint_sha256": None if place is None else bundle_sha256(place),
            "command": line_of(replace(self, out=Diagnose.out, json=None)),
            **circumstances(),
        }

    def _diagnoses(self) -> list[Diagnosis]:
        from agent.data import RolloutStore
        from agent.diagnosis.subjects import (
            embeddings,
            spread_episodes,
            world_states,
        )
        from agent.model.checkpoint import load_checkpoint

        place = None if self.checkpoint is None else find_checkpoint(self.checkpoint)
        model = None if place is None else load_checkpoint(place)
        store = RolloutStore.open(self.data)
        ids = spread_episodes(store, self.episodes)
        stride = self.stride
        if stride is None:
            stride = DEFAULT_STRIDE if model is None else model.config.action_block
        states = world_states(store, ids, stride, self.rates)
        found = [] if states is None else [_diagnosed(states, self.seed)]
        if states is None and model is None:
            raise UserError(f"{self.data} has no states: name a model with --checkpoint")
        if states is None:
            refuse_idle(self, ("stride", "rates"), f"where no state is recorded, as in {self.data}")
        if model is not None:
            with progress("embedding episodes") as update:
                embedded = embeddings(model, store, ids, update)
            world = found[0].shapes if found else None
            found.append(_diagnosed(embedded.trajectories, self.seed, embedded, world))
        return found


def _diagnosed(
    data: Trajectories,
    seed: int,
    of_model: Embedded | None = None,
    world: Shapes | None = None,
) -> Diagnosis:
    from agent.diagnosis import CHECKS, diagnose

    with progress(f"checking {data.name}") as update:
        return diagnose(data, seed, of_model, world, partial(update, total=CHECKS))


def show(found: Diagnosis) -> None:
    """Print the verdicts as a table, then what to do about those that are not good."""
    rows = [
        (escape(f.question), f"[{COLOURS[f.level]}]{f.level}[/]", escape(f.effect), f.p_text)
        for f in found.findings
    ]
    show_rows(("question", "verdict", "effect", "p"), rows, found.about, ("question", "effect"))
    for line in found.findings:
        if line.level != "holds":
            say(f"{line.question} {line.means} -> {line.advice}")
    say("")
