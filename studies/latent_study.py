"""The agent's own latent: what it must look like for control, and what makes it so.

World models as ``train`` makes them, in Reacher (a circle and an interval) and in two-room (flat,
so that a Gaussian is possible), with the regulariser, its weight λ, the number of outputs D, the
length of the warm start or what moved the arm changed, one at a time or in pairs. Each is probed
when the joint training begins and when all is done, its goal distance is counted for false minima,
and it drives to goals that no data set holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.config import ExperimentConfig, default
from agent.control.mpc import WorldModelController
from agent.control.torch_model import TorchModel
from agent.data import CollectConfig, RolloutStore, collect
from agent.evaluation.play import evaluate
from agent.files.bundle import CHECKPOINT
from agent.files.lock import exclusive
from agent.model.checkpoint import checkpoint_facts, load_checkpoint
from agent.settings import with_changes
from agent.training.diagnostics import diagnose
from agent.training.trainer import Trainer, TrainingStoppedError
from envs import USUAL_BEHAVIOUR, make_world, task_named
from studies.intervals import mean_interval, rank_correlation
from studies.latent_regularisers import loss_behind, regulariser_named
from studies.study import Preset, Row, Settings, Study, seeds_of

PROTOCOL, EVALUATION_SEED = "anywhere", 5000
COORDINATES = 2  # of either world
KIND = ("world", "behaviour", "regulariser", "weight", "latent_dim", "warm", "main")
MEASURES = (
    "sigreg", "effective_rank", "worst_r2", "mean_r2", "begun_r2", "error_first", "error_last",
    "false_minima", "touch", "held", "median_error",
)  # fmt: skip
LINKED = ("sigreg", "effective_rank", "worst_r2", "begun_r2", "error_last", "false_minima")
_FULL = {"data_episodes": 300, "main": 450, "settling": 600, "eval_episodes": 100}
_FULL_TWO_ROOM = {**_FULL, "settling": 300}
_QUICK = {"data_episodes": 60, "main": 60, "settling": 60, "eval_episodes": 10}
_USUAL = {"reacher": 300, "two-room": 150}  # steps of warm start
_LONGER = (750, 2000)  # joint steps, in place of a warm start and beyond
_LIGHT, _HARD = 0.01, 1.0  # λ of SIGReg, and of what knows second moments alone


def jobs(preset: Preset) -> list[dict[str, Any]]:
    """A run per cell and seed; quick has a few of Reacher's cells, trained for seconds."""
    if preset == "quick":
        names = (("sigreg", _LIGHT), ("none", 0.0), ("whitening", _HARD), ("projector", _LIGHT))
        cells = [_cell("reacher", name, weight, 32, 40) for name, weight in names]
        return [{**cell, "seed": 0, **_QUICK} for cell in cells]
    return [
        {**(_FULL if cell["world"] == "reacher" else _FULL_TWO_ROOM), **cell, "seed": seed}
        for cell in _cells()
        for seed in range(3)
    ]


def _cells() -> list[dict[str, Any]]:
    arm, rooms = partial(_cell, "reacher"), partial(_cell, "two-room")
    found = [arm("sigreg", weight) for weight in (_LIGHT, 0.001, 0.1)]
    found += [arm("sigreg", _LIGHT, dim) for dim in (4, 8, 64)]
    found += [arm("sigreg", 0.1, 8), arm("none", 0.0), arm("vicreg", _HARD)]
    found += [arm("whitening", _HARD, dim) for dim in (32, 8)]
    found += [arm(name, _LIGHT) for name in ("subspaces", "block", "projector")]
    found += [arm(name, 0.1) for name in ("block", "projector")]
    found += [arm("sigreg", _LIGHT, 32, warm) for warm in (0, 50, 150, 600)]
    found += [rooms("sigreg", _LIGHT), rooms("sigreg", _LIGHT, 2), rooms("sigreg", 0.1, 2)]
    found += [rooms("none", 0.0), rooms("whitening", _HARD, 2)]
    found += [rooms("sigreg", _LIGHT, 32, 0)]
    found += [arm("behind", weight) for weight in (_LIGHT, 0.1)]
    tame = partial(arm, "sigreg", behaviour="gaussian")  # the theorem's motion, near the middle
    found += [tame(_LIGHT), tame(0.1, 2)]
    return found + [{**arm("sigreg", _LIGHT, 32, 0), "main": steps} for steps in _LONGER]


def _cell(
    world: str, regulariser: str, weight: float, latent_dim: int = 32, warm: int | None = None,
    behaviour: str = USUAL_BEHAVIOUR,
) -> dict[str, Any]:  # fmt: skip
    steps = _USUAL[world] if warm is None else warm
    values = (world, behaviour, regulariser, weight, latent_dim, steps)
    return dict(zip(KIND[:-1], values, strict=True))


def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
    """Train, look, and let it drive; only ``collapsed`` if it has."""
    store = _data(settings, scratch.parent)
    out = scratch / f"training-{len(list(scratch.glob('*')))}"  # what was interrupted is left
    trainer = Trainer(store.directory, out, _experiment(settings))
    trainer.lessons.regulariser = regulariser_named(
        settings["regulariser"], settings["latent_dim"], COORDINATES, settings["seed"]
    )
    if settings["regulariser"] == "behind":
        trainer.lessons.main_loss = partial(loss_behind, trainer.model)
    begun = _probed(trainer)
    try:
        for _ in trainer.run():
            if trainer.step == settings["warm"]:
                begun = _probed(trainer)
    except TrainingStoppedError:
        return {"collapsed": True}
    return {
        "collapsed": False,
        "begun_r2": begun,
        **_found(out / CHECKPOINT),
        **_drive(out / CHECKPOINT, settings["eval_episodes"]),
    }


def _data(settings: Settings, shared: Path) -> RolloutStore:
    """Rollouts of one world, behaviour and seed; all cells share them."""
    seed, world, behaviour = settings["seed"], settings["world"], settings["behaviour"]
    out = shared / f"{world}-{behaviour}-{settings['data_episodes']}-{seed}"
    config = CollectConfig(
        out=out, world=world, behaviour=behaviour, episodes=settings["data_episodes"], workers=1,
        seed=seeds_of(seed, 0)[0] % 2**31,
    )  # fmt: skip
    with exclusive(shared / f"{out.name}.lock", out, wait=True):
        return collect(config)


def _experiment(settings: Settings) -> ExperimentConfig:
    warm, main, last = (settings[name] for name in ("warm", "main", "settling"))
    steps = warm + main + last
    ours = default()
    training = replace(
        ours.training,
        steps=steps, warm_start=warm / steps, settling=last / steps,
        sigreg_weight=settings["weight"], diagnose_every=steps, save_every=steps,
        seed=seeds_of(settings["seed"], 1)[0] % 2**31, threads=torch.get_num_threads(),
    )  # fmt: skip
    config = replace(ours, training=training, head=replace(ours.head, steps=0))
    return with_changes(config, {"model.encoder.latent-dim": settings["latent_dim"]})


def _probed(trainer: Trainer) -> float:
    """The worst R² of the world's coordinates as it is now."""
    ids, held_out = trainer.train_ids[-20:], trainer.held_out_ids
    found = diagnose(trainer.model, trainer.episodes, ids, held_out)
    return min(found.probe_r2.values())


def _found(checkpoint: Path) -> dict[str, float]:
    facts = checkpoint_facts(checkpoint)
    seen, probes = facts["diagnostics"], facts["diagnostics"]["probe_r2"].values()
    return {
        "sigreg": seen["sigreg"],
        "effective_rank": seen["effective_rank"],
        "worst_r2": min(probes),
        "mean_r2": float(np.mean(list(probes))),
        "error_first": seen["open_loop_error"][0],
        "error_last": seen["open_loop_error"][-1],
        "false_minima": facts["geometry"]["false_minima"],
    }


def _drive(checkpoint: Path, episodes: int) -> dict[str, float]:
    """Shares of episodes that touched the goal and held it, and the median error at the end."""
    model = load_checkpoint(checkpoint).eval()
    spec = model.spec
    camera = partial(make_world, spec.world, spec.look, spec.image_size[0])
    controller = WorldModelController(TorchModel(model))
    with closing(camera()) as world:
        task = task_named(PROTOCOL, world)
        trials = evaluate(controller, task, camera, episodes, EVALUATION_SEED, timed_episodes=0)
    verdicts = [trial.verdict for trial in trials if not trial.verdict.solved_at_start]
    return {
        "touch": float(np.mean([one.first_touch for one in verdicts])),
        "held": float(np.mean([one.held for one in verdicts])),
        "median_error": float(np.median([one.final_error for one in verdicts])),
    }


def conclude(rows: Sequence[Row]) -> dict[str, Any]:
    """A mean over seeds a cell, and how what was seen of a latent goes with what it held."""
    kinds = list(dict.fromkeys(tuple(row[name] for name in KIND) for row in rows))
    table = [_entry([row for row in rows if _kind(row) == kind]) for kind in kinds]
    whole = [row for row in rows if not row["collapsed"]]
    usual = [row for row in whole if row["behaviour"] == USUAL_BEHAVIOUR]
    links = {
        world: {name: _link([r for r in usual if r["world"] == world], name) for name in LINKED}
        for world in dict.fromkeys(row["world"] for row in rows)
    }
    counts = {"runs": len(rows), "collapsed": len(rows) - len(whole)}
    return {"table": table, "rank_correlation_with_held": links, **counts, "bars": {}}


def _kind(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in KIND)


def _entry(rows: Sequence[Row]) -> dict[str, Any]:
    whole = [row for row in rows if not row["collapsed"]]
    entry = {name: rows[0][name] for name in KIND} | {"collapsed": len(rows) - len(whole)}
    means = {name: mean_interval([row[name] for row in whole]) for name in MEASURES if whole}
    return entry | means


def _link(rows: Sequence[Row], name: str) -> dict[str, float] | None:
    cells = [_kind(row) for row in rows]
    return rank_correlation([r[name] for r in rows], [r["held"] for r in rows], cells)


STUDY = Study(
    name="latent",
    summary="The agent's own latent: regulariser, λ, D, warm start; probes, false minima, control.",
    jobs=jobs,
    measure=measure,
    conclude=conclude,
)
