"""Two ranks with half a batch each do what one does with the whole."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rank_programs import followed

from agent.config import ExperimentConfig, preset
from agent.errors import UserError
from agent.model.checkpoint import checkpoint_facts, load_checkpoint
from agent.settings import to_dict
from agent.training import ranks
from agent.training.fit import require_fit
from agent.training.recorder import read_metrics
from agent.training.trainer import Trainer

Config = Callable[..., ExperimentConfig]
ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).with_name("rank_programs.py")


def torchrun(
    words: list[str], count: int = 2, waits_s: float = 180
) -> list[subprocess.CompletedProcess[str]]:
    """What ``count`` ranks of ``python WORDS`` said, started as torchrun starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(count)}
    place |= {"LOCAL_WORLD_SIZE": str(count), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen(
            [sys.executable, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **place, "RANK": str(rank), "LOCAL_RANK": str(rank)}, cwd=ROOT,
        )
        for rank in range(count)
    ]  # fmt: skip
    told = []
    for process in started:
        out, err = process.communicate(timeout=waits_s)
        told.append(subprocess.CompletedProcess(process.args, process.returncode, out, err))
    return told


def kinds(config: Config) -> dict[str, ExperimentConfig]:
    """All three lessons, both regularisers and both kinds of network, each with BatchNorm."""
    ours = config(steps=20, batch=8, warm_start=0.2, settling=0.2)
    lewm = preset("lewm-tiny")
    still = replace(lewm.model, predictor=replace(lewm.model.predictor, dropout=0.0))
    quick = replace(lewm.training, steps=5, batch=8, holdout_fraction=0.25, threads=1)
    return {
        "sigreg": ours,
        "vicreg": replace(
            ours, training=replace(ours.training, regulariser="vicreg", steps=5, warm_start=0.0)
        ),
        "lewm": replace(lewm, model=still, training=quick),
    }


@dataclass(frozen=True)
class Together:
    """What two ranks left in ``place``, all of it in one start, and what each said."""

    place: Path
    settings: ExperimentConfig
    told: list[subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def together(data: Path, tmp_path_factory: pytest.TempPathFactory, config: Config) -> Together:
    place = tmp_path_factory.mktemp("together")
    settings = config(steps=20, batch=8, save_every=5)
    running = Trainer(data, place / "resume", settings).run()
    next(running)
    running.close()
    follow = {kind: to_dict(asked) for kind, asked in kinds(config).items()}
    jobs: list[tuple[str, dict[str, Any]]] = [("follow", follow)]
    jobs += [(how, to_dict(settings)) for how in ("resume", "interrupted", "dies")]
    told = json.dumps([(how, str(place / how), asked) for how, asked in jobs])
    return Together(place, settings, torchrun([str(PROGRAMS), str(data), told]))


def test_two_ranks_are_one(together: Together, data: Path, tmp_path: Path, config: Config) -> None:
    alone = followed(data, tmp_path / "alone", kinds(config))
    first, second = (torch.load(together.place / f"follow.{rank}") for rank in range(2))
    for kind, one in alone.items():
        two = first[kind]
        torch.testing.assert_close(two["losses"], one["losses"], rtol=1e-8, atol=0, equal_nan=True)
        apart = (two["gradients"] - one["gradients"]).norm(dim=1) / one["gradients"].norm(dim=1)
        assert float(apart.max()) < 1e-6, kind
        for name, value in one["state"].items():
            assert torch.equal(two["state"][name], second[kind]["state"][name]), name
            torch.testing.assert_close(two["state"][name], value, rtol=1e-6, atol=1e-6)


def test_a_batch_that_has_no_part_for_every_rank_is_refused(
    monkeypatch: pytest.MonkeyPatch, config: Config
) -> None:
    monkeypatch.setattr(ranks, "count", lambda: 3)
    require_fit(config(batch=9))
    with pytest.raises(UserError, match=r"divisible by the 3 ranks, got 4"):
        require_fit(config(batch=4))


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A run of two ranks, and what each said."""
    out = tmp_path_factory.mktemp("ranks") / "run"
    return out, torchrun(["run_agent.py", *command(data, out)])


def command(data: Path, out: Path, *more: str) -> list[str]:
    words = ["train", "--data", str(data), "--out", str(out), "--preset", "tiny", "--steps", "12"]
    return [*words, "--training.save-every", "4", *more]


def test_the_first_rank_alone_writes_and_speaks(
    trained: tuple[Path, list[Any]], data: Path, tmp_path: Path
) -> None:
    out, (first, second) = trained
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert f"wrote {out / 'checkpoint'}" in first.stdout
    assert second.stdout == "" and "error" not in second.stderr
    assert [report["step"] for report in read_metrics(out)] == [10, 12]
    assert checkpoint_facts(out / "checkpoint")["ranks"] == 2
    assert "head" in checkpoint_facts(out / "checkpoint")


def test_another_number_of_ranks_goes_on(together: Together, data: Path, tmp_path: Path) -> None:
    settings, run = together.settings, together.place / "resume"
    assert [report.step for report in Trainer(data, run, settings, True).run()] == []
    whole = Trainer(data, tmp_path / "whole", settings)
    assert [report.step for report in whole.run()] == [10, 20]
    theirs = load_checkpoint(run / "checkpoint").encoder.state_dict()
    for name, value in whole.model.encoder.state_dict().items():
        if value.is_floating_point() and "running" in name:
            torch.testing.assert_close(theirs[name], value, rtol=0.02, atol=0.02)


def test_what_one_rank_cannot_do_is_said_once(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    told = torchrun(["run_agent.py", *command(data, out, "--training.batch", "9")])
    assert [rank.returncode for rank in told] == [2, 4]
    assert "error: expected --training.batch to be divisible by the 2 ranks" in told[0].stderr
    assert told[1].stderr == ""
    assert not (out / "training_state").exists()


def test_an_interrupt_of_one_rank_stops_all_after_the_same_step(
    together: Together, data: Path
) -> None:
    assert [rank.stdout for rank in together.told] == ["interrupted: interrupted\n"] * 2
    left = Trainer(data, together.place / "interrupted", together.settings, resume=True)
    assert left.step == 19  # told with the next losses


def test_a_rank_that_dies_leaves_the_last_state_and_a_word(together: Together, data: Path) -> None:
    first, second = together.told
    assert second.returncode == -9
    assert "LostRankError: lost the connection to another rank" in first.stderr
    assert Trainer(data, together.place / "dies", together.settings, resume=True).step == 15
