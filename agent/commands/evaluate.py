"""``evaluate``: measure how well a controller does, with intervals and floors."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import arg

from agent.commands.checkpoints import SHIPPED, origin_of_checkpoint
from agent.commands.controllers import (
    DEFAULT_PLANNER,
    Acting,
    ControllerName,
    PlannerName,
    checkpoint_for,
    make_controller,
)

if TYPE_CHECKING:
    from agent.commands.progress import Update

FLOORS = ("random", "noop")


@dataclass(frozen=True)
class Evaluate:
    """Measure how well a controller reaches goals it has never seen.

    Protocols: lewm, the published one (goal 1 s away, 2 s to get there); anywhere, any pose to
    any pose in 4 s; swift, as lewm at 2.6 rad/s; dmc-easy and dmc-hard, dm_control's own 20 s
    episodes and reward, the goal being a pose that reaches the target. Counted are first touch
    (within 0.05 rad at any time) and held (within it for the whole last 0.4 s), with 95 %
    intervals, beside a random and an idle controller.
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
    """lewm, anywhere, swift, dmc-easy, dmc-hard; or a variant such as lewm-t75-b2t-rest."""
    planner: PlannerName = DEFAULT_PLANNER
    """How world-model searches torques; oracle always uses gauss-newton."""
    episodes: int = 50
    """How many; 300 give an interval of a few percent."""
    seed: int = 0
    """Decides starts and goals; recorded rollouts never share them."""
    render_profile: Literal["fast", "dmc"] = "fast"
    """How frames are drawn; must be what the model was trained on."""
    batch: int = 25
    """Episodes played together; changes the time it takes, the result by rounding alone."""
    threads: int = 1
    """Threads of torch; the time of a decision is meant for one."""
    tick_ms: Annotated[
        float | None, arg(metavar="MS", help_behavior_hint="(default: as long as it needs)")
    ] = None
    """Time a decision may take: then the best plan so far is used. Plays one episode at a time."""
    delay_ticks: int = 0
    """Torques act this many ticks of 0.04 s late; world-model knows, and plans for it."""
    no_floors: bool = False
    """Leave out the random and the idle controller."""
    json: Annotated[
        Path | None, arg(metavar="FILE", help_behavior_hint="(default: only the table)")
    ] = None
    """Where to write the result, episode by episode."""

    @property
    def acting(self) -> Acting:
        """How the controller under test acts."""
        return Acting(self.planner, self.tick_ms, self.delay_ticks)

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return "No result was written; run the same command again to start anew."

    def run(self) -> None:
        """Play the episodes, print the table, write the file."""
        import torch

        from agent.commands.console import say
        from agent.commands.controllers import require_planning
        from agent.commands.places import require_file_place
        from agent.commands.scores import show_scores
        from agent.data.json_files import write_json
        from agent.errors import UserError
        from agent.evaluation.protocols import protocol_named

        protocol_named(self.protocol)  # a mistyped one is refused before anything is loaded
        if self.threads < 1:
            raise UserError(f"expected --threads of at least 1, got {self.threads}")
        require_file_place(self.json, "--json")
        require_planning(self.controller, self.planner)
        torch.set_num_threads(self.threads)
        result = self._measure(self.controller)
        floors = [] if self.no_floors else [name for name in FLOORS if name != self.controller]
        beside = [self._measure(name) for name in floors]
        show_scores(f"{self.protocol}, {self.episodes} episodes", [result, *beside])
        if "deadline" in result:
            kept = result["deadline"]
            say(f"deadlines of {kept['tick_ms']:g} ms missed: {kept['missed']} of {kept['ticks']}")
        if self.json is not None:
            result["floors"] = {other["controller"]: _without_episodes(other) for other in beside}
            write_json(self.json, result)
            say(f"wrote {self.json}")

    def _measure(self, name: ControllerName) -> dict[str, Any]:
        from agent.commands.progress import progress

        checkpoint = checkpoint_for(name, self.checkpoint if name == self.controller else None)
        job = Measurement(
            name, checkpoint, self.protocol, self.episodes, self.seed,
            self.render_profile, self.batch, self.acting,
        )  # fmt: skip
        with progress(f"{name}, episodes") as update:
            return job.run(update)


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
    acting: Acting = field(default_factory=Acting)

    @property
    def command(self) -> str:
        """The command that measures the same."""
        flags = f"--controller {self.controller} --protocol {self.protocol}"
        learned = f" --checkpoint {self.checkpoint}" if self.checkpoint else ""
        count = f"--episodes {self.episodes} --seed {self.seed}"
        plain = Measurement(self.controller, None, self.protocol, self.episodes, self.seed)
        chosen = {**self._how(), **asdict(self.acting)}
        usual = {**plain._how(), **asdict(plain.acting)}
        how = "".join(
            f" --{name.replace('_', '-')} {value}"
            for name, value in chosen.items()
            if value != usual[name]
        )
        return f"python run_agent.py evaluate {flags}{learned} {count}{how}"

    def _how(self) -> dict[str, Any]:
        return {"render_profile": self.render_profile, "batch": self.batch}

    def run(self, update: Update) -> dict[str, Any]:
        """Play the episodes; the result with the fields of ``agent.evaluation.results``."""
        from agent.evaluation.definition import fingerprint
        from agent.evaluation.episodes import evaluate
        from agent.evaluation.protocols import protocol_named
        from agent.evaluation.results import summarise

        protocol = protocol_named(self.protocol)
        controller = make_controller(self.controller, self.checkpoint, self.acting)
        alone = self.acting.tick_ms is not None  # a deadline means nothing in company
        start_s = time.monotonic()
        results = evaluate(
            controller, protocol, self.episodes, self.seed,
            render_profile=self.render_profile, batch=1 if alone else self.batch,
            timed_episodes=self.episodes if alone else 2, progress=update,
        )  # fmt: skip
        result = summarise(
            results,
            controller=self.controller,
            protocol=protocol.name,
            seed=self.seed,
            checkpoint_sha256=_sha256(self.checkpoint),
            command=self.command,
            wall_clock_s=round(time.monotonic() - start_s, 2),
            origin=origin_of_checkpoint(self.checkpoint) if self.checkpoint else None,
            definition=fingerprint(protocol),
        )
        watch = getattr(controller, "watch", None)
        if alone and watch is not None:
            result["deadline"] = {
                "tick_ms": watch.tick_ms, "ticks": watch.ticks, "missed": watch.missed,
            }  # fmt: skip
        return result


def _sha256(checkpoint: Path | None) -> str | None:
    from agent.model.bundle import bundle_sha256

    return bundle_sha256(checkpoint) if checkpoint else None


def _without_episodes(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "per_episode"}
