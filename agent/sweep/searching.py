"""Trials chosen or ended early by Ray Tune: Optuna suggests settings, ASHA ends what lags behind.

ASHA (Li et al. 2020, arXiv:1810.05934) compares trials of one data set at the same gradient step
and goes on with the better third. Whoever is ended early keeps its training state and its curve.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from agent.errors import MachineError
from agent.extras import require
from agent.settings import to_dict
from agent.sweep.space import Choices, Space
from agent.sweep.trial import Curve, Line, Trial, train

ERROR, STEP = "held_out_error", "step"
TRIES = 3  # of a trial whose worker or node is lost
KEPT_SHARE = 3  # one in three goes on
_FAILED = 1e9  # the error of a training that stopped itself, for those who compare


@dataclass(frozen=True)
class Search:
    """Settings that Optuna suggests for one data set; seeds are taken in turn.

    ``trial`` is any of its trials: the suggestion takes the place of its settings. ``journal`` is
    where Optuna remembers, so that a later search goes on from there.
    """

    trial: Trial
    space: Space
    seeds: Sequence[int]
    journal: Path
    draw_seed: int

    def suggest(self, optuna_trial: Any) -> dict[str, Any]:
        """Ask for a value of each setting; what is returned is added to them."""
        for name, domain in self.space.items():
            if isinstance(domain, Choices):
                optuna_trial.suggest_categorical(name, [json.dumps(v) for v in domain.values])
            elif domain.is_whole:
                optuna_trial.suggest_int(name, domain.low, domain.high, log=domain.log)
            else:
                optuna_trial.suggest_float(name, domain.low, domain.high, log=domain.log)
        return {"seed": self.seeds[optuna_trial.number % len(self.seeds)]}

    def trial_of(self, suggested: Mapping[str, Any]) -> Trial:
        """What to train for a suggestion."""
        settings = {
            name: json.loads(suggested[name]) if isinstance(domain, Choices) else suggested[name]
            for name, domain in self.space.items()
        }
        return replace(self.trial, settings=settings, seed=suggested["seed"])

    def algorithm(self) -> Any:
        """Optuna as Tune asks it."""
        optuna, search = require("optuna"), require("ray.tune.search.optuna")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        storage = optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend(str(self.journal))
        )
        named = json.dumps({n: to_dict(domain) for n, domain in self.space.items()}, sort_keys=True)
        return search.OptunaSearch(
            self.suggest, metric=ERROR, mode="min", storage=storage, seed=self.draw_seed,
            study_name=f"{self.trial.content} {self.trial.preset} {named}",
        )  # fmt: skip


def end_early(trials: Sequence[Trial], keep: Callable[[Line], None]) -> None:
    """Train what is listed, all of one data set, those that lag behind not to the end."""
    tune = require("ray.tune")
    listed = {"trial": tune.grid_search([asdict(trial) for trial in trials])}
    _run(listed, lambda chosen: Trial(**chosen["trial"]), trials[0], None, 1, keep)


def suggest(search: Search, count: int, stop_early: bool, keep: Callable[[Line], None]) -> None:
    """Train ``count`` suggestions of Optuna."""
    _run({}, search.trial_of, search.trial, search.algorithm(), count, keep, stop_early)


def _run(
    space: dict[str, Any],
    trial_of: Callable[[Mapping[str, Any]], Trial],
    example: Trial,
    algorithm: Any,
    count: int,
    keep: Callable[[Line], None],
    stop_early: bool = True,
) -> None:
    tune = require("ray.tune")
    place = Path(example.out) / "tune"
    training = example.config().training
    scheduler = tune.schedulers.ASHAScheduler(
        time_attr=STEP, max_t=max(training.steps, 2), reduction_factor=KEPT_SHARE,
        grace_period=min(training.main_steps.start + training.diagnose_every, training.steps),
        stop_last_trials=False,  # a warm start predicts nothing yet, so nobody is ended in it
    )  # fmt: skip
    tuner = tune.Tuner(
        tune.with_resources(_trainable(trial_of), {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(
            metric=ERROR, mode="min", num_samples=count, search_alg=algorithm,
            scheduler=scheduler if stop_early else None,
        ),
        run_config=tune.RunConfig(
            name="tune", storage_path=str(place), verbose=0,
            callbacks=[_keeping(tune, trial_of, keep)],
            failure_config=tune.FailureConfig(max_failures=TRIES),
        ),
    )  # fmt: skip
    try:
        errors = tuner.fit().errors
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if errors:
        told = str(errors[0]).strip().splitlines()[-1]
        raise MachineError(
            f"{len(errors)} trainings ended in an error, the first: {told}. Finished ones are "
            "kept: run the same command again to continue"
        )


def _trainable(trial_of: Callable[[Mapping[str, Any]], Trial]) -> Callable[[Any], None]:
    def run(chosen: Mapping[str, Any]) -> None:
        from ray import tune

        line = train(trial_of(chosen), lambda curve: tune.report(_looked(curve)))
        tune.report(_looked(line["curve"], line))

    return run


def _looked(curve: Curve, line: Line | None = None) -> dict[str, Any]:
    failed = line is not None and "failed" in line
    error = _FAILED if failed or not curve else curve[-1][1]
    return {ERROR: error, STEP: int(curve[-1][0]) if curve else 0, "curve": curve, "line": line}


def _keeping(
    tune: Any, trial_of: Callable[[Mapping[str, Any]], Trial], keep: Callable[[Line], None]
) -> Any:
    class Keeping(tune.Callback):  # type: ignore[misc]
        """Keeps the line of each trial that ends, early or not."""

        def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
            """A trial has ended, of itself or because it lagged behind."""
            last = trial.last_result
            line = last["line"] or trial_of(trial.config).line(last["curve"], stopped_early=True)
            keep(line)

    return Keeping()
