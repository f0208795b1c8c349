"""Training as a resumable generator of statistics."""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from agent.config import ExperimentConfig, going_on
from agent.data.motion import require_motion, some_frames
from agent.data.store import RolloutStore
from agent.errors import DamagedDataError, MachineError, UserError
from agent.files.bundle import CHECKPOINT, STATE, has_bundle
from agent.files.durable import make_directory
from agent.files.folders import RUN, require_kind, require_no_run
from agent.files.remote import Place
from agent.machine.memory import peak_memory_mb
from agent.model.chance import own_chance
from agent.model.checkpoint import checkpoint_sha256, load_checkpoint, save_checkpoint
from agent.model.transformer import TransformerPredictor
from agent.model.world_model import WorldModel
from agent.settings import to_dict
from agent.training import ranks
from agent.training.diagnostics import Diagnostics, diagnose
from agent.training.fit import require_fit, usable_device
from agent.training.geometry import Geometry, geometry_of
from agent.training.goal_distance import fit_goal_distance
from agent.training.lessons import Lessons
from agent.training.objective import LossTerms
from agent.training.optimiser import WorldModelOptimiser
from agent.training.parallel import norms_over_ranks
from agent.training.reports import Losses, TrainStatistics, report_of
from agent.training.sight import learn_sight, what_is_off
from agent.training.slow_features import STEPS
from agent.training.source import actions_of, data_for, env_steps, price_before, source_of
from agent.training.state import load_training_state, save_training_state
from envs import SpecError, interrupts_held_back

REPORT_EVERY = 10
_PROBE_EPISODES = 20
_log = logging.getLogger(__name__)
_GENTLER = "lower --training.learning-rate and --training.matrix-learning-rate"


class TrainingStoppedError(UserError):
    """Training met NaN or collapse; the message says what and at which step."""


class Trainer:
    """Trains one world model on one data set into one directory; the data say of which world.

    ``begin`` is a checkpoint to go on from: its network, input scales and weights are taken over,
    and ``config`` says how it is trained.

    Within ``ranks.joined`` each rank has a trainer of the same arguments; the first alone writes
    and diagnoses.

    Raises:
        UserError: on settings that do not fit the data, a checkpoint to begin with that is of
            another world, or an ``out`` that holds another run.
        DamagedDataError: on damaged data, checkpoint or training state.
    """

    def __init__(
        self,
        data: Place | str,
        out: Path,
        config: ExperimentConfig,
        resume: bool = False,
        begin: Path | None = None,
    ) -> None:
        self.device = usable_device(config.training.device)
        self.store, held = data_for(RolloutStore.open(data), out / STATE, resume)
        before = None if begin is None else self._before(begin)
        self._bought_before = {} if begin is None else price_before(begin, self.store.header)
        if before is not None:
            config = going_on(config, before.config)
        require_fit(config)
        torch.set_num_threads(config.training.threads)
        self.out, self.config = out, config
        model = config.model
        source = source_of(
            self.store, config.training, held, model.memory_frames, model.action_block
        )
        self.episodes, self._rotation = source.episodes, source.rotation
        self.train_ids, self.held_out_ids = source.train_ids, source.held_out_ids
        require_motion(self.episodes, self.train_ids, self.store.directory)
        self.identity = {
            **to_dict(config),
            "data": self.store.header.to_json(),
            "committed_episodes": self.store.episode_count,
            "committed_sha256": self.store.content_sha256(),
            "begin": None if begin is None else checkpoint_sha256(begin),
            "ranks": ranks.count(),
            "held_shards": source.held,
        }
        self.model = (before or self._new_model()).to(self.device)
        norms_over_ranks(self.model)
        self.optimiser = WorldModelOptimiser(self.model, config.training)
        self.lessons = Lessons(self.model, source, config)
        self.step, self._began_s = 0, time.monotonic()
        self._held: Sequence[Any] = ()
        self._is_stopped = False
        self._unreported: list[Losses] = []
        self._settle_directory(resume)

    def _before(self, checkpoint: Path) -> WorldModel:
        model = load_checkpoint(checkpoint)
        try:
            model.spec.require_same(self.store.header.spec, f"the data in {self.store.directory}")
        except SpecError as error:
            raise UserError(f"{checkpoint}: {error}") from error
        told = self.store.header.spec.state or model.spec.state
        model.spec = dataclasses.replace(model.spec, state=told)
        return model

    def _new_model(self) -> WorldModel:
        """Untrained, with the scales of the training data."""
        with own_chance(self.config.training.seed):
            try:
                model = WorldModel(self.config.model, self.store.header.spec)
            except ValueError as error:
                raise UserError(f"{self.store.directory}: {error}") from error
        frames = torch.from_numpy(some_frames(self.episodes, self.train_ids))
        model.encoder.set_pixel_statistics(frames)
        if isinstance(model.predictor, TransformerPredictor):
            model.predictor.set_action_statistics(actions_of(self.episodes, self.train_ids))
        return model

    def run(self) -> Iterator[TrainStatistics]:
        """Train to the end, reporting on the way; writes the checkpoint before the last report.

        Closing the generator, or Ctrl-C, saves the training state first. A run that was stopped
        after its last step only gets the checkpoint and the report that it still lacks.
        """
        alone: AbstractContextManager[Any] = nullcontext(())
        try:
            with alone if ranks.count() == 1 else interrupts_held_back() as self._held:
                yield from self._run()
        except (KeyboardInterrupt, GeneratorExit):
            self.save()
            raise

    def _run(self) -> Iterator[TrainStatistics]:
        total = self.config.training.steps
        if self._unreported or (self.step == total and not has_bundle(self.out / CHECKPOINT)):
            yield from self._tell()
            self.save()
        while self.step < total:
            with interrupts_held_back():
                self._unreported.append(self._train_one_step())
            yield from self._tell()
            if self._is_due("save_every"):
                self.save()
            if self._is_stopped:
                raise KeyboardInterrupt

    def _tell(self) -> Iterator[TrainStatistics]:
        """Where a report is due, on all steps since the last; they count as told once it was taken.

        At the end the checkpoint is written before it.
        """
        if self.step % REPORT_EVERY and not self._is_due("diagnose_every"):
            return
        diagnostics = self._diagnose() if self._is_due("diagnose_every") else None
        if self.step == self.config.training.steps and not has_bundle(self.out / CHECKPOINT):
            self.save()
            self._finish(diagnostics)
        if self._unreported:
            settings, seconds = self.config.training, self._seconds()
            yield report_of(self._unreported, self.step, settings, seconds, diagnostics)
            self._unreported.clear()

    def _seconds(self) -> float:
        """Of training, those before a resume included; diagnostics count too."""
        return time.monotonic() - self._began_s

    def save(self) -> None:
        """Write the training state now, on the first rank."""
        if not ranks.is_first():
            return
        now = self.step, self._seconds(), self.model, self.optimiser
        save_training_state(self.out / STATE, *now, self.identity, self._unreported)

    def _train_one_step(self) -> Losses:
        terms = self._loss()
        # One rank's Ctrl-C is everybody's, after the same step.
        told = [*terms.values(), float(bool(self._held))]
        *means, stopped = ranks.mean_values(told, self.device)
        values, self._is_stopped = tuple(means), stopped > 0
        self._require_finite(values)
        try:
            self.optimiser.step(terms.total, self.step)
        except FloatingPointError as error:
            raise self._not_finite("gradient") from error
        self.step += 1
        return values

    def _loss(self) -> LossTerms:
        try:
            return self.lessons.loss(self.step)
        except (MachineError, DamagedDataError):  # of a shard read just now
            self.save()
            raise

    def _require_finite(self, values: Losses) -> None:
        if math.isfinite(values[0]):
            return
        names = ("loss", "one-step error", "multi-step error", "SIGReg")
        bad = [n for n, v in zip(names, values, strict=True) if not math.isfinite(v)]
        raise self._not_finite(", ".join(bad))

    def _not_finite(self, what: str) -> TrainingStoppedError:
        return TrainingStoppedError(
            f"{what} became NaN or infinite at step {self.step}; the last saved state, if any, is "
            f"in {self.out / STATE}: {_GENTLER}"
        )

    def _is_due(self, name: str) -> bool:
        every = getattr(self.config.training, name)
        return self.step % every == 0 or self.step == self.config.training.steps

    def _diagnose(self) -> Diagnostics | None:
        if not ranks.is_first():
            return None
        probe_ids = self.train_ids[-_PROBE_EPISODES:]
        least = self.config.model.memory_frames
        held_out = self.episodes.some(self.held_out_ids, _PROBE_EPISODES, least)
        result = diagnose(self.model, self.episodes, probe_ids, held_out, self.train_ids)
        if result.effective_rank < 1.5 and self.model.latent_dim > 1:
            raise TrainingStoppedError(
                f"the embedding collapsed by step {self.step}: effective rank "
                f"{result.effective_rank:.2f} of {self.model.latent_dim}: {_GENTLER}, or raise "
                f"--training.sigreg-weight (now {self.config.training.sigreg_weight})"
            )
        return result

    def _finish(self, diagnostics: Diagnostics | None) -> None:
        """Fit goal distance and sight to the rollouts, and write the checkpoint."""
        if not ranks.is_first():
            return
        self.model.eval()
        embeddings, states = self.lessons.embedded()
        steps = min(STEPS, self.config.training.steps)  # a short trial takes a short time
        fit_goal_distance(self.model, embeddings, self.config.training.seed, steps)
        block = self.config.model.action_block
        shape = geometry_of(self.model, states, embeddings, block)
        self.model.sight = learn_sight(self.model, self.episodes, self.train_ids, self.held_out_ids)
        if missing := what_is_off(self.model.sight, self.config.model.memory_frames):
            _log.warning("a part of the guard of sight is off: %s", missing)
        save_checkpoint(self.out / CHECKPOINT, self.model, self._facts(diagnostics, shape))

    def _facts(self, diagnostics: Diagnostics | None, shape: Geometry | None) -> dict[str, Any]:
        share, least = self.config.training.holdout_fraction, self.config.model.memory_frames
        learned_from, _ = self.store.split(share, least)  # of all there are, in memory or not
        return {
            "training": to_dict(self.config.training),
            "data": self.store.facts(),
            "begun_from": self.identity["begin"],
            "before": self._bought_before,
            "env_steps": env_steps(self.store, learned_from),
            "training_s": round(self._seconds(), 1),
            "ranks": ranks.count(),
            "peak_memory_mb": peak_memory_mb(),
            "waited_for_shards_s": round(self._rotation.waited_s if self._rotation else 0.0, 2),
            "diagnostics": to_dict(diagnostics) if diagnostics else {},
            "geometry": to_dict(shape) if shape else {},
        }

    def _settle_directory(self, resume: bool) -> None:
        state = self.out / STATE
        require_kind(self.out, RUN)
        if resume and has_bundle(state):
            self.step, before, self._unreported = load_training_state(
                state, self.model, self.optimiser, self.identity
            )
            self._began_s -= before
        elif resume:
            raise UserError(f"nothing to resume in {self.out}: expected {state}")
        else:
            require_no_run(self.out)
        if ranks.is_first():
            make_directory(self.out)
