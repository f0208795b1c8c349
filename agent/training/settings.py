"""The settings of training, beside the code that reads them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingConfig:
    """How a world model is trained.

    ``steps`` gradient steps on ``batch`` windows of ``window_frames`` frames each; the first L
    frames are context, the others are predicted. ``sigreg_weight`` is λ. Matrices learn by Muon
    at ``matrix_learning_rate``, all else by AdamW at ``learning_rate``; both rise over
    ``warmup_fraction`` of the steps and then fall along a cosine. ``threads`` of torch: results
    repeat to the bit for the same number only.
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

    def __post_init__(self) -> None:
        counts = ("steps", "batch", "sigreg_directions", "diagnose_every", "save_every", "threads")
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)}")
        for name in ("learning_rate", "matrix_learning_rate", "gradient_clip"):
            if not getattr(self, name) > 0:
                raise ValueError(f"expected {name} > 0, got {getattr(self, name)}")
        for name in ("sigreg_weight", "seed"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"expected {name} >= 0, got {getattr(self, name)}")
        if self.window_frames < 2:
            raise ValueError(f"expected window_frames >= 2, got {self.window_frames}")
        if not 0 <= self.warmup_fraction < 1:
            raise ValueError(f"expected warmup_fraction in [0, 1), got {self.warmup_fraction}")
