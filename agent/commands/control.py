"""``control``: steer a world to a goal, and film it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import arg

from agent.commands.checkpoints import saying_which
from agent.commands.console import say, show_facts
from agent.commands.controllers import DEFAULT_PLANNER, Acting, make_controller
from agent.commands.idle_flags import refuse_idle
from agent.commands.places import require_file_place
from agent.commands.progress import progress
from agent.commands.values import Parallel, Seed, optional
from agent.commands.worlds_asked import state_given, world_asked
from agent.errors import UserError
from agent.model.shipped import SHIPPED, find_checkpoint

if TYPE_CHECKING:
    from agent.commands.steering import Steered
    from agent.control.torch_model import TorchModel
    from envs import Episode, Image, World


@dataclass(frozen=True)
class Control:
    """Steer a world to a goal picture with a trained world model, and film it.

    The controller sees camera frames and the goal picture, never the state. The goal is a picture
    of your own, a state given by its numbers, or a random one.

    Examples:
      python run_agent.py control --goal-seed 7 --video runs/out.webm
      python run_agent.py control --goal-state 0.5 -1.2 --save-goal runs/my.png
      python run_agent.py control --checkpoint runs/two-room --goal-image runs/my.png
    """

    checkpoint: Annotated[Path, arg(metavar="DIR")] = SHIPPED
    """The world model: a directory that train wrote, or the one that comes with the program."""
    world: Annotated[str | None, optional("NAME", "the checkpoint's")] = None
    """Which world to steer; `worlds` lists them."""
    goal_image: Annotated[Path | None, optional("PNG")] = None
    """The goal as a picture, seen from the same camera."""
    goal_state: Annotated[tuple[float, ...], optional("NUMBERS")] = ()
    """The goal as the world's state, in its units; what is left out at the end is 0."""
    goal_seed: Annotated[Seed | None, optional("INT", "0, if no goal is given")] = None
    """The goal as a random state: this number decides which."""
    start_state: Annotated[tuple[float, ...], optional("NUMBERS", "random")] = ()
    """The state it starts in; what is left out at the end is 0."""
    seconds: float = 4.0
    """How long to steer, in simulated seconds."""
    seed: Seed = 0
    """Decides a random start, and what the planner draws."""
    threads: Parallel = 1
    """Threads of torch; one is fastest for a model this small."""
    controller: Literal["world-model", "direct"] = "world-model"
    """world-model plans at every tick; direct is the model's action head, without a search."""
    planner: Annotated[str, arg(metavar="NAME")] = DEFAULT_PLANNER
    """How world-model searches actions: gauss-newton, cem, icem, mppi, gradient, random-shooting,
    or FILE.py:NAME, a planner of your own."""
    tick_ms: Annotated[float | None, optional("MS", "as long as it needs")] = None
    """Time a decision may take: then the best plan so far is used, and late ticks are counted."""
    delay_ticks: int = 0
    """Actions act this many ticks late; world-model plans for it, direct acts on what it
    foresees."""
    no_guard: bool = False
    """Act on anything. Usually it holds, with no action, while the camera's pictures cannot be
    acted on: it hangs, is covered, has moved; and a goal picture that is none is refused."""
    video: Annotated[Path | None, optional("FILE", "no film")] = None
    """Where to write the film: .webm, .mp4 or .gif."""
    save_goal: Annotated[Path | None, optional("PNG", "not saved")] = None
    """Where to write the goal picture, as the controller sees it; --goal-image reads it again."""

    after_interrupt = "No film was written; run the same command again to start anew."

    def run(self) -> None:
        """Load, steer, film, and print how it went."""
        import torch

        from agent.commands.steering import left_alone, outcome, steer
        from agent.control.torch_model import TorchModel
        from agent.evaluation.play import require_fit
        from agent.model.checkpoint import load_checkpoint

        self._check()
        torch.set_num_threads(self.threads)
        checkpoint = find_checkpoint(self.checkpoint)
        asked = world_asked(self.world, "", checkpoint)
        with closing(asked.make()) as world:
            acting = Acting(self.planner, self.tick_ms, self.delay_ticks, not self.no_guard)
            controller: Any = make_controller(self.controller, checkpoint, world.spec, acting)
            with saying_which(self.checkpoint != SHIPPED):
                require_fit(controller, "control", world.spec)
            model = TorchModel(load_checkpoint(checkpoint))
            episode = self._episode(world)
            if not self.no_guard:
                self._require_known(episode.goal_picture(world), model)
            ticks = self._ticks(world)
            with progress("steering, ticks") as update:
                film = None if self.video is None else asked.make_sized
                steered = steer(controller, asked.make, episode, ticks, update, film)
            facts = outcome(steered, episode, world.spec, self.tick_ms, model)
            if not steered.trial.verdict.held:
                facts |= left_alone(world, episode.goal)
            self._write(steered, episode, world)
            show_facts("how it went", facts)

    def _require_known(self, goal: Image, model: TorchModel) -> None:
        """Nobody who gave a state has to be told to make a picture of one."""
        from agent.control.goal_picture import require_known_picture

        try:
            require_known_picture(goal, model)
        except UserError as error:
            if not self.goal_state:
                raise
            raise UserError(
                f"--goal-state: the picture of it is like none that was learned from, so nothing "
                f"was recorded there: go nearer, or record more ({error})"
            ) from error

    def _check(self) -> None:
        """Refuse what cannot be done before anything slow happens."""
        from agent.reporting.video import SUFFIXES

        goals = {"image": self.goal_image, "state": self.goal_state or None, "seed": self.goal_seed}
        given = [f"--goal-{name}" for name, value in goals.items() if value is not None]
        if len(given) > 1:
            raise UserError(f"expected one goal, got {' and '.join(given)}")
        if not 0 < self.seconds <= 600:
            raise UserError(f"expected --seconds above 0 and up to 600, got {self.seconds}")
        if self.controller != "world-model":
            refuse_idle(self, ("planner",), f"with {self.controller}, which has no choice of them")
        require_file_place(self.video, "--video", suffixes=SUFFIXES)
        require_file_place(self.save_goal, "--save-goal", suffixes=(".png",))

    def _ticks(self, world: World) -> int:
        """Control ticks to steer for, the nearest to --seconds; UserError if that is none."""
        ticks = round(self.seconds / world.spec.step_s)
        if ticks < 1:
            raise UserError(
                f"expected --seconds of at least a control tick, {world.spec.step_s:g}, got "
                f"{self.seconds:g}"
            )
        return ticks

    def _episode(self, world: World) -> Episode:
        """Where it starts and where it should go."""
        import numpy as np

        from envs import Episode, Posable, load_goal_image, task_named

        # Not the stream that goals are drawn from, or it would start at the goal of that number.
        begins = int(np.random.SeedSequence(self.seed, spawn_key=(1,)).generate_state(1)[0])
        goal = np.full(len(world.spec.state), np.nan)
        start = state_given(self.start_state, world, "--start-state") if self.start_state else None
        if self.goal_image is not None:
            pixels = load_goal_image(self.goal_image, world)
            return Episode(self.seed, goal, start, begins, goal_frame=pixels)
        if self.goal_state:
            state = state_given(self.goal_state, world, "--goal-state")
            return Episode(self.seed, state, start, begins)
        seed = self.goal_seed or 0
        if isinstance(world, Posable):
            state = world.sample_state(np.random.default_rng(seed))
            return Episode(self.seed, state, start, begins)
        recorded = task_named("hindsight", world).episode(world, seed, 0)
        return replace(recorded, seed=self.seed)

    def _write(self, steered: Steered, episode: Episode, world: World) -> None:
        from agent.reporting.video import write_picture, write_video

        if self.save_goal is not None:
            picture = write_picture(self.save_goal, episode.goal_picture(world))
            say(f"goal picture: {picture}")
        if self.video is not None:
            film = write_video(self.video, steered.frames, 1.0 / world.spec.step_s)
            say(f"film: {film}")
