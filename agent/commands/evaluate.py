"""``evaluate``: measure how well a controller does, with intervals and floors."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import arg

from agent.commands.checkpoints import SHIPPED, find_checkpoint

if TYPE_CHECKING:
    from agent.commands.progress import Update
    from agent.interfaces import Controller

ControllerName = Literal["world-model", "sac", "random", "noop", "oracle", "computed-torque"]
FLOORS: tuple[ControllerName, ...] = ("random", "noop")


@dataclass(frozen=True)
class Evaluate:
    """Measure how well a controller reaches goals it has never seen.

    Protocols: lewm, the published one (goal 1 s away, 2 s to get there); anywhere, any pose to
    any pose in 4 s. Counted are first touch (within 0.05 rad at any time) and held (within it
    for the whole last 0.4 s), with 95 % intervals, beside a random and an idle controller.
    Controllers: world-model and sac are learned; oracle plans with the true simulator and
    computed-torque knows the true masses, so they show what is possible.

    Examples:
      python run_agent.py evaluate --controller world-model --protocol lewm --episodes 50
      python run_agent.py evaluate --controller sac --checkpoint runs/sac --protocol anywhere
    """

    controller: ControllerName = "world-model"
    """Who acts."""
    checkpoint: Annotated[
        Path | None, arg(metavar="DIR", help_behavior_hint=f"(default: {SHIPPED} for world-model)")
    ] = None
    """What it learned: a directory that train or baseline wrote."""
    protocol: Annotated[str, arg(metavar="NAME")] = "lewm"
    """lewm or anywhere; also lewm-rest, swift, or a variant such as lewm-t75-b2t-rest."""
    planner: Literal["gauss-newton", "cem", "icem", "mppi"] = "gauss-newton"
    """How world-model searches torques; oracle always uses gauss-newton."""
    episodes: int = 50
    """How many; 300 give an interval of a few percent."""
    seed: int = 0
    """Decides starts and goals; recorded rollouts never share them."""
    render_profile: Literal["fast", "dmc"] = "fast"
    """How frames are drawn; must be what the model was trained on."""
    batch: int = 25
    """Episodes played together; changes the time it takes, never the result."""
    threads: int = 1
    """Threads of torch; the time of a decision is meant for one."""
    no_floors: bool = False
    """Leave out the random and the idle controller."""
    json: Annotated[
        Path | None, arg(metavar="FILE", help_behavior_hint="(default: only the table)")
    ] = None
    """Where to write the result, episode by episode."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return "No result was written; run the same command again to start anew."

    def run(self) -> None:
        """Play the episodes, print the table, write the file."""
        import torch

        from agent.commands.console import say
        from agent.commands.scores import show_scores
        from agent.errors import UserError
        from agent.evaluation.protocols import protocol_named
        from agent.evaluation.results import write_result

        protocol_named(self.protocol)  # a mistyped one is refused before anything is loaded
        if self.threads < 1:
            raise UserError(f"expected --threads of at least 1, got {self.threads}")
        torch.set_num_threads(self.threads)
        result = self._measure(self.controller)
        floors = [] if self.no_floors else [name for name in FLOORS if name != self.controller]
        beside = [self._measure(name) for name in floors]
        show_scores(f"{self.protocol}, {self.episodes} episodes", [result, *beside])
        if self.json is not None:
            result["floors"] = {other["controller"]: _without_episodes(other) for other in beside}
            write_result(self.json, result)
            say(f"wrote {self.json}")

    def _measure(self, name: ControllerName) -> dict[str, Any]:
        from agent.commands.progress import progress

        job = Measurement(
            name, self._checkpoint(name), self.protocol, self.episodes, self.seed,
            self.render_profile, self.batch, self.planner,
        )  # fmt: skip
        with progress(f"{name}, episodes") as update:
            return job.run(update)

    def _checkpoint(self, name: ControllerName) -> Path | None:
        from agent.errors import UserError

        if name == "world-model":
            return find_checkpoint(self.checkpoint or SHIPPED)
        if name == "sac":
            if self.checkpoint is None:
                raise UserError("expected --checkpoint for sac: the directory baseline wrote")
            return find_checkpoint(self.checkpoint)
        if name == self.controller and self.checkpoint is not None:
            raise UserError(f"{name} learns nothing: leave --checkpoint away")
        return None


@dataclass(frozen=True)
class Measurement:
    """One controller on one protocol; ``checkpoint`` for those that learned."""

    controller: ControllerName
    checkpoint: Path | None
    protocol: str
    episodes: int
    seed: int
    render_profile: str = "fast"
    batch: int = 25
    planner: str = "gauss-newton"

    @property
    def command(self) -> str:
        """The command that measures the same."""
        flags = f"--controller {self.controller} --protocol {self.protocol}"
        learned = f" --checkpoint {self.checkpoint}" if self.checkpoint else ""
        count = f"--episodes {self.episodes} --seed {self.seed}"
        planned = "" if self.planner == "gauss-newton" else f" --planner {self.planner}"
        return f"python run_agent.py evaluate {flags}{learned} {count}{planned}"

    def run(self, update: Update) -> dict[str, Any]:
        """Play the episodes; the result with the fields of ``agent.evaluation.results``."""
        from agent.evaluation.episodes import evaluate
        from agent.evaluation.protocols import protocol_named
        from agent.evaluation.results import summarise

        protocol = protocol_named(self.protocol)
        controller = make_controller(self.controller, self.checkpoint, self.planner)
        start_s = time.monotonic()
        results = evaluate(
            controller, protocol, self.episodes, self.seed,
            render_profile=self.render_profile, batch=self.batch, progress=update,
        )  # fmt: skip
        return summarise(
            results,
            controller=self.controller,
            protocol=protocol.name,
            seed=self.seed,
            checkpoint_sha256=_sha256(self.checkpoint),
            command=self.command,
            wall_clock_s=round(time.monotonic() - start_s, 2),
        )


def make_controller(
    name: ControllerName, checkpoint: Path | None, planner: str = "gauss-newton"
) -> Controller:
    """The controller of that name; what ``checkpoint`` holds if it needs one."""
    if name == "world-model":
        from agent.control.mpc import WorldModelController
        from agent.model.checkpoint import load_checkpoint
        from planners import PLANNERS

        return WorldModelController(load_checkpoint(_given(checkpoint)), PLANNERS[planner]())
    if name == "sac":
        from agent.baselines.sac import SacController

        return SacController.load(_given(checkpoint))
    if name == "oracle":
        from agent.baselines.oracle import OracleController

        return OracleController()
    if name == "computed-torque":
        from agent.baselines.computed_torque import ComputedTorqueController

        return ComputedTorqueController()
    from agent.baselines.constant import NoOpController, RandomController

    return RandomController() if name == "random" else NoOpController()


def _given(checkpoint: Path | None) -> Path:
    assert checkpoint is not None
    return checkpoint


def _sha256(checkpoint: Path | None) -> str | None:
    from agent.model.bundle import bundle_sha256

    return bundle_sha256(checkpoint) if checkpoint else None


def _without_episodes(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "per_episode"}
