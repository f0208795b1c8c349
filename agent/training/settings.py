"""The settings of training, beside the code that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from agent.machine.cores import usable_cores
from agent.settings import require_seed

REGULARISERS = ("sigreg", "sigreg-per-step", "vicreg")
OPTIMISERS = ("muon", "adamw")
# A step, of one of both with as many frames: results/speed/roofline.json.
_OF_PAIRS, _OF_SETTLING = 0.77, 0.17
PRECISIONS = ("float32", "bfloat16")
MAX_THREADS = max(64, 4 * usable_cores())  # OpenMP ends the process where it gets none


@dataclass(frozen=True)
class TrainingConfig:
    """How a world model is trained.

    ``steps`` gradient steps on ``batch`` windows of ``window_frames`` frames each; the first L
    frames are context, the others are predicted. ``regulariser`` is one of ``REGULARISERS`` and
    ``sigreg_weight`` is λ, its weight, whichever it is; over the main part it falls to
    ``sigreg_fade`` of that, as what is laid out need only be kept. ``multi_step``: predictions fed
    back are trained too; without it a predictor that predicts after every frame learns from all of
    them.

    In the first ``warm_start`` of the steps, a share, the encoder alone learns from pairs of frames
    ``warm_start_lags`` env steps apart, as many frames a step as later; in the last, ``settling``,
    the encoder rests and the predictor learns alone (:mod:`agent.training.lessons`), from windows
    of ``settling_frames``, but no longer than nine in ten episodes; 0: as ``window_frames``.

    With ``optimiser`` "muon" matrices learn by Muon at ``matrix_learning_rate``, all else by AdamW
    at ``learning_rate``; with "adamw" everything does the latter, with ``weight_decay``. Rates rise
    over ``warmup_fraction`` of the steps and then fall along a cosine, in each of the three parts
    anew. ``threads`` of torch:
    results repeat to the bit for the same number only. ``device`` as torch names it, "cpu" or
    "cuda"; checkpoints are the same on both, and controllers act on the CPU. ``precision`` of the
    products inside the networks: "bfloat16" is worth it for large layers only (LeWorldModel's
    learn 1.8 times as fast); weights, losses and regulariser keep float32. ``memory_gb`` is what
    the process may take; frames that do not fit are read in turn. 0: 60 % of what is free, for
    frames.
    """

    steps: int = 3000
    batch: int = 64
    window_frames: int = 8
    learning_rate: float = 3e-3
    matrix_learning_rate: float = 0.02
    warmup_fraction: float = 0.05
    gradient_clip: float = 5.0
    sigreg_weight: float = 0.01
    sigreg_directions: int = 64
    holdout_fraction: float = 0.05
    diagnose_every: int = 500
    save_every: int = 500
    seed: int = 0
    threads: int = 2
    regulariser: str = "sigreg"
    multi_step: bool = True
    optimiser: str = "muon"
    weight_decay: float = 0.0
    device: str = "cpu"
    precision: str = "float32"
    memory_gb: float = 0.0
    sigreg_fade: float = 1.0
    warm_start: float = 0.0
    warm_start_lags: tuple[int, ...] = (4, 8)
    settling: float = 0.0
    settling_frames: int = 0

    @property
    def main_steps(self) -> range:
        """The gradient steps between warm start and settling."""
        return range(round(self.warm_start * self.steps), round((1 - self.settling) * self.steps))

    def effort(self, steps: int) -> float:
        """Time that the first ``steps`` take, counted in steps of both networks."""
        main, frames = self.main_steps, self.window_frames
        before, after = min(steps, main.start), max(0, steps - main.stop)
        of_pairs = _OF_PAIRS * (frames // 2 * 2) / frames
        of_settling = _OF_SETTLING * (self.settling_frames or frames) / frames
        return of_pairs * before + (steps - before - after) + of_settling * after

    def longest_window(self, action_block: int) -> int:
        """Rows that every window fits in: of both networks, and of a warm start where there is one.

        Windows of settling shrink to the episodes there are.
        """
        lags = self.warm_start_lags if self.main_steps.start else ()
        return 1 + max((self.window_frames - 1) * action_block, *lags, 0)

    def __post_init__(self) -> None:
        counts = ("steps", "batch", "sigreg_directions", "diagnose_every", "save_every", "threads")
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)}")
        for name in ("learning_rate", "matrix_learning_rate"):
            if not 0 < getattr(self, name) < inf:
                raise ValueError(f"expected {name} > 0, got {getattr(self, name)}")
        if not self.gradient_clip > 0:
            raise ValueError(f"expected gradient_clip > 0, got {self.gradient_clip}")
        choices = {
            "regulariser": REGULARISERS, "optimiser": OPTIMISERS, "precision": PRECISIONS,
        }  # fmt: skip
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(f"expected {name} of {known}, got {getattr(self, name)!r}")
        for name in ("sigreg_weight", "weight_decay", "memory_gb"):
            if not 0 <= getattr(self, name) < inf:
                raise ValueError(f"expected {name} >= 0, got {getattr(self, name)}")
        require_seed(self.seed)
        if self.window_frames < 2:
            raise ValueError(f"expected window_frames >= 2, got {self.window_frames}")
        if self.settling_frames < 2 and self.settling_frames != 0:
            raise ValueError(f"expected settling_frames >= 2, or 0, got {self.settling_frames}")
        for name in ("warmup_fraction", "warm_start", "settling"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"expected {name} in [0, 1), got {getattr(self, name)}")
        if self.warm_start + self.settling >= 1:
            raise ValueError("expected warm_start and settling to leave some of the steps")
        if not 0 <= self.sigreg_fade <= 1:
            raise ValueError(f"expected sigreg_fade in [0, 1], got {self.sigreg_fade}")
        if not self.warm_start_lags or min(self.warm_start_lags) < 1:
            raise ValueError(f"expected warm_start_lags >= 1, got {self.warm_start_lags}")


@dataclass(frozen=True)
class HeadTraining:
    """How an action head is taught: ``steps`` gradient steps on ``batch`` imagined episodes.

    Each is ``horizon`` model steps long. ``effort`` and ``change`` weigh actions and their changes.
    """

    steps: int = 1000
    batch: int = 192
    horizon: int = 10
    learning_rate: float = 1e-3
    effort: float = 0.01
    change: float = 0.02

    def __post_init__(self) -> None:
        if self.steps < 0 or self.batch < 2 or self.horizon < 1:
            raise ValueError(
                "expected steps >= 0, batch >= 2 and horizon >= 1, got "
                f"{self.steps}, {self.batch} and {self.horizon}"
            )
        if not 0 < self.learning_rate < inf:
            raise ValueError(f"expected learning_rate > 0, got {self.learning_rate}")
        for name in ("effort", "change"):
            if not 0 <= getattr(self, name) < inf:
                raise ValueError(f"expected {name} >= 0, got {getattr(self, name)}")
