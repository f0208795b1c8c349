"""``control``: steer the arm to a goal, and film it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import arg

from agent.commands.checkpoints import SHIPPED, find_checkpoint
from agent.commands.controllers import DEFAULT_PLANNER, Acting, PlannerName, make_controller

if TYPE_CHECKING:
    from agent.control.watch import TickWatch
    from agent.interfaces import Array, Image
    from agent.reporting.film import Film, Goal, Studio

TOLERANCE_RAD = 0.05
HELD_S = 0.4


def _optional(metavar: str, meaning: str = "none") -> object:
    return arg(metavar=metavar, help_behavior_hint=f"(default: {meaning})")


@dataclass(frozen=True)
class Control:
    """Steer the arm to a goal picture with a trained world model, and film it.

    The controller sees camera frames and the goal picture, never joint angles. The goal is a
    picture of your own, a pose given by its joint angles, or a random pose.

    Examples:
      python run_agent.py control --goal-seed 7 --video out.webm
      python run_agent.py control --goal-qpos 0.5 -1.2 --save-goal my.png --video out.webm
      python run_agent.py control --checkpoint runs/reacher/checkpoint --goal-image my.png
    """

    checkpoint: Annotated[Path, arg(metavar="DIR")] = SHIPPED
    """The world model: a directory that train wrote, or the one that comes with the program."""
    goal_image: Annotated[Path | None, _optional("PNG")] = None
    """The goal as a picture, square and seen from the same camera."""
    goal_qpos: Annotated[tuple[float, float] | None, _optional("SHOULDER WRIST")] = None
    """The goal as joint angles in radians; the wrist turns from -2.79 to 2.79."""
    goal_seed: Annotated[int | None, _optional("INT", "0, if no goal is given")] = None
    """The goal as a random pose: this number decides which."""
    start_qpos: Annotated[tuple[float, float], arg(metavar="SHOULDER WRIST")] = (0.0, 0.0)
    """Where the arm starts, at rest: joint angles in radians."""
    seconds: float = 4.0
    """How long to steer, in simulated seconds."""
    seed: int = 0
    """Decides what the planner draws at random."""
    threads: int = 1
    """Threads of torch; one is fastest for a model this small."""
    controller: Literal["world-model", "direct"] = "world-model"
    """world-model plans at every tick; direct is the model's action head, without a search."""
    planner: PlannerName = DEFAULT_PLANNER
    """How world-model searches torques."""
    tick_ms: Annotated[float | None, _optional("MS", "as long as it needs")] = None
    """Time a decision may take: then the best plan so far is used, and late ticks are counted."""
    delay_ticks: int = 0
    """Torques act this many ticks of 0.04 s late; world-model knows, and plans for it."""
    video: Annotated[Path | None, _optional("FILE", "no film")] = None
    """Where to write the film: .webm, .mp4 or .gif."""
    save_goal: Annotated[Path | None, _optional("PNG", "not saved")] = None
    """Where to write the goal picture, as the controller sees it; --goal-image reads it again."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return "No film was written; run the same command again to start anew."

    def run(self) -> None:
        """Load, steer, film, and print how it went."""
        import torch

        from agent.commands.console import show_facts
        from agent.commands.progress import progress
        from agent.control.goal_picture import require_same_profile
        from agent.errors import ModelFaultError
        from agent.reporting.film import TICK_S, Studio

        self._check()
        acting = Acting(self.planner, self.tick_ms, self.delay_ticks)
        torch.set_num_threads(self.threads)
        checkpoint = find_checkpoint(self.checkpoint)
        controller: Any = make_controller(self.controller, checkpoint, acting)
        studio = Studio(controller.render_profile, controller.image_size)
        goal = self._goal(studio, controller.image_size)
        require_same_profile(goal.pixels, controller.model)
        ticks = max(1, round(self.seconds / TICK_S))
        with progress("steering, ticks") as update:
            film = studio.film(controller, self._start(), goal, ticks, self.seed, update)
        studio.close()
        if controller.fault is not None:
            raise ModelFaultError(controller.fault)
        late = {} if self.tick_ms is None else {"late_ticks": _late(controller.watch)}
        show_facts("how it went", outcome(film, goal) | late)
        self._write(film, goal)

    def _check(self) -> None:
        """Refuse what cannot be done before anything slow happens."""
        from agent.commands.controllers import require_planning
        from agent.commands.places import require_file_place
        from agent.errors import UserError
        from agent.reporting.video import checked_picture_path, checked_video_path

        given = [
            f"--goal-{name}"
            for name in ("image", "qpos", "seed")
            if getattr(self, f"goal_{name}") is not None
        ]
        if len(given) > 1:
            raise UserError(f"expected one goal, got {' and '.join(given)}")
        if not 0 < self.seconds <= 600:
            raise UserError(f"expected --seconds above 0 and up to 600, got {self.seconds}")
        if self.threads < 1:
            raise UserError(f"expected --threads of at least 1, got {self.threads}")
        if self.seed < 0 or (self.goal_seed or 0) < 0:
            raise UserError("expected --seed and --goal-seed of 0 or more, got a negative one")
        require_planning(self.controller, self.planner)
        if self.video is not None:
            checked_video_path(self.video)
        if self.save_goal is not None:
            checked_picture_path(self.save_goal)
        require_file_place(self.video, "--video")
        require_file_place(self.save_goal, "--save-goal")

    def _start(self) -> Array:
        from envs import checked_pose

        return checked_pose(self.start_qpos, "--start-qpos", overshoot_rad=0.0)

    def _goal(self, studio: Studio, image_size: int) -> Goal:
        import numpy as np

        from agent.reporting.film import Goal
        from envs import checked_pose, load_goal_image, sample_pose

        if self.goal_image is not None:
            pixels = load_goal_image(self.goal_image, image_size)
            return Goal(pixels, pixels, np.full(2, np.nan))
        if self.goal_qpos is not None:
            pose = checked_pose(self.goal_qpos, "--goal-qpos", overshoot_rad=0.0)
            return studio.goal_at(pose)
        return studio.goal_at(sample_pose(np.random.default_rng(self.goal_seed or 0)))

    def _write(self, film: Film, goal: Goal) -> None:
        from agent.commands.console import say
        from agent.reporting.film import FRAMES_PER_S
        from agent.reporting.video import write_picture, write_video

        if self.save_goal is not None:
            say(f"goal picture: {write_picture(self.save_goal, goal.pixels)}")
        if self.video is not None:
            say(f"film: {write_video(self.video, film.frames, FRAMES_PER_S)}")


def outcome(film: Film, goal: Goal) -> dict[str, str]:
    """What to say about a film; errors only where the goal's pose is known."""
    import numpy as np

    from agent.reporting.film import TICK_S
    from envs import wrap_angle

    facts = {"final_pose_rad": _pose(wrap_angle(film.qpos_rad[-1]))}
    if np.isfinite(goal.qpos_rad).all():
        inside = film.errors_rad < TOLERANCE_RAD
        facts["goal_pose_rad"] = _pose(wrap_angle(goal.qpos_rad))
        facts["final_error_rad"] = f"{film.errors_rad[-1]:.3f}"
        first = f"{np.argmax(inside) * TICK_S:.2f} s" if inside.any() else "never"
        facts[f"first within {TOLERANCE_RAD} rad"] = first
        facts[f"held for the last {HELD_S} s"] = (
            "yes" if inside[-round(HELD_S / TICK_S) :].all() else "no"
        )
    facts["goal_picture_difference"] = f"{_difference(film.pixels, goal.pixels):.2f} of 255"
    p50, p95 = np.percentile(film.decision_ms, [50, 95])
    facts["decision_ms"] = f"{p50:.1f} median, {p95:.1f} p95"
    return facts


def _late(watch: TickWatch) -> str:
    return f"{watch.missed} of {watch.ticks} took longer than {watch.tick_ms:g} ms"


def _pose(qpos_rad: Array) -> str:
    return " ".join(f"{angle:.3f}" for angle in qpos_rad)


def _difference(first: Image, second: Image) -> float:
    return float(abs(first.astype(float) - second).mean())
