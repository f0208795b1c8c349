"""Can a surprise be told in units of chi-square? And what would such a limit catch?

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.chi_square --out results/reliability

Were embeddings Gaussian, or what a model foresees wrong Gaussian and of one covariance everywhere,
the squared Mahalanobis distance of a vector of n numbers would follow the chi-square law with n
degrees of freedom (Mardia, Kent & Bibby 1979, "Multivariate Analysis", Sec. 3.5), and a picture
that it gives one in a thousand would be seen once in a thousand. Mean and covariance come from one
set of recordings, the limit that one in a thousand *does* leave from a second, and both are tried
on a third: its pictures as they are, with the faults of :mod:`benchmarks.sight_faults`, and those
of another look and of another world.
"""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import scipy.special
import torch
from matplotlib.figure import Figure

from agent.commands.progress import progress
from agent.data import RolloutStore
from agent.data.episodes import Episodes
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from agent.interfaces import Array, FloatArray, Image
from agent.model.checkpoint import load_checkpoint
from agent.model.world_model import WorldModel
from agent.reporting import style
from agent.training.sight import prediction_errors
from benchmarks.from_nothing import run
from benchmarks.sight import hash_of
from benchmarks.sight_faults import FAULTS, Fault
from envs import configure_gl, make_world
from studies.tables.markdown import table

SCHEMA = "lejepa-agent/chi-square/1"
SEED = 8100  # of the three sets of recordings, one apart
EPISODES, BEGINS, FAULT_S = 100, (40, 120), 0.2
CHANCES, LIMIT = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4), 1e-3
OTHER_LOOK, OTHER_WORLD = "dmc", "two-room"
LEAST_VARIANCE = 1e-6  # of the largest: what varies less is a constant
KINDS = ("embedding", "where distances are measured", "error of a prediction")

Tried = Mapping[str, Array]


@dataclass(frozen=True)
class Law:
    """Mean (n,) and whitening directions (n, rank) of vectors, as recordings have them."""

    mean: Array
    whitening: Array

    @classmethod
    def of(cls, vectors: Array) -> Law:
        """Fitted to vectors (N, n); directions that hardly vary are left out."""
        variances, directions = np.linalg.eigh(np.cov(vectors, rowvar=False))
        kept = variances > LEAST_VARIANCE * variances[-1]
        return cls(vectors.mean(0), directions[:, kept] / np.sqrt(variances[kept]))

    @property
    def degrees(self) -> int:
        """Degrees of freedom."""
        return int(self.whitening.shape[1])

    def squared(self, vectors: Array) -> Array:
        """Squared Mahalanobis distances (...) of vectors (..., n)."""
        squared: Array = np.square((vectors - self.mean) @ self.whitening).sum(-1)
        return squared

    def limit(self, chance: float) -> float:
        """What a chi-square variable of as many degrees exceeds with that chance."""
        return float(scipy.special.chdtri(self.degrees, chance))


class Recordings:
    """E recordings of T + 1 pictures each, and what a model sees in them."""

    def __init__(self, model: WorldModel, episodes: Episodes) -> None:
        self.model = model
        rows = np.stack([episodes.row_numbers([i]) for i in range(episodes.count)])
        self.frames: Image = episodes.pixels[rows]
        self.actions = episodes.action[rows][:, :-1]

    def healthy(self) -> Tried:
        """The vectors (E, T', n) of each of ``KINDS``, of all pictures that have a past."""
        return self._vectors(self.frames, self.actions)

    def with_fault(self, name: str, fault: Fault) -> Tried:
        """Those of the first ``FAULT_S`` of a fault, that begins somewhere in the recordings."""
        model = self.model
        rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(hash_of(name),)))
        began = int(rng.integers(*BEGINS))
        ends = began + round(FAULT_S / model.spec.step_s) + 1
        shown = self.frames[:, :ends].copy()
        for tick in range(began, ends):
            seen = [self.frames[:, i] for i in range(tick + 1)]
            shown[:, tick] = fault(seen, began, rng)
        first = began - model.config.action_block * model.context
        return self._vectors(shown[:, first:], self.actions[:, first : ends - 1])

    def _vectors(self, frames: Image, actions: FloatArray) -> Tried:
        seen = np.stack([_embedded(self.model, episode) for episode in frames])
        pairs = zip(seen, actions, strict=True)
        missed = np.stack([prediction_errors(self.model, z, sent) for z, sent in pairs])
        with torch.no_grad():
            measured = self.model.measured(torch.from_numpy(seen)).numpy()
        found = (each[:, -missed.shape[1] :] for each in (seen, measured, missed))
        return {kind: v.astype(np.float64) for kind, v in zip(KINDS, found, strict=True)}


def _embedded(model: WorldModel, frames: Image) -> FloatArray:
    with torch.no_grad():
        return np.asarray(model.encode(torch.from_numpy(frames)).numpy())


def _foreign(model: WorldModel, world: str, look: str) -> Fault:
    """Pictures of another look or world, at this model's size."""
    height, width = model.spec.image_size
    other = make_world(world, look, height)
    rng = np.random.default_rng(SEED)
    shots = []
    for _ in range(EPISODES):
        other.reset(rng)
        shots.append(cv2.resize(other.frame(), (width, height)))
    other.close()
    still = np.stack(shots).astype(np.uint8)
    return lambda seen, began, rng: still[rng.permutation(len(still))[: len(seen[-1])]]


def measure(checkpoint: Path, place: Path) -> dict[str, Any]:
    """Everything but the circumstances."""
    model = load_checkpoint(checkpoint)
    fitted, second, third = (_recordings(model, place, number) for number in range(3))
    laws = {kind: Law.of(_flat(found)) for kind, found in fitted.healthy().items()}
    usual, healthy = (_squared(laws, one.healthy()) for one in (second, third))
    limits = {kind: float(np.quantile(usual[kind], 1 - LIMIT)) for kind in KINDS}
    faults = {
        **FAULTS,
        "another look": _foreign(model, model.spec.world, OTHER_LOOK),
        "another world": _foreign(model, OTHER_WORLD, ""),
    }
    return {
        "recordings": EPISODES, "seeds": [SEED, SEED + 1, SEED + 2], "limit": LIMIT,
        "kinds": {kind: _calibration(laws[kind], healthy[kind], limits[kind]) for kind in KINDS},
        "rows": _rows(third, laws, limits, faults),
    }  # fmt: skip


def _squared(laws: Mapping[str, Law], vectors: Tried) -> Tried:
    return {kind: laws[kind].squared(found) for kind, found in vectors.items()}


def _rows(
    tried: Recordings, laws: Mapping[str, Law], limits: Mapping[str, float],
    faults: Mapping[str, Fault],
) -> list[dict[str, Any]]:  # fmt: skip
    """Of each fault: in how many recordings a limit was left within ``FAULT_S`` of its start."""
    rows = []
    with progress("faults") as update:
        for name, fault in faults.items():
            largest = {
                kind: squared.max(1)
                for kind, squared in _squared(laws, tried.with_fault(name, fault)).items()
            }
            by_law = {f"{k}, chi-square": d > laws[k].limit(LIMIT) for k, d in largest.items()}
            by_limit = {f"{k}, measured": d > limits[k] for k, d in largest.items()}
            counts = {key: int(left.sum()) for key, left in (by_law | by_limit).items()}
            rows.append({"fault": name, "recordings": EPISODES, **counts})
            update(len(rows), len(faults), name)
    return rows


def _calibration(law: Law, healthy: Array, limit: float) -> dict[str, Any]:
    """How often healthy pictures leave limits that chi-square gives a chance."""
    return {
        "degrees": law.degrees, "pictures": int(healthy.size),
        "mean": float(healthy.mean()) / law.degrees,
        "left": {f"{p:g}": float((healthy > law.limit(p)).mean()) for p in CHANCES},
        "times": limit / law.limit(LIMIT), "left_measured": float((healthy > limit).mean()),
    }  # fmt: skip


def _flat(vectors: Array) -> Array:
    return vectors.reshape(-1, vectors.shape[-1])


def _recordings(model: WorldModel, place: Path, number: int) -> Recordings:
    data, spec = place / f"data-{number}", model.spec
    if not data.exists():
        asked = f"--world {spec.world} --look {spec.look} --image-size {spec.image_size[0]}"
        words = f"{asked} --episodes {EPISODES} --seed {SEED + number}"
        run("collect", "--out", str(data), *shlex.split(words))
    return Recordings(model, RolloutStore.open(data).load())


def tables(result: Mapping[str, Any]) -> str:
    """Healthy pictures first, then faults: recordings that leave a limit, by the law's | measured.

    Markdown.
    """
    shares = []
    for kind, found in result["kinds"].items():
        left = (f"{found['left'][f'{p:g}']:.2%}" for p in CHANCES[::2])
        shares.append([f"{kind} ({found['degrees']} numbers)", *left, f"{found['times']:.2f}"])
    faults = []
    for row in result["rows"]:
        counts = (f"{row[f'{k}, chi-square']} / {row[f'{k}, measured']}" for k in KINDS)
        faults.append([row["fault"], *counts])
    head = ["healthy pictures beyond the law's", *(f"{p:.2%}" for p in CHANCES[::2]), "times"]
    return "\n".join([*table(head, shares), "", *table(["fault", *KINDS], faults)])


def figure_of(result: Mapping[str, Any]) -> Figure:
    """How often chi-square says a healthy picture leaves a limit, and how often it does."""
    figure = style.new_figure(style.WIDTH_IN * 0.6, 3.4)
    axes = figure.add_subplot()
    style.dress(axes, "Healthy pictures beyond a limit (▾: none)", "by chi-square", "seen")
    axes.plot(CHANCES, CHANCES, color=style.MUTED, linestyle="--", label="as the law has it")
    for (kind, found), colour in zip(result["kinds"].items(), style.SERIES, strict=False):
        shares = np.array([found["left"][f"{p:g}"] for p in CHANCES])
        axes.plot(CHANCES, np.where(shares > 0, shares, np.nan), "o-", color=colour, label=kind)
        none = np.array(CHANCES)[shares == 0]
        axes.plot(none, np.full(len(none), 1 / found["pictures"]), "v", color=colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    style.legend(axes)
    return figure


def main() -> None:
    """Measure, print, and write JSON and figure if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoints/reacher"))
    parser.add_argument("--out", type=Path, help="the folder that gets chi-square.json")
    asked = parser.parse_args()
    configure_gl()
    torch.set_num_threads(1)
    with TemporaryDirectory() as place:
        found = measure(asked.checkpoint, Path(place))
    command = f"python -m benchmarks.chi_square --checkpoint {asked.checkpoint}"
    result = {"schema": SCHEMA, "command": command, **found, **circumstances()}
    print(json.dumps(found, indent=1))
    if asked.out:
        write_json(asked.out / "chi-square.json", result)
        style.save_png(figure_of(result), asked.out / "chi-square.png")


if __name__ == "__main__":
    main()
