"""What is compared: protocols, trainings, and the commands that make each checkpoint.

To put a learned controller into the comparison is to add a line to ``TRAININGS``; one that learns
nothing takes part as soon as it is in the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.controllers import CONTROLLERS, Given
from benchmarks.campaign.tables import run_id

if TYPE_CHECKING:
    from agent.commands.measurement import Measurement

REWARD = ("dmc-easy", "dmc-hard")
PROTOCOLS = (
    "lewm", "swift", "anywhere", *REWARD,
    "lewm-t50-b50", "lewm-t75-b50", "lewm-t100-b50",
    "lewm-t50-b2t", "lewm-t75-b2t", "lewm-t100-b2t",
    "lewm-rest", "lewm-t50-b50-rest", "lewm-t75-b50-rest", "lewm-t100-b50-rest",
    "lewm-t50-b2t-rest", "lewm-t75-b2t-rest", "lewm-t100-b2t-rest",
)  # fmt: skip
CURVE_PROTOCOLS = ("anywhere", *REWARD)
EPISODES, EVALUATION_SEED = 300, 2000
FEWER_EPISODES = {"lewm": 30}  # their search takes half a minute
EPISODE_STEPS = 200  # of a recorded episode
CURVE_EPISODES = (10, 25, 50, 150)  # recorded: 2k, 5k, 10k and 30k env steps
POINTS = "checkpoints"  # folder of a run with one checkpoint a number of env steps


@dataclass(frozen=True)
class Training:
    """How a learned controller of the comparison is made.

    ``commands`` hold {runs}, {out} and {seed}; they end with a checkpoint in {out}.
    ``points`` are the commands for one more point of the learning curve, with {episodes} recorded
    and {steps} env steps; a training that keeps checkpoints along its way needs none. ``curve`` are
    the protocols its learning curve is measured on; no two of one name have any. Before
    ``env_steps`` a training is not finished.
    """

    controller: str
    name: str
    commands: tuple[str, ...]
    plays: tuple[str, ...] = PROTOCOLS
    points: tuple[str, ...] = ()
    curve: tuple[str, ...] = ()
    env_steps: int | None = None

    def out(self, runs: Path, seed: int) -> Path:
        """The run's directory."""
        return runs / f"{self.name}-{seed}"

    def commands_for(self, runs: Path, seed: int) -> list[str]:
        """The commands that make the checkpoint of this training seed."""
        out = self.out(runs, seed)
        return [_run(command.format(runs=runs, out=out, seed=seed)) for command in self.commands]

    def commands_for_points(self, runs: Path, seed: int) -> dict[Path, list[str]]:
        """The commands for each point of the learning curve, by its directory."""
        made = {}
        for episodes in CURVE_EPISODES if self.points else ():
            steps = episodes * EPISODE_STEPS
            place = self.out(runs, seed) / POINTS / str(steps)
            words = {"runs": runs, "out": place, "seed": seed, "episodes": episodes, "steps": steps}
            made[place] = [_run(command.format(**words)) for command in self.points]
        return made


@dataclass(frozen=True)
class Recording:
    """Play to learn from: how much, how the arm is moved, and the name of its data set."""

    name: str
    behaviour: str
    episodes: int


RESTLESS = Recording("data-{seed}", "restless", 300)  # what collect records of itself
DRIFTING = Recording("ou-{seed}", "ou", 400)  # what it recorded before, and others learned from


def _run(words: str) -> str:
    return f"python run_agent.py {words}"


def _from_pixels(
    controller: str, train: str, played: Recording = DRIFTING, curve: bool = False
) -> Training:
    """Trained on recorded play, the same for all who learn from this play with this seed."""
    data = f"{{runs}}/{played.name}"
    collect = f"collect --behaviour {played.behaviour} --seed {{seed}}"
    train = f"{train} --out {{out}} --seed {{seed}}"
    return Training(
        controller,
        controller,
        (f"{collect} --episodes {played.episodes} --out {data}", f"{train} --data {data}"),
        points=(
            f"{collect} --episodes {{episodes}} --out {data}-{{steps}}",
            f"{train} --head.steps 0 --data {data}-{{steps}}",  # planning needs no action head
        )
        if curve
        else (),
        curve=CURVE_PROTOCOLS if curve else (),
        env_steps=played.episodes * EPISODE_STEPS,
    )


def _rl(algorithm: str, env_steps: int, task: str | None = None) -> Training:
    words = (
        f"baseline --algorithm {algorithm} --out {{out}} --env-steps {env_steps} --seed {{seed}}"
    )
    if task is None:
        return Training(algorithm, algorithm, (words,), env_steps=env_steps)
    return Training(
        algorithm, f"{algorithm}-{task}", (f"{words} --task {task}",), plays=(f"dmc-{task}",),
        env_steps=env_steps,
    )  # fmt: skip


TRAININGS = (
    _from_pixels("world-model", "train", RESTLESS, curve=True),
    replace(_from_pixels("world-model", "train", RESTLESS), controller="direct"),
    _from_pixels("lewm", "train --preset lewm --precision bfloat16"),
    _from_pixels("clone", "baseline --algorithm clone"),
    _from_pixels("inverse-dynamics", "baseline --algorithm inverse-dynamics"),
    replace(_rl("sac", 300_000), curve=("anywhere",)),
    _rl("td3", 300_000),
    _rl("ppo", 1_000_000),
    *(replace(_rl("sac-dmc", 300_000, t), curve=(f"dmc-{t}",)) for t in ("easy", "hard")),
    *(_rl("td3-dmc", 300_000, task) for task in ("easy", "hard")),
)


def given_controllers() -> list[str]:
    """Those that learn nothing."""
    return [name for name, entry in CONTROLLERS.items() if isinstance(entry, Given)]


@dataclass(frozen=True)
class Wanted:
    """One run of the comparison that is to be measured.

    ``training`` and ``training_seed`` are None for a controller that learns nothing.
    """

    controller: str
    protocol: str
    episodes: int
    seed: int
    training: Training | None = None
    training_seed: int | None = None

    @property
    def name(self) -> str:
        """As the tables name it."""
        return run_id(asdict(self))

    def measurement(self, checkpoint: Path | None) -> Measurement:
        """The job that measures it."""
        from agent.commands.measurement import Measurement
        from agent.commands.worlds_asked import DEFAULT_WORLD, WorldAsked

        return Measurement(
            self.controller, checkpoint, WorldAsked(DEFAULT_WORLD), self.protocol, self.episodes,
            self.seed,
        )  # fmt: skip


def wanted_runs(
    protocols: Sequence[str],
    seeds: Sequence[int],
    episodes: int,
    seed: int,
    fewer: Mapping[str, int] = FEWER_EPISODES,
) -> list[Wanted]:
    """Every run of the comparison, those of the first training seed first.

    ``fewer`` are the episodes of controllers that play less than ``episodes``.
    """

    def wanted(name: str, protocol: str, *training: Any) -> Wanted:
        count = min(episodes, fewer.get(name, episodes))
        return Wanted(name, protocol, count, seed, *training)

    runs = [wanted(name, protocol) for name in given_controllers() for protocol in protocols]
    for training_seed in seeds:
        for training in TRAININGS:
            runs += [
                wanted(training.controller, protocol, training, training_seed)
                for protocol in protocols
                if protocol in training.plays
            ]
    return runs
