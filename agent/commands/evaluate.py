"""``evaluate``: measure how well a controller does, with intervals and floors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from agent.commands.checkpoints import holdout_of_checkpoint, saying_which
from agent.commands.console import say, show_facts
from agent.commands.controllers import (
    CONTROLLERS,
    DEFAULT_PLANNER,
    GUARDED,
    NETWORKS,
    Acting,
    checkpoint_for,
)
from agent.commands.idle_flags import refuse_idle
from agent.commands.measurement import Measurement
from agent.commands.own_code import require_known
from agent.commands.places import require_file_place
from agent.commands.progress import progress
from agent.commands.values import Cluster, Count, Parallel, Seed, optional
from agent.commands.worlds_asked import WorldAsked, world_asked
from agent.errors import UserError
from agent.files.json_files import write_json

FLOORS = ("random", "noop")
_OF_A_WORLD = (
    "world", "look", "protocol", "planner", "episodes", "batch", "tick_ms", "delay_ticks",
    "no_guard", "no_floors", "device", "workers", "cluster",
)  # fmt: skip


@dataclass(frozen=True)
class Evaluate:
    """Measure how well a controller reaches goals it has never seen.

    Protocols of any world: hindsight, LeWorldModel's rule (start in a recorded moment, the goal is
    the picture 25 steps later, 50 steps to get there), with variants such as hindsight-t100-b150;
    anywhere, from any state to any other, for worlds that can be posed. A world may have its own;
    Reacher's are lewm, anywhere, swift, dmc-easy, dmc-hard and variants such as lewm-t75-b2t-rest.
    Counted are first touch (within tolerance at any time) and held (within it for the whole last
    0.4 s), with 95 % intervals, beside a random and an idle controller.

    With --data, recordings are enough and no world is needed: how well the model of --checkpoint
    predicts held-out episodes, and how near its plans are to what was done.

    Examples:
      python run_agent.py evaluate --protocol lewm --episodes 50
      python run_agent.py evaluate --checkpoint runs/two-room --protocol hindsight-t100-b150
      python run_agent.py evaluate --world two-room --controller ./mine.py:Mine
      python run_agent.py evaluate --checkpoint runs/kitchen --data data/kitchen
    """

    controller: Annotated[str, arg(metavar="NAME")] = "world-model"
    """Who acts: world-model, direct, sac, td3, ppo, clone, inverse-dynamics, random, noop, and more
    that one world has; or FILE.py:NAME, called with the world's spec, and the checkpoint if one is
    named."""
    checkpoint: Annotated[Path | None, optional("DIR", "the shipped one")] = None
    """What it learned: a directory that train or baseline wrote."""
    world: Annotated[str | None, optional("NAME", "the checkpoint's")] = None
    """Which world; `worlds` lists them."""
    look: Annotated[str, optional("NAME", "the checkpoint's")] = ""
    """How frames are drawn; must be what the model was trained on."""
    protocol: Annotated[str | None, optional("NAME", "the world's first")] = None
    """What is asked."""
    data: Annotated[Path | None, optional("DIR")] = None
    """Recordings to evaluate on, without a world."""
    planner: Annotated[str, arg(metavar="NAME")] = DEFAULT_PLANNER
    """How world-model searches actions: gauss-newton, cem, icem, mppi, gradient, random-shooting,
    or FILE.py:NAME, a planner of your own."""
    episodes: Count = 50
    """How many; 300 give an interval of a few percent."""
    seed: Seed = 0
    """Decides starts and goals; recorded rollouts never share them."""
    batch: Count = 25
    """Episodes played together; changes the time it takes, the result by rounding alone."""
    threads: Parallel = 1
    """Threads of torch; the time of a decision is meant for one."""
    workers: Annotated[Parallel | None, optional("INT", "1; every core of a --cluster")] = None
    """Processes that share the episodes; changes the time it takes."""
    cluster: Cluster = ""
    """Where they run: on the Ray cluster at HOST:PORT, or `local`, one that is started here."""
    tick_ms: Annotated[float | None, optional("MS", "as long as it needs")] = None
    """Time a decision may take: then the best plan so far is used. Plays one episode at a time."""
    delay_ticks: int = 0
    """Actions act this many ticks late; world-model plans for it, direct acts on what it
    foresees."""
    no_guard: bool = False
    """Act on anything, where it usually holds while the pictures cannot be acted on, as control."""
    device: str = "cpu"
    """Where the network computes: cpu or cuda, which pays for large batches."""
    no_floors: bool = False
    """Leave out the random and the idle controller."""
    json: Annotated[Path | None, optional("FILE", "only the table")] = None
    """Where to write the result, episode by episode."""

    after_interrupt = "No result was written; run the same command again to start anew."

    def run(self) -> None:
        """Play the episodes, write the file, print the table."""
        import torch

        from agent.cluster import one_cluster
        from agent.commands.scores import show_scores

        self._check()
        torch.set_num_threads(self.threads)
        if self.data is not None:
            self._run_offline(self.data)
            return
        checkpoint = checkpoint_for(self.controller, self.checkpoint)
        world = world_asked(self.world, self.look, checkpoint)
        floors = [] if self.no_floors else [name for name in FLOORS if name != self.controller]
        named = self.checkpoint is not None or checkpoint is None
        with one_cluster(self.cluster, self.workers), saying_which(named):
            result = self._measure(self.controller, checkpoint, world)
            beside = [self._measure(name, None, world) for name in floors]
        if self.json is not None:
            result["floors"] = {other["controller"]: _without_episodes(other) for other in beside}
            write_json(self.json, result)
        show_scores([self._with_planner(result), *beside])
        if result["ended_early"]:
            say(
                f"the world ended {result['ended_early']} of {self.episodes} episodes before their "
                "time; each is judged on what there was of it"
            )
        if "deadline" in result:
            kept = result["deadline"]
            say(f"deadlines of {kept['tick_ms']:g} ms missed: {kept['missed']} of {kept['ticks']}")
        if self.json is not None:
            say(f"wrote {self.json}")
        if result["first_touch"]["rate"] is None:
            raise UserError(
                f"no rate was measured: each of {self.episodes} episodes began within tolerance of "
                "its goal. Ask for another --protocol, or for finer goals by --world "
                "NAME@COLUMN=NUMBER"
            )

    def _with_planner(self, result: dict[str, Any]) -> dict[str, Any]:
        """As it is shown: two of them side by side must be told apart."""
        if self.planner == DEFAULT_PLANNER:
            return result
        return {**result, "controller": f"{result['controller']} ({self.planner})"}

    def _check(self) -> None:
        require_known("controller", self.controller, CONTROLLERS)
        if self.controller != "world-model":
            refuse_idle(self, ("planner",), f"with {self.controller}, which has no choice of them")
        if self.controller not in GUARDED:
            refuse_idle(self, ("no_guard",), f"with {self.controller}, which has no such guard")
        if self.controller not in NETWORKS:
            refuse_idle(self, ("device",), f"with {self.controller}, which computes on the CPU")
        if self.data is not None:
            refuse_idle(self, _OF_A_WORLD, "with --data, which needs no world")
        if self.tick_ms is not None:
            alone = ("batch", "workers", "cluster")
            refuse_idle(self, alone, "with --tick-ms, which plays one episode at a time, alone")
        require_file_place(self.json, "--json", ".json")

    def _run_offline(self, data: Path) -> None:
        from agent.evaluation.offline import evaluate_offline
        from agent.model.checkpoint import load_checkpoint

        checkpoint = checkpoint_for(self.controller, self.checkpoint)
        if checkpoint is None or self.controller != "world-model":
            raise UserError(f"expected world-model with --data, got {self.controller}")
        share = holdout_of_checkpoint(checkpoint)
        found = evaluate_offline(load_checkpoint(checkpoint), data, self.seed, share)
        if self.json is not None:
            write_json(self.json, found.to_json())
        show_facts(f"{checkpoint} on held-out recordings of {data}", found.facts())
        if self.json is not None:
            say(f"wrote {self.json}")

    def _measure(self, name: str, checkpoint: Path | None, world: WorldAsked) -> dict[str, Any]:
        given = (self.planner, self.tick_ms, self.delay_ticks, not self.no_guard, self.device)
        floor = Acting(tick_ms=self.tick_ms, delay_ticks=self.delay_ticks)
        acting = Acting(*given) if name == self.controller else floor
        job = Measurement(
            name, checkpoint, world, self.protocol, self.episodes, self.seed, self.batch, acting,
            self.workers, self.cluster, self.threads,
        )  # fmt: skip
        with progress(f"{name}, episodes") as update:
            return job.run(update)


def _without_episodes(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "per_episode"}
