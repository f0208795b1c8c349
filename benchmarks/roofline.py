"""Where a training step's time goes: each part against what the processor can do at best.

    python -m benchmarks.roofline --data data/reacher --threads 2 --json results/speed/roofline.json

Best is a product of two square matrices, timed in the same run. Floating point operations are
counted by torch's own counter: products and convolutions, forwards and backwards, nothing else.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from agent.config import preset
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from agent.settings import with_changes
from agent.training.objective import prediction_loss
from agent.training.regularisers import make_regulariser
from agent.training.trainer import Trainer
from agent.training.warm_start import alignment

Job = Callable[[], object]
_SIDE = 1024  # of the square matrices


@dataclass(frozen=True)
class Part:
    """Median time [ms] of one call, its operations, and their rate as a share of the best."""

    ms: float
    gflop: float
    share_of_best: float


def main() -> None:
    """Measure, print a table, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    square = torch.randn(_SIDE, _SIDE)
    best = 2 * _SIDE**3 / 1e6 / median_ms(lambda: square @ square, asked.repeats)
    print(f"best {best:.0f} GFLOP/s on {asked.threads} threads")
    with tempfile.TemporaryDirectory() as place:
        trainer = new_trainer(asked.data, Path(place) / "run", asked.threads)
        jobs = parts_of(trainer)
        found = {name: measured(job, best, asked.repeats) for name, job in jobs.items()}
    for name, part in found.items():
        print(f"{name:24s} {part.ms:7.1f} ms {part.gflop:6.2f} GFLOP {part.share_of_best:5.0%}")
    if asked.json:
        parts = {name: asdict(part) for name, part in found.items()}
        facts = {"threads": asked.threads, "best_gflop_s": round(best, 1), "parts": parts}
        write_json(asked.json, {**facts, **circumstances()})


def new_trainer(data: Path, out: Path, threads: int) -> Trainer:
    """With the default preset, one of its main steps done."""
    trainer = Trainer(data, out, with_changes(preset("default"), {"training.threads": threads}))
    trainer.step = trainer.config.training.main_steps.start
    trainer._train_one_step()
    return trainer


def parts_of(trainer: Trainer) -> dict[str, Job]:
    """What a step is made of, by name; whole steps of the three parts of training at the end."""
    model, settings = trainer.model, trainer.config.training
    window = trainer.lessons.windows.sample(0)
    frames, actions = torch.from_numpy(window.frames), torch.from_numpy(window.actions)
    pixels = model.encoder.normalise(frames.flatten(0, 1))
    embeddings = model.encode(frames).detach().requires_grad_()
    pairs = embeddings.detach().reshape(-1, 2, model.latent_dim).requires_grad_()
    regulariser = make_regulariser(settings)
    draw = torch.Generator().manual_seed(0)
    main = settings.main_steps

    def whole(step: int) -> Job:
        def job() -> None:
            trainer.step = step
            trainer._train_one_step()

        return job

    return {
        "draw windows": lambda: trainer.lessons.windows.sample(0),
        "pixels to floats": lambda: model.encoder.normalise(frames.flatten(0, 1)),
        "encoder": lambda: model.encoder.network(pixels).sum().backward(),
        "predictor": lambda: prediction_loss(model, embeddings, actions).total.backward(),
        "SIGReg": lambda: regulariser(embeddings, draw).backward(),
        "alignment of pairs": lambda: alignment(pairs).backward(),
        "Muon": lambda: trainer.optimiser.parts["muon"].step(),
        "AdamW": lambda: trainer.optimiser.parts["adamw"].step(),
        "a step of warm start": whole(0),
        "a step of both": whole(main.start),
        "a step of settling": whole(main.stop),
    }


def measured(job: Job, best: float, repeats: int) -> Part:
    """Time and count ``job``; ``best`` in GFLOP/s."""
    job()
    with FlopCounterMode(display=False) as counter:
        job()
    ms, gflop = median_ms(job, repeats), counter.get_total_flops() / 1e9
    return Part(round(ms, 2), round(gflop, 3), round(gflop / ms * 1e3 / best, 3))


def median_ms(job: Job, repeats: int) -> float:
    """Median wall time [ms] of ``repeats`` calls after one."""
    job()
    times = []
    for _ in range(repeats):
        began_s = time.perf_counter()
        job()
        times.append(1e3 * (time.perf_counter() - began_s))
    return sorted(times)[len(times) // 2]


if __name__ == "__main__":
    main()
