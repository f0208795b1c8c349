"""``demo``: everything in a row, from an empty directory to a report."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import arg

PROTOCOLS = ("anywhere", "lewm")  # the longer one first, so that the cores end together
REPORT_NAME = "report.html"


@dataclass(frozen=True)
class Demo:
    """Train a world model from nothing, measure it, film it, and write a report.

    In a row: record rollouts, train the world model, train SAC on true states as its rival,
    evaluate both beside a random and an idle controller on goals never seen, film three
    episodes, write report.html. About a quarter of an hour on two cores. Interrupted, it
    continues where it stopped when the same command is run again.

    Example:
      python run_agent.py demo --out runs/demo
    """

    out: Annotated[Path, arg(metavar="DIR")] = Path("runs/demo")
    """Directory of everything it makes."""
    preset: Literal["reacher-cpu", "tiny"] = "reacher-cpu"
    """Settings of the world model: the real thing, or seconds to see that everything runs."""
    rollouts: int = 400
    """Episodes of 200 env steps to learn from."""
    sac_env_steps: int = 30_400
    """Env steps SAC learns from."""
    episodes: int = 300
    """Episodes of each evaluation."""
    seed: int = 0
    """Everything random in training follows from it."""
    evaluation_seed: int = 2000
    """Decides starts and goals of the evaluations."""
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Cores to use."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return f"What was finished is kept in {self.out}; run the same command again to continue."

    def run(self) -> None:
        """Do what is not done yet, and say where the report is."""
        from agent.commands.console import say
        from agent.commands.scores import show_scores
        from agent.commands.stages import Stages

        stages = Stages(self.out, self._settings())
        stages.do("rollouts", self._collect_command, self._collect)
        stages.do("world model", self._train_command, self._train)
        stages.do("SAC", self._sac_command, self._sac)
        stages.do("evaluation", "python run_agent.py evaluate (each below)", self._evaluate)
        stages.do("films and report", "", lambda: self._report(stages))
        for protocol in reversed(PROTOCOLS):
            results = [r for r in self._results() if r["protocol"] == protocol]
            show_scores(f"{protocol}, {self.episodes} episodes", results)
        say(f"report: {self.out / REPORT_NAME}, all in {stages.total}")

    @property
    def data(self) -> Path:
        """Where the rollouts go."""
        return self.out / "data"

    @property
    def world_model(self) -> Path:
        """Where the world model is trained."""
        return self.out / "world-model"

    @property
    def sac(self) -> Path:
        """Where SAC is trained."""
        return self.out / "sac"

    @property
    def _collect_command(self) -> str:
        return (
            f"python run_agent.py collect --out {self.data} --episodes {self.rollouts} "
            f"--seed {self.seed}"
        )

    @property
    def _train_command(self) -> str:
        return (
            f"python run_agent.py train --data {self.data} --out {self.world_model} "
            f"--preset {self.preset} --seed {self.seed}"
        )

    @property
    def _sac_command(self) -> str:
        return (
            f"python run_agent.py baseline --out {self.sac} --env-steps {self.sac_env_steps} "
            f"--seed {self.seed}"
        )

    def _settings(self) -> dict[str, Any]:
        kept = ("preset", "rollouts", "sac_env_steps", "episodes", "seed", "evaluation_seed")
        return {name: getattr(self, name) for name in kept}

    def _collect(self) -> None:
        from agent.commands.collect import Collect

        Collect(self.data, episodes=self.rollouts, workers=self.workers, seed=self.seed).run()

    def _train(self) -> None:
        from agent.commands.train import Train
        from agent.model.bundle import STATE, has_bundle

        begun = has_bundle(self.world_model / STATE)
        Train(
            self.data, self.world_model, self.preset, begun, seed=self.seed, threads=self.workers
        ).run()

    def _sac(self) -> None:
        from agent.commands.baseline import Baseline
        from agent.model.bundle import STATE, has_bundle

        begun = has_bundle(self.sac / STATE)
        Baseline(self.sac, env_steps=self.sac_env_steps, seed=self.seed, resume=begun).run()

    def _evaluate(self) -> None:
        from agent.commands.checkpoints import find_checkpoint
        from agent.commands.controllers import ControllerName
        from agent.commands.evaluate import Measurement
        from agent.commands.measuring import measure_all
        from agent.data.json_files import write_json

        ours, rival = find_checkpoint(self.world_model), find_checkpoint(self.sac)
        learned: dict[ControllerName, Path | None] = {
            "world-model": ours, "sac": rival, "random": None, "noop": None,
        }  # fmt: skip
        jobs = [
            Measurement(name, checkpoint, protocol, self.episodes, self.evaluation_seed)
            for name, checkpoint in learned.items()
            for protocol in PROTOCOLS
        ]
        for result in measure_all(jobs, self.workers):
            write_json(self._result_path(result["controller"], result["protocol"]), result)

    def _results(self) -> list[dict[str, Any]]:
        from agent.evaluation.results import read_result

        names = ("world-model", "sac", "random", "noop")
        paths = [self._result_path(name, p) for p in reversed(PROTOCOLS) for name in names]
        return [read_result(path) for path in paths]

    def _result_path(self, controller: str, protocol: str) -> Path:
        return self.out / "results" / f"{protocol}-{controller}.json"

    def _report(self, stages: Any) -> None:
        from agent.commands.demo_report import write_demo_report

        write_demo_report(self, self._results(), stages.so_far())
