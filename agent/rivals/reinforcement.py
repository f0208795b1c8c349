"""Reinforcement learning as a resumable generator of statistics, into one directory.

``out`` gets ``metrics.jsonl``; ``checkpoint/``, the latest actor; ``checkpoints/<env steps>/``,
the actors along the way, for the learning curve; and ``training_state/``, from which a stopped
training continues as if it had not been. Nothing in it is a pickle.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError

from agent.errors import DamagedDataError, UserError
from agent.extras import require
from agent.files.bundle import CHECKPOINT, STATE, has_bundle, read_bundle, write_bundle
from agent.files.durable import append_line_durably, explained_disk_errors, write_durably
from agent.files.folders import RUN, require_kind, require_no_run, writing_into
from agent.files.ours import is_ours
from agent.machine.memory import peak_memory_mb
from agent.rivals.actor import ACTORS
from agent.rivals.algorithms import ALGORITHMS, RLSettings, spec_of, whole_episodes
from agent.settings import require_seed
from envs import DEFAULT_WORLD

if TYPE_CHECKING:
    from agent.rivals.learners import Learner

METRICS = "metrics.jsonl"
CURVE = "checkpoints"
_SCHEMA = "lejepa-agent/rl-state/1"
_RECENT = 100  # episodes that the share of successes is taken over


@dataclass(frozen=True)
class RLStatistics:
    """How far training is. Both figures are with exploration noise.

    ``success`` is the share of the last 100 episodes that ended inside the tolerance;
    ``episode_return`` the mean over the episodes since the last report.
    """

    env_steps: int
    total_env_steps: int
    updates: int
    seconds: float
    success: float
    episode_return: float


@dataclass
class _Progress:
    """What a resumed training must know beside the learner."""

    legs: int = 0
    seconds: float = 0.0
    saved_at: int = 0
    drawn_at: int = 0
    recent: list[bool] = field(default_factory=list)


class Training:
    """One algorithm, one task, one seed, one directory.

    Args:
        out: must not hold a training, unless it is to ``resume``.
        algorithm: a name of ``ALGORITHMS``.
        task: ``easy`` or ``hard`` for those that learn dm_control's reward.
        env_steps: control ticks of all environments together, in whole episodes; None is the
            algorithm's own, rounded up to them.
        world: a name of the catalogue.

    Raises:
        UserError: if the numbers make no sense, ``out`` cannot be written or holds a training,
            or ``resume`` finds no state or that of other settings.
        DamagedDataError: if that state is not what its manifest says.
    """

    def __init__(
        self,
        out: Path,
        algorithm: str = "sac",
        task: str | None = None,
        env_steps: int | None = None,
        seed: int = 0,
        settings: RLSettings | None = None,
        resume: bool = False,
        world: str = DEFAULT_WORLD,
    ) -> None:
        self.out, self.task, self.seed, self.world = out, task, seed, world
        self.algorithm = ALGORITHMS[algorithm]
        self.algorithm.require_task(world, task)
        self.spec = spec_of(world)
        self.settings = settings or self.algorithm.settings
        require_seed(seed)
        self.env_steps = whole_episodes(
            self.algorithm, world, task, env_steps, settings=self.settings
        )
        require("stable_baselines3")
        self._resume = resume
        if resume and not has_bundle(out / STATE):
            raise UserError(f"expected a training to resume in {out}, got none: leave --resume out")
        require_kind(out, RUN)
        if not resume:
            _require_room(out)

    def run(self) -> Generator[RLStatistics, None, None]:
        """Train to the end, reporting every leg; stopped, it loses what the last state has not.

        Raises:
            UserError: if another process is writing into ``out``.
        """
        with writing_into(self.out, RUN):
            if not self._resume:
                _require_room(self.out)
                (self.out / METRICS).unlink(missing_ok=True)  # of one killed before its first state
            yield from self._run()

    def _run(self) -> Generator[RLStatistics, None, None]:
        from agent.rivals.learners import learn_leg, make_learner

        threads_before = torch.get_num_threads()
        torch.set_num_threads(self.settings.threads)  # layers this small only lose by sharing
        learner = make_learner(self.algorithm, self.world, self.task, self.seed, self.settings)
        try:
            now = self._thawed(learner) if self._resume else _Progress()
            if self._resume:
                self._save_actors(learner, now)
            while learner.num_timesteps < self.env_steps:
                start_s = time.monotonic()
                ended = learn_leg(learner, self.seed, now.legs, self.settings)
                now.legs += 1
                now.recent = [*now.recent, *(success for _, success in ended)][-_RECENT:]
                now.seconds += time.monotonic() - start_s
                report = self._report(learner, now, [paid for paid, _ in ended])
                self._keep(learner, now)
                yield report
        finally:
            torch.set_num_threads(threads_before)
            environments = learner.get_env()
            assert environments is not None
            environments.close()

    def _report(self, learner: Learner, now: _Progress, paid: list[float]) -> RLStatistics:
        statistics = RLStatistics(
            learner.num_timesteps, self.env_steps, learner._n_updates, round(now.seconds, 3),
            _mean(now.recent), _mean(paid),
        )  # fmt: skip
        with explained_disk_errors(self.out):
            append_line_durably(self.out / METRICS, json.dumps(asdict(statistics)))
        return statistics

    def _keep(self, learner: Learner, now: _Progress) -> None:
        """Write the state, and with it actors, where they are due, and all at the end.

        The state first: from it, those that a stop kept from being written are written.
        """
        done, settings = learner.num_timesteps, self.settings
        over = done >= self.env_steps
        if over or done - now.drawn_at >= settings.checkpoint_every:
            now.drawn_at = done
        elif done - now.saved_at < settings.save_every:
            return
        now.saved_at = done
        with explained_disk_errors(self.out):
            self._freeze(learner, now)
            self._save_actors(learner, now)

    def _save_actors(self, learner: Learner, now: _Progress) -> None:
        """The latest one, and a point of the curve where that is due, as far as they lack."""
        due = [self.out / CURVE / str(now.drawn_at)] if now.drawn_at == now.saved_at else []
        for place in [*due, self.out / CHECKPOINT]:
            if not has_bundle(place) or ACTORS.facts(place)["env_steps"] != now.saved_at:
                self._save_actor(place, learner, now)

    def _save_actor(self, directory: Path, learner: Learner, now: _Progress) -> None:
        from agent.rivals.learners import extract_actor

        facts = {
            **self._identity(),
            "library": f"stable-baselines3 {self.algorithm.library_class}",
            "env_steps": learner.num_timesteps,
            "updates": learner._n_updates,
            "seconds": round(now.seconds, 1),
            "peak_memory_mb": peak_memory_mb(),
        }
        ACTORS.save(directory, extract_actor(learner, self.algorithm, self.spec, self.task), facts)

    def _identity(self) -> dict[str, Any]:
        """What a resumed training must share with the one before."""
        return {
            "algorithm": self.algorithm.name,
            "world": self.world,
            "task": self.task,
            "seed": self.seed,
            "settings": json.loads(json.dumps(asdict(self.settings))),
        }

    def _freeze(self, learner: Learner, now: _Progress) -> None:
        from agent.rivals.learners import freeze

        facts = {"schema": _SCHEMA, "identity": self._identity(), "progress": asdict(now)}
        write_bundle(
            self.out / STATE,
            {
                "state.json": json.dumps(facts, indent=2).encode(),
                "state.safetensors": safetensors.torch.save(freeze(learner)),
            },
        )

    def _thawed(self, learner: Learner) -> _Progress:
        from agent.rivals.learners import thaw

        place = self.out / STATE
        files = read_bundle(place)
        try:
            facts = json.loads(files["state.json"])
            found, progress = facts["identity"], _Progress(**facts["progress"])
            tensors = safetensors.torch.load(files["state.safetensors"])
        except (KeyError, ValueError, TypeError, SafetensorError) as error:
            raise DamagedDataError(f"{place}: not a state of RL training ({error!r})") from error
        for name, wanted in self._identity().items():
            if found.get(name) != wanted:
                raise UserError(
                    f"{place} was written with {name}={found.get(name)!r}, this run has "
                    f"{wanted!r}; resume with the same, or train into a new directory"
                )
        thaw(learner, tensors)
        _forget_after(self.out / METRICS, learner.num_timesteps)
        return progress


def _mean(values: list[Any]) -> float:
    return float(np.mean(values)) if values else 0.0  # no episode ended yet


def _forget_after(metrics: Path, env_steps: int) -> None:
    """Drop what a lost run said of steps that are about to be repeated."""
    lines = metrics.read_text(encoding="utf-8").splitlines() if metrics.exists() else []
    kept = [line for line in lines if _steps_of(line) <= env_steps]
    with explained_disk_errors(metrics.parent):
        write_durably(metrics, "".join(f"{line}\n" for line in kept).encode())


def _steps_of(line: str) -> float:
    try:
        return float(json.loads(line)["env_steps"])
    except (ValueError, KeyError, TypeError):
        return float("inf")  # cut short by a kill


def _require_room(out: Path) -> None:
    require_no_run(out)
    metrics = out / METRICS
    if metrics.exists() and not is_ours(metrics, metrics.suffix):
        raise UserError(f"{metrics} is no report of a training: choose a new --out, or move it")
    if (out / CURVE).exists():
        raise UserError(f"{out / CURVE} is not of a training in {out}: choose a new --out")
