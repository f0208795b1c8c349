"""AdamW against torch's own, to the bit, and what it is for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from agent.training.adamw import AdamW

REPOSITORY = Path(__file__).parents[2]


def trained(kind: type[torch.optim.Optimizer], decay: float) -> list[torch.Tensor]:
    """Weights after gradients of all sizes, under a schedule that moves rate and momentum."""
    draw = torch.Generator().manual_seed(0)
    weights = [torch.randn(shape, generator=draw).requires_grad_() for shape in ((), (5,), (3, 4))]
    optimiser = kind(weights, lr=0.01, weight_decay=decay)  # type: ignore[call-arg]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=30)
    for step in range(30):
        for weight in weights[step % 3 :]:  # not all of them have a gradient at every step
            weight.grad = 10.0 ** (step % 7 - 3) * torch.randn(weight.shape, generator=draw)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
    return [weight.detach() for weight in weights]


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_it_is_torchs_to_the_bit(decay: float) -> None:
    ours, theirs = (trained(kind, decay) for kind in (AdamW, torch.optim.AdamW))
    assert all(map(torch.equal, ours, theirs))


def test_what_it_has_learned_comes_back() -> None:
    weight = torch.ones(3, requires_grad=True)
    optimiser = AdamW([weight], lr=0.1)
    weight.grad = torch.tensor([1.0, -2.0, 0.5])
    optimiser.step()
    again = AdamW([torch.ones(3, requires_grad=True)], lr=0.1)
    again.load_state_dict(optimiser.state_dict())
    kept = again.state_dict()["state"][0]
    assert float(kept["step"]) == 1
    assert torch.equal(kept["exp_avg"], optimiser.state_dict()["state"][0]["exp_avg"])


def test_a_training_loads_no_compiler(data: Path, tmp_path: Path) -> None:
    script = (
        "import sys, run_agent; run_agent.main(sys.argv[1:]); "
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    words = ["train", "--preset", "tiny", "--data", str(data), "--out", str(tmp_path)]
    words += ["--steps", "4"]
    subprocess.run([sys.executable, "-c", script, *words], cwd=REPOSITORY, check=True)
