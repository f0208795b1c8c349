"""What is asked of a controller of Reacher: starts, goals, budget and the rule of success.

``lewm`` is the protocol of LeWorldModel (Maes et al. 2026, arXiv:2603.19312) and of the public
stable-worldmodel code: start in a recorded state, velocity included; the goal is the pose 25 env
steps later in the same recording; 50 env steps; |Δqpos| < 0.05 rad on both joints, raw angles.
``lewm-t75-b2t-rest`` reads: goal 75 steps later, budget twice that, start at rest.

``swift`` is the same with recordings of the ``swift`` behaviour, strong correlated torques: start
velocities of 2.6 rad/s (root mean square over both joints) and goals as far away as an arm at that
speed gets. One goal in eight is more than half a turn away by the raw angle, which no picture can
show, so here angles compare modulo 2π.

``anywhere``: any pose to any pose at rest, 4 s, modulo 2π.

``dmc-easy`` and ``dmc-hard`` are dm_control's own episodes (Tassa et al. 2018, arXiv:1801.00690):
1000 physics steps = 500 env steps, and its own reward, one for every physics step the fingertip is
within reach of the target, summed to the return. The same starts and targets in both. What a
controller is told is a goal pose with the fingertip on the target, by inverse kinematics the one
of two nearer to the start, and its picture; ``inside`` is judged at the fingertip, so any pose that
reaches counts.

The recordings are simulated here from the evaluation seed, in random streams no data set uses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from envs.base import Array, World, WorldSpec
from envs.behaviours import behaviour_named, roll_out
from envs.reacher.angles import sample_pose
from envs.reacher.simulator import ACTION_REPEAT
from envs.reacher.targets import (
    EPISODE_PHYSICS_STEPS,
    REACH_M,
    fingertip_m,
    nearer_goal_pose,
    sample_target_m,
    target_reward,
)
from envs.tasks import (
    Episode,
    Verdict,
    judge_by_tolerance,
    judged,
    random_streams,
)
from envs.tolerances import tolerances_of

JOINTS = 2
TOLERANCE_RAD = 0.05
_USUAL = {"shoulder": TOLERANCE_RAD, "wrist": TOLERANCE_RAD}
RECORDING_STEPS = 200
GOAL_OFFSETS = (25, 50, 75, 100, 125, 150)  # env steps
LEWM_BUDGET_STEPS = 50
ANYWHERE_BUDGET_STEPS = 100  # 4 s


@dataclass(frozen=True)
class Recorded:
    """Start and goal are two moments, ``goal_offset_steps`` apart, of one recording."""

    behaviour: str
    goal_offset_steps: int
    at_rest: bool = False

    @property
    def stream(self) -> str:
        """Variants of one behaviour share it, and with it their recordings."""
        return f"recorded/{self.behaviour}"

    def draw(self, rng: np.random.Generator, world: World) -> tuple[Array, Array]:
        """Start and goal states, (4,) each."""
        behaviour = behaviour_named(self.behaviour, world)
        states = roll_out(world, behaviour, rng, RECORDING_STEPS).states
        first = rng.integers(RECORDING_STEPS - self.goal_offset_steps, endpoint=True)
        start = states[first].copy()
        if self.at_rest:
            start[JOINTS:] = 0.0
        return start, _at_rest(states[first + self.goal_offset_steps])

    @property
    def about(self) -> str:
        """What is asked, in words."""
        speed = "at rest in a pose" if self.at_rest else "in a moment, speed included,"
        torques = {"uniform": "independent random", "swift": "strong drifting random"}
        return (
            f"Start {speed} of a recorded motion under {torques[self.behaviour]} torques; the goal "
            f"is the picture {self.goal_offset_steps} steps later in it."
        )


@dataclass(frozen=True)
class AnyPose:
    """Start at rest in a uniformly random pose, goal another one."""

    stream = "any-pose"
    about = "From rest in any pose to any other pose, both drawn at random."

    def draw(self, rng: np.random.Generator, world: World) -> tuple[Array, Array]:
        """Start and goal states, (4,) each; the world is not needed."""
        return _at_rest(sample_pose(rng)), _at_rest(sample_pose(rng))


@dataclass(frozen=True)
class TargetPoint:
    """dm_control's start (at rest) and target; the goal is a pose that reaches it."""

    stream = "dmc"
    about = (
        "dm_control's own episode: from rest in any pose, the fingertip to a random target; the "
        "goal is the picture of the nearer of two poses that reach it."
    )

    def draw(self, rng: np.random.Generator, world: World) -> tuple[Array, Array]:
        """Start and goal states, (4,) each; the world is not needed."""
        start, target_m = sample_pose(rng), sample_target_m(rng)
        return _at_rest(start), _at_rest(nearer_goal_pose(start, target_m))


@dataclass(frozen=True)
class ReacherTask:
    """Tasks and the rule of success: both joints within 0.05 rad of the goal, or ``asked``.

    ``wrapped``: angles compare modulo 2π; otherwise raw, so a turned shoulder is far away.
    ``reach_m``: success is the fingertip that near the goal's, whatever the joints, and every
    physics step of it pays 1. See :class:`envs.tasks.Task`.
    """

    name: str
    budget_steps: int
    source: Recorded | AnyPose | TargetPoint
    wrapped: bool
    reach_m: float | None = None
    asked: tuple[tuple[str, float], ...] = tuple(_USUAL.items())

    def asking(self, spec: WorldSpec) -> ReacherTask:
        """The task with what the name of its world asks for, ``reacher@wrist=0.1``."""
        told = tuple((name, within) for name, within in tolerances_of(spec).items() if within)
        return self if self.reach_m is not None else replace(self, asked=told)

    @property
    def about(self) -> str:
        """What is asked, for how long, and what counts, in words."""
        if self.reach_m is not None:
            return (
                f"{self.source.about} {self.budget_steps} steps. Within tolerance means the "
                f"fingertip within {1e3 * self.reach_m:g} mm of the target's centre; every physics "
                "step there pays 1, so the return is out of "
                f"{self.budget_steps * ACTION_REPEAT}."
            )
        angles = "modulo 2π" if self.wrapped else "as raw numbers, so a full turn is far away"
        within = " and ".join(f"{name} within {value:g}" for name, value in self.asked)
        if dict(self.asked) == _USUAL:
            within = f"both joints within {TOLERANCE_RAD:g} rad"
        return (
            f"{self.source.about} Budget {self.budget_steps} steps. Within tolerance means "
            f"{within}, compared {angles}, checked at every physics step."
        )

    def episode(self, world: World, seed: int, index: int) -> Episode:
        """See :meth:`envs.tasks.Task.episode`."""
        rng, own_seed = random_streams(self.source.stream, seed, index)
        start, goal = self.source.draw(rng, world)
        return Episode(own_seed, goal, start)

    def judge(self, spec: WorldSpec, path: Array, start: Array, episode: Episode) -> Verdict:
        """From states (T, 2, 4) at every physics step; see :meth:`envs.tasks.Task.judge`.

        By what its name asks of the world, ``reacher@wrist=0.1``, if it asks for anything.
        """
        if not self.wrapped:
            raw = tuple(replace(column, period=math.inf) for column in spec.state)
            spec = replace(spec, state=raw)
        verdict = judge_by_tolerance(spec, path, start, episode)
        if self.reach_m is None:
            return verdict
        # By the fingertip; the final error stays that of what the world asks for.
        target_m, reach_m = fingertip_m(episode.goal[:JOINTS]), self.reach_m
        began = bool(target_reward(start[:JOINTS], target_m, reach_m) > 0.0)
        inside = np.asarray(target_reward(path[..., :JOINTS], target_m, reach_m) > 0.0)
        error, total = verdict.final_error, float(inside.sum())
        return judged(spec, inside, began, error, episode.seed, total)


def _at_rest(pose_rad: Array) -> Array:
    return np.concatenate([np.asarray(pose_rad, np.float64)[:JOINTS], np.zeros(JOINTS)])


def _lewm_variants() -> list[ReacherTask]:
    variants = []
    for offset in GOAL_OFFSETS:
        for word, budget in (("b50", LEWM_BUDGET_STEPS), ("b2t", 2 * offset)):
            for ending, at_rest in (("", False), ("-rest", True)):
                source = Recorded("uniform", offset, at_rest)
                name = f"lewm-t{offset}-{word}{ending}"
                variants.append(ReacherTask(name, budget, source, wrapped=False))
    return variants


def _dmc(task: str) -> ReacherTask:
    budget_steps = EPISODE_PHYSICS_STEPS // ACTION_REPEAT
    return ReacherTask(f"dmc-{task}", budget_steps, TargetPoint(), True, reach_m=REACH_M[task])


def _all_tasks() -> list[ReacherTask]:
    budget, swift = LEWM_BUDGET_STEPS, Recorded("swift", 25)
    return [
        ReacherTask("lewm", budget, Recorded("uniform", 25), wrapped=False),
        ReacherTask("lewm-rest", budget, Recorded("uniform", 25, at_rest=True), wrapped=False),
        ReacherTask("swift", budget, swift, wrapped=True),
        ReacherTask("anywhere", ANYWHERE_BUDGET_STEPS, AnyPose(), wrapped=True),
        *map(_dmc, REACH_M),
        *_lewm_variants(),
    ]


TASKS: Mapping[str, ReacherTask] = MappingProxyType({task.name: task for task in _all_tasks()})
