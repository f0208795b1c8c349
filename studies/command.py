"""The studies of when LeJEPA learns the world's own variables, as one command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, arg

from agent.commands.values import Cluster, Parallel
from agent.machine.cores import usable_cores

if TYPE_CHECKING:
    from studies.runner import Report

StudyName = Literal[
    "worlds", "scaling", "law", "bound", "conditions", "circles", "circle-law",
    "closed-loop", "reacher-ou", "reacher-trajectories", "latent", "all",
]  # fmt: skip


@dataclass(frozen=True)
class Studies:
    """Study when LeJEPA finds the world's own variables: one study by name, or all.

    worlds: four nonlinear 2-D mixings and three objectives. scaling: more and more latent
    variables. law: latents that are not Gaussian, with FastICA beside. bound: the approximate
    theorem against the measured error. conditions: each condition of the theorem broken alone.
    circles: what is kept of circles, intervals and lines, as predicted. circle-law: from Gaussian
    joints to joints that go round. closed-loop: what recovery buys, as cost over the optimum.
    reacher-ou, reacher-trajectories: pictures of the arm. latent: the world model
    itself, what keeps its embedding, and what that holds.

    Writes STUDY.json and STUDY.png into --out. Every finished run is kept: interrupted, the same
    command continues, and its figures are those of an uninterrupted one.

    Examples:
      python -m studies worlds
      python -m studies all --preset full --out runs/identifiability-full
      python -m studies latent --preset full --seeds 1 --out runs/identifiability-full
    """

    study: Annotated[Positional[StudyName], arg(metavar="STUDY")]
    """Which study, or all."""
    preset: Literal["quick", "full"] = "quick"
    """quick: minutes on two cores for all studies; full: more seeds and sizes, hours."""
    out: Annotated[Path, arg(metavar="DIR")] = Path("runs/identifiability")
    """Directory of the results; each study has its files in it. The published ones are in
    results/identifiability and results/identifiability-full."""
    seeds: Annotated[
        int | None, arg(metavar="INT", help_behavior_hint="(default: all of the preset)")
    ] = None
    """Only the first so many seeds of each setting; more of them later go on from there."""
    workers: Parallel = field(default_factory=usable_cores)
    """Processes at work, one thread each. Changes the time it takes, never a figure."""
    cluster: Cluster = ""
    """In their place all cores of the Ray cluster at HOST:PORT; `local` starts one here."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return f"Every finished run in {self.out} is kept; run the same command again to continue."

    def run(self) -> None:
        """Do what is missing of each study, conclude, and draw it."""
        from agent.cluster import one_cluster
        from agent.errors import UserError
        from studies.catalogue import HOMES

        if self.workers < 1:
            raise UserError(f"expected --workers of 1 or more, got {self.workers}")
        if self.seeds is not None and self.seeds < 1:
            raise UserError(f"expected --seeds of 1 or more, got {self.seeds}")
        names = tuple(HOMES) if self.study == "all" else (self.study,)
        self._require_seeds(names)
        with one_cluster(self.cluster, self.workers):
            for name in names:
                self._run(name)

    def _require_seeds(self, names: Sequence[str]) -> None:
        """UserError if more seeds are asked for than any of the studies has."""
        from agent.errors import UserError
        from studies.catalogue import load

        jobs = [job for name in names for job in load(name).jobs(self.preset)]
        most = 1 + max(job["seed"] for job in jobs)
        if (self.seeds or 1) > most:
            raise UserError(
                f"expected --seeds of at most {most}, as many as --preset {self.preset} has of "
                f"{self.study}, got {self.seeds}"
            )

    def _run(self, name: str) -> None:
        from agent.commands.console import say, show_facts
        from agent.commands.progress import follow
        from agent.reporting.style import save_png
        from studies.catalogue import load
        from studies.figures import draw
        from studies.runner import Runner

        self._require_place(name)
        runner = Runner(load(name), self.preset, self.out, self.workers, self.seeds, self.cluster)
        follow(f"{name}, runs", runner.run(), _describe)
        result = runner.result(self._command(name))
        picture = save_png(draw(result), self.out / f"{name}.png")
        show_facts(f"{name}: bars", _bars(result))
        say(f"wrote {self.out / name}.json and {picture}")

    def _require_place(self, name: str) -> None:
        """Nobody's file, and no result of other runs, lies where this study writes.

        Raises:
            UserError: naming what is in the way.
        """
        from agent.commands.places import require_file_places
        from agent.errors import UserError
        from agent.files.folders import STUDIES, require_kind
        from studies.records import has_record, read_study

        require_kind(self.out, STUDIES)
        result = self.out / f"{name}.json"
        if has_record(self.out, name):
            return
        if not result.exists():
            require_file_places(self.out, (f"{name}.png",), "--out")
            return
        found = str(read_study(result)["command"])
        if _asked(found) != _asked(self._command(name)):
            raise UserError(
                f"expected no result of other runs in {self.out}, got {result}, made by `{found}`: "
                "choose another --out, or move it away"
            )

    def _command(self, name: str) -> str:
        words = ["python", "-m", "studies", name, "--preset", self.preset]
        fewer = [] if self.seeds is None else ["--seeds", str(self.seeds)]
        return shlex.join([*words, *fewer, "--out", str(self.out), "--workers", str(self.workers)])


def _asked(command: str) -> list[str]:
    """What a command says of its runs, not of where they go."""
    words = shlex.split(command)
    return words[: words.index("--out")]


def _describe(report: Report) -> tuple[int, int, str]:
    return report.done, report.total, report.text


def _bars(result: dict[str, Any]) -> dict[str, str]:
    """Each bar with what was reached: ``0.99953 (at least 0.999) yes``."""
    from agent.commands.progress import duration

    lines = {"took": duration(result["wall_clock_s"])}
    for name, bar in result["summary"]["bars"].items():
        verdict = "yes" if bar["reached"] else "NO"
        lines[name] = f"{bar['value']:.6g} ({bar['asked']}) {verdict}"
    return lines
