"""``demo``: everything in a row, from an empty directory to a report."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import arg

from agent.commands.baseline import Baseline, BesideOthers
from agent.commands.collect import Collect
from agent.commands.console import say
from agent.commands.measurement import Measurement
from agent.commands.parsing import line_of
from agent.commands.train import Train
from agent.commands.values import MOST, Count, Parallel, Seed, Within, optional
from agent.commands.worlds_asked import DEFAULT_WORLD, USUAL_BEHAVIOUR, WorldAsked
from agent.files.bundle import STATE, bundle_sha256, has_bundle
from agent.files.folders import DEMO, writing_into
from agent.files.json_files import write_json
from agent.machine.cores import usable_cores
from agent.model.shipped import DEMOS_MODEL, find_checkpoint
from agent.training.recorder import read_metrics

if TYPE_CHECKING:
    from agent.commands.measuring import Job

SAC_ENV_STEPS = 30_400  # what baseline takes


@dataclass(frozen=True)
class Demo:
    """Train a world model from nothing, measure it, film it, and write a report.

    In a row: record rollouts, train the world model, train SAC on true states as its rival while
    the others are evaluated, evaluate it too, beside a random and an idle controller on goals
    never seen, film three episodes, write report.html. Five minutes on two cores, 1.5 GB of
    memory. Interrupted, it continues where it stopped when the same command is run again.

    Examples:
      python run_agent.py demo
      python run_agent.py demo --world two-room --out runs/two-room
      python run_agent.py demo --world dmc:point_mass-easy --out runs/point-mass
    """

    out: Annotated[Path | None, optional("DIR", "runs/demo, or runs/WORLD")] = None
    """Directory of everything it makes."""
    world: Annotated[str, arg(metavar="NAME")] = DEFAULT_WORLD
    """Which world; `worlds` lists them."""
    preset: Literal["default", "brisk", "tiny"] = "default"
    """Settings of the world model: the real thing, in two thirds of its time, or seconds to see
    that everything runs."""
    rollouts: Annotated[int, Within(2, MOST)] = 300
    """Episodes of 200 env steps to learn from."""
    steps: Annotated[int | None, optional("INT", "what the world takes")] = None
    """Gradient steps of the world model."""
    behaviour: Annotated[str, arg(metavar="NAME")] = USUAL_BEHAVIOUR
    """How the world is moved while it is recorded."""
    sac_env_steps: Annotated[int, Within(0, MOST)] = SAC_ENV_STEPS
    """Env steps SAC learns from, in whole episodes; 0 leaves it out."""
    episodes: Count = 300
    """Episodes of each evaluation."""
    seed: Seed = 0
    """Everything random in training follows from it."""
    evaluation_seed: Seed = 2000
    """Decides starts and goals of the evaluations."""
    workers: Annotated[Parallel, optional("INT", "every core")] = field(
        default_factory=usable_cores
    )
    """Cores to use."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return f"What was finished is kept in {self.place}; run the same command again to continue."

    def run(self) -> None:
        """Do what is not done yet, and say where the report is."""
        self._check()
        with writing_into(self.place, DEMO):
            self._do_stages()

    def _do_stages(self) -> None:
        from agent.commands.demo_report import REPORT_NAME, write_demo_report
        from agent.commands.live import Live
        from agent.commands.scores import show_scores
        from agent.commands.stages import Stages
        from agent.reporting.verdict import verdict

        protocols = self._protocols()
        kept = {name: value for name, value in vars(self).items() if name not in ("out", "workers")}
        stages = Stages(self.place, kept)
        stages.do("rollouts", line_of(self.collecting), self.collecting.run)
        stages.do("world model", line_of(self.training), self._train)
        evaluating = "python run_agent.py evaluate (each below)"
        measuring = f"{line_of(self.rival)}; {evaluating}" if self.has_rival else evaluating
        stages.do(self._measuring, measuring, self._evaluate)
        stages.do("films and report", "", lambda: write_demo_report(self, self.results(), stages))
        for protocol in protocols:
            show_scores([r for r in self.results() if r["protocol"] == protocol])
        for line in verdict(self.results(), read_metrics(self.world_model)):
            say(line)
        say(f"report: {self.place / REPORT_NAME}, all in {stages.total}")
        beside = self.sac if self.has_rival else None
        again = Live(self.world_model, self._world_to_name(), data=self.data, beside=beside)
        say(f"play with it: {line_of(again)}")

    def _world_to_name(self) -> str | None:
        """What --world must say of the model; None where its own word is enough."""
        from agent.model.description import checkpoint_spec, world_to_name

        spec = checkpoint_spec(find_checkpoint(self.world_model))
        return None if world_to_name(spec.world) is None else self.world

    @property
    def place(self) -> Path:
        """Where everything goes."""
        from envs import without_tolerances

        world = re.sub(r"[\W_]", "-", without_tolerances(self.world)).strip("-")
        return self.out or Path("runs") / ("demo" if self.world == DEFAULT_WORLD else world)

    @property
    def data(self) -> Path:
        """Where the rollouts go."""
        return self.place / "data"

    @property
    def world_model(self) -> Path:
        """Where the world model is trained."""
        return self.place / DEMOS_MODEL

    @property
    def sac(self) -> Path:
        """Where SAC is trained."""
        return self.place / "sac"

    @property
    def has_rival(self) -> bool:
        """Whether SAC takes part."""
        return self.sac_env_steps > 0

    def results(self) -> list[dict[str, Any]]:
        """What was measured, ours first."""
        from agent.evaluation.results import read_result

        return [
            read_result(self._result_path(j.controller, str(j.protocol)))
            for j in self._jobs(self._players())
        ]

    def _check(self) -> None:
        from agent.commands.demo_checks import check

        check(self)

    def training_steps(self) -> int | None:
        """Gradient steps; None: the preset's."""
        from envs import entry_of

        entry = entry_of(self.world)
        if self.steps is not None or entry is None or self.preset != "default":
            return self.steps
        return entry.training_steps

    @property
    def collecting(self) -> Collect:
        """What records the rollouts."""
        return Collect(
            self.data, self.world, episodes=self.rollouts, behaviour=self.behaviour,
            workers=self.workers, seed=self.seed,
        )  # fmt: skip

    @property
    def training(self) -> Train:
        """What trains the world model."""
        return Train(
            str(self.data), self.world_model, preset=self.preset, seed=self.seed,
            threads=self.workers, steps=self.training_steps(),
        )  # fmt: skip

    @property
    def rival(self) -> Baseline:
        """What trains SAC; its own number of steps is rounded to whole episodes of the world."""
        steps = None if self.sac_env_steps == SAC_ENV_STEPS else self.sac_env_steps
        return Baseline(self.sac, world=self.world, env_steps=steps, seed=self.seed)

    def _train(self) -> None:
        replace(self.training, resume=has_bundle(self.world_model / STATE)).run()

    def _protocols(self) -> list[str]:
        """Two to four tasks of the world, its own where it has some."""
        from agent.commands.demo_protocols import protocols_of

        return list(dict.fromkeys(protocols_of(self.world, self.evaluation_seed).values()))

    @property
    def _measuring(self) -> str:
        return "SAC and evaluation" if self.has_rival else "evaluation"

    def _players(self) -> dict[str, Path | None]:
        """Whoever is measured, ours first, and their checkpoints."""
        places = {"world-model": self.world_model} | ({"sac": self.sac} if self.has_rival else {})
        learned = {name: find_checkpoint(place) for name, place in places.items()}
        return {**learned, "random": None, "noop": None}

    def _jobs(self, players: Mapping[str, Path | None]) -> list[Measurement]:
        return [
            Measurement(
                name, checkpoint, WorldAsked(self.world), protocol, self.episodes,
                self.evaluation_seed,
            )
            for protocol in self._protocols()
            for name, checkpoint in players.items()
        ]  # fmt: skip

    def _evaluate(self) -> None:
        """Measure what is not measured yet, SAC when it has learned, which it does meanwhile."""
        ours = self._jobs({"world-model": find_checkpoint(self.world_model)})
        floors = self._jobs({"random": None, "noop": None})
        learning: list[Job] = [BesideOthers(self.rival, self.episodes)] if self.has_rival else []
        self._do_each([*learning, *self._unmeasured(ours), *self._unmeasured(floors)])
        self._do_each(self._unmeasured(self._jobs(self._players())))

    def _do_each(self, jobs: Sequence[Job]) -> None:
        """The long ones first; each result is kept as soon as it is known."""
        from agent.commands.measuring import measure_each

        for _, result in measure_each(jobs, self.workers, called=self._measuring) if jobs else ():
            if isinstance(result, Exception):
                raise result
            if result:
                write_json(self._result_path(result["controller"], result["protocol"]), result)

    def _unmeasured(self, jobs: Sequence[Measurement]) -> list[Measurement]:
        return [job for job in jobs if not self._is_measured(job)]

    def _is_measured(self, job: Measurement) -> bool:
        """Whether its result is there, and of the checkpoint that is there now."""
        from agent.evaluation.results import read_result

        path = self._result_path(job.controller, str(job.protocol))
        known = bundle_sha256(job.checkpoint) if job.checkpoint else None
        return path.exists() and bool(read_result(path)["checkpoint_sha256"] == known)

    def _result_path(self, controller: str, protocol: str) -> Path:
        return self.place / "results" / f"{protocol}-{controller}.json"
