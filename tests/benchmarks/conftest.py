"""Measuring that plays nothing: what is measured is made up, everything around it is real."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from made_results import result

from agent.commands import measuring
from agent.commands.measurement import Measurement
from agent.errors import UserError


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Measurement]:
    """The jobs that were measured: all hits; ``oracle`` is refused."""
    jobs_done: list[Measurement] = []

    def measure(
        jobs: Sequence[Measurement], workers: int, cluster: str = ""
    ) -> Iterator[tuple[int, dict[str, Any] | UserError]]:
        for number, job in enumerate(jobs):
            jobs_done.append(job)
            refused = job.controller == "oracle"
            yield number, UserError("it will not") if refused else made_for(job)

    monkeypatch.setattr(measuring, "measure_each", measure)
    return jobs_done


def made_for(job: Measurement) -> dict[str, Any]:
    """The result of ``job``, at the price and of the training that its checkpoint tells of."""
    from agent.commands.checkpoints import origin_of_checkpoint
    from agent.evaluation.results import UNLEARNED
    from agent.files.bundle import bundle_sha256
    from benchmarks.campaign.subject import definition

    origin = origin_of_checkpoint(job.checkpoint) if job.checkpoint else UNLEARNED
    assert job.protocol is not None
    return result(
        [True] * job.episodes,
        controller=job.controller,
        protocol=job.protocol,
        seed=job.seed,
        training_seed=origin["training_seed"],
        env_steps=origin["bought_with"]["env_steps"] if job.checkpoint else None,
        protocol_definition=definition(job.protocol),
        checkpoint_sha256=bundle_sha256(job.checkpoint) if job.checkpoint else None,
        wall_clock_s=4.0,
    )
