"""The map of the agent's own latent: what it may be kept by, one cell in small, its summary."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from agent.config import tiny
from agent.model.world_model import WorldModel
from agent.training.objective import regularised_loss
from envs import WorldSpec
from studies import latent_study
from studies.figures.latent import GROUPS
from studies.latent_regularisers import Projected, loss_behind, off_identity, regulariser_named
from studies.tables.latent import NAMES, latent_table

SMALL = {"data_episodes": 8, "main": 10, "settling": 10, "eval_episodes": 1}
DRAW = torch.Generator().manual_seed(3)


def gaussian(dim: int = 8) -> torch.Tensor:
    return torch.randn(64, 8, dim, generator=DRAW)


def test_the_covariance_is_the_identity_or_so_far_from_it() -> None:
    white = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]]) * (3 / 4) ** 0.5
    assert float(off_identity(white)) == pytest.approx(0.0, abs=1e-6)
    stretched = white * torch.tensor([2.0, 1.0])  # a variance of 4 for 1
    assert float(off_identity(stretched)) == pytest.approx(9 / 2)


@pytest.mark.parametrize("name", ["sigreg", "subspaces", "block"])
def test_a_gaussian_costs_what_a_gaussian_costs(name: str) -> None:
    asked = regulariser_named(name, 8, 2, seed=0)
    found = [float(asked(gaussian(), DRAW)) for _ in range(30)]
    assert sum(found) / 30 == pytest.approx(1.05, abs=0.25)


def test_a_block_leaves_the_others_free() -> None:
    asked = regulariser_named("block", 8, 2, seed=0)
    embeddings = gaussian().requires_grad_()
    asked(embeddings, DRAW).backward()
    gradient = embeddings.grad
    assert gradient is not None
    assert bool(gradient[..., :2].any()) and not bool(gradient[..., 2:].any())


def test_a_subspace_is_looked_at_whole_and_nothing_beside_it() -> None:
    asked = regulariser_named("subspaces", 4, 2, seed=0)  # one, of all four outputs
    turned = torch.linalg.qr(torch.randn(4, 4, generator=DRAW)).Q
    embeddings = gaussian(4) ** 3
    found = [float(asked(z, None)) for z in (embeddings, embeddings @ turned)]
    assert found[0] == pytest.approx(found[1], rel=0.5) and min(found) > 3


def test_a_projector_learns_as_it_is_asked() -> None:
    asked = regulariser_named("projector", 4, 2, seed=0)
    bent = gaussian(4).sign()
    found = []
    for _ in range(80):
        statistic = asked(bent, DRAW)
        statistic.backward()
        found.append(float(statistic))
    assert min(found[-20:]) < 0.7 * max(found[:5])
    assert float(regulariser_named("none", 4, 2, seed=0)(bent, None)) == 0.0


def test_behind_a_projector_that_does_nothing_the_loss_is_the_usual_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = WorldModel(tiny().model, WorldSpec("recorded:noise", "film", (16, 16), 2, 0.1))
        frames = torch.randint(256, (4, 6, 16, 16, 3), dtype=torch.uint8)
        window = frames, torch.rand(4, 5, 2 * tiny().model.action_block)
    asked, usual = (regulariser_named(name, 8, 2, seed=0) for name in ("behind", "sigreg"))
    assert isinstance(asked, Projected)
    draws = (torch.Generator().manual_seed(4) for _ in range(3))
    bent = loss_behind(model, asked, *window, 0.1, next(draws), True)
    monkeypatch.setattr(asked, "_network", torch.nn.Identity())
    found = loss_behind(model, asked, *window, 0.1, next(draws), True)
    expected = regularised_loss(model, usual, *window, 0.1, next(draws), True)
    assert found.values() == pytest.approx(expected.values(), rel=1e-5)
    assert bent.values()[1] != pytest.approx(expected.values()[1], rel=1e-3)


def test_every_regulariser_has_a_colour_and_a_name() -> None:
    asked = {job["regulariser"] for job in latent_study.jobs("full")}
    assert asked == set(NAMES) == {name for group in GROUPS.values() for name in group}


def test_a_cell_is_trained_probed_and_driven(tmp_path: Path) -> None:
    cell = next(c for c in latent_study.jobs("full") if c["world"] == "two-room")
    settings = {**cell, **SMALL, "latent_dim": 8, "warm": 10}
    (tmp_path / "0").mkdir()
    found = latent_study.measure(settings, tmp_path / "0")
    json.dumps(found, allow_nan=False)
    assert found.keys().isdisjoint(settings)
    assert set(found) == {"collapsed", *latent_study.MEASURES}
    summary = latent_study.conclude([{**settings, **found}])
    assert len(latent_table({"summary": summary})) == 3


def test_what_collapsed_is_said_and_left_out() -> None:
    jobs = latent_study.jobs("quick")
    rows = [{**job, "collapsed": True} for job in jobs]
    summary = latent_study.conclude(rows)
    assert summary["collapsed"] == summary["runs"] == len(jobs)
    assert all("collapsed" in line for line in latent_table({"summary": summary})[2:])


def test_control_that_follows_a_probe_has_rank_correlation_one() -> None:
    same = dict.fromkeys(latent_study.MEASURES, 0.5)
    rows = [
        {**job, **same, "collapsed": False, "worst_r2": 0.1 * i, "held": 0.2 * i}
        for i, job in enumerate(latent_study.jobs("quick"))
    ]
    links = latent_study.conclude(rows)["rank_correlation_with_held"]["reacher"]
    assert links["worst_r2"]["rho"] == pytest.approx(1.0)
    assert links["sigreg"] is None  # nothing varies: nothing to say
