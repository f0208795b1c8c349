"""``baseline``: train a rival the world model is compared with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import arg

from agent.commands.console import say
from agent.commands.idle_flags import refuse_idle
from agent.commands.parsing import line_of
from agent.commands.progress import Update, duration, follow
from agent.commands.values import Seed, optional
from agent.commands.worlds_asked import DEFAULT_WORLD
from agent.errors import UserError
from agent.files.bundle import CHECKPOINT, STATE, has_bundle

if TYPE_CHECKING:
    from agent.rivals.cloning_training import CloningStatistics
    from agent.rivals.reinforcement import RLStatistics, Training

FROM_ROLLOUTS = ("inverse-dynamics", "clone")


@dataclass(frozen=True)
class Baseline:
    """Train a rival of the world model: on the true state, or on the same frames without a model.

    Reinforcement learning sees what the world model never does: the true state, of the world and
    of the goal. sac, td3 (both with hindsight goals) and ppo learn to reach goals in any --world
    whose state says when one is reached; sac-dmc and td3-dmc learn dm_control's own reward, one
    --task each. An env step is a control tick; published figures for dm_control often count physics
    steps. Writes into --out: checkpoint/ (for evaluate --controller), checkpoints/ (one for each
    point of the learning curve), metrics.jsonl, and training_state/ for --resume.

    clone and inverse-dynamics see what the world model sees: the frames and actions in --data.
    They learn which action leads to a later frame, up to 50 or 8 ticks later.

    Examples:
      python run_agent.py baseline --out runs/sac
      python run_agent.py baseline --algorithm clone --data data/mine --out runs/clone
      python run_agent.py baseline --algorithm sac-dmc --task hard --out runs/sac-dmc-hard
    """

    out: Annotated[Path, arg(metavar="DIR")]
    """Directory of the run; one that holds a run is refused, unless to --resume it."""
    algorithm: Literal["sac", "td3", "ppo", "sac-dmc", "td3-dmc", "inverse-dynamics", "clone"] = (
        "sac"
    )
    """Which one; all but inverse-dynamics and clone by Stable-Baselines3."""
    world: Annotated[str | None, optional("NAME", DEFAULT_WORLD)] = None
    """The world to learn in; clone and inverse-dynamics take theirs from --data."""
    data: Annotated[Path | None, optional("DIR")] = None
    """The data set that collect made, for inverse-dynamics and clone."""
    steps: Annotated[int | None, optional("INT", "4000")] = None
    """Gradient steps of inverse-dynamics and clone."""
    task: Annotated[Literal["easy", "hard"] | None, optional("{easy,hard}")] = None
    """Of dm_control, for sac-dmc and td3-dmc: the size of the target."""
    env_steps: Annotated[int | None, optional("INT", "30400; ppo 1000000, dmc 300000")] = None
    """Env steps to learn from: whole episodes of all environments at once, eight of them."""
    resume: bool = False
    """Continue the training in --out; --env-steps may be larger than before."""
    seed: Seed = 0
    """Everything random follows from it."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        if self.data is not None and (self.out / CHECKPOINT).exists():
            return "What was learned is in --out; it cannot be resumed, only begun anew elsewhere."
        if (self.out / "training_state").exists():
            return "The same command with --resume continues from the last state, seconds ago."
        return "Nothing was learned yet: the same command starts anew."

    def run(self) -> None:
        """Train to the end, and say where the result is."""
        from agent.commands.checkpoints import world_of_checkpoint
        from agent.commands.evaluate import Evaluate
        from agent.model.description import OWN_WORLD, world_to_name

        self._refuse_strangers()
        if self.algorithm in FROM_ROLLOUTS:
            self._clone()
            spec = world_of_checkpoint(self.out / "checkpoint")
            world = None if spec is None else world_to_name(spec.world)
        else:
            self._learn()
            world = None if self.world == DEFAULT_WORLD else self.world
        protocol = None if self.task is None else f"dmc-{self.task}"
        where = ", in a world whose frames and actions mean the same" if world == OWN_WORLD else ""
        say(f"next{where}: {line_of(Evaluate(self.algorithm, self.out, world, protocol=protocol))}")

    def _learn(self) -> None:
        reports = self.training().run()
        last = follow(f"training {self.algorithm}, env steps", reports, _describe)
        if last is not None:
            say(f"{last.env_steps} env steps in {duration(last.seconds)}, {_figures(last)}")
        say(f"wrote {self.out / 'checkpoint'}")

    def _clone(self) -> None:
        from agent.rivals.cloning_training import CloningSettings, train_clone

        if self.data is None:
            raise UserError(
                f"expected --data for {self.algorithm}: the rollouts that collect recorded"
            )
        given = {} if self.steps is None else {"steps": self.steps}
        try:
            settings = CloningSettings(seed=self.seed, **given)
        except ValueError as error:
            raise UserError(str(error)) from error
        reports = train_clone(self.data, self.out, self.algorithm, settings)
        last = follow(f"training {self.algorithm}, steps", reports, _describe_clone)
        assert last is not None, "a training reports at least once"
        say(f"{last.step} steps in {duration(last.seconds)}, {_errors(last)}")
        place = self.out / "checkpoint"
        say(f"wrote {place}, from step {last.kept_step}, the best on held-out episodes")

    def training(self) -> Training:
        """The training of an algorithm that learns by acting."""
        from agent.rivals.reinforcement import Training

        return Training(
            self.out, self.algorithm, self.task, self.env_steps, self.seed, None, self.resume,
            self.world or DEFAULT_WORLD,
        )  # fmt: skip

    def _refuse_strangers(self) -> None:
        """Refuse the flags that the other kind of algorithm reads, before anything is made."""
        if self.algorithm in FROM_ROLLOUTS:
            why = f"with {self.algorithm}, which learns from recordings alone"
            refuse_idle(self, ("world", "task", "env_steps", "resume"), why)
        else:
            refuse_idle(self, ("data", "steps"), f"with {self.algorithm}, which learns by acting")


@dataclass(frozen=True)
class BesideOthers:
    """A training as a ``Job`` of ``agent.commands.measuring``, begun or gone on with: it takes one
    core, and measurements take the others.

    ``episodes`` is what it counts for in the progress of all.
    """

    asked: Baseline
    episodes: int

    def run(self, update: Update) -> dict[str, Any]:
        """Train to the end; nothing came of it but what is in the directory of the run."""
        begun = has_bundle(self.asked.out / STATE)
        for now in replace(self.asked, resume=begun).training().run():
            update(now.env_steps * self.episodes // now.total_env_steps, self.episodes)
        return {}


def _describe(report: RLStatistics) -> tuple[int, int, str]:
    return report.env_steps, report.total_env_steps, _figures(report)


def _figures(report: RLStatistics) -> str:
    return f"return {report.episode_return:.0f}, success {100 * report.success:.0f} %"


def _describe_clone(report: CloningStatistics) -> tuple[int, int, str]:
    return report.step, report.total_steps, _errors(report)


def _errors(report: CloningStatistics) -> str:
    from agent.evaluation.statistics import in_digits

    ours, chance = in_digits(report.held_out, 3), in_digits(report.chance, 3)
    return f"held-out action error {ours} (mean action {chance})"
