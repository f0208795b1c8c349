"""The agent as Python knows it: a trained world model that acts towards pictures of goals.

    from agent import Agent

    agent = Agent.load("checkpoints/reacher")
    action = agent.act(image, goal_image)

One image or a batch of E of them, the same calls: an array with one axis more has one result more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from agent.config import changed, preset
from agent.control.goal_picture import require_known_picture
from agent.control.mpc import MPCConfig, WorldModelController
from agent.control.torch_model import TorchModel
from agent.errors import ModelFaultError, UserError
from agent.interfaces import Array, FloatArray, Goals, Image, Seen
from agent.model.checkpoint import load_checkpoint
from agent.model.shipped import find_checkpoint
from agent.model.world_model import WorldModel
from agent.settings import require_seed
from agent.training.whole import train_world_model
from envs import WorldSpec
from planners import PLANNERS

Progress = Callable[[int, int], None]


class Agent:
    """A world model, a planner, and what both remember of the episode under way.

    ``planner`` is a name of ``planners.PLANNERS``; ``delay_ticks`` how many ticks late an action
    acts; ``tick_ms`` how long a decision may take; ``guard``: hold while the pictures cannot be
    acted on.

    Raises:
        UserError: for a planner that does not exist (the nearest is named).
    """

    def __init__(
        self,
        model: WorldModel,
        planner: str = "gauss-newton",
        delay_ticks: int = 0,
        tick_ms: float | None = None,
        seed: int = 0,
        guard: bool = True,
    ) -> None:
        if planner not in PLANNERS:
            raise UserError(f"expected a planner of {', '.join(PLANNERS)}, got {planner!r}")
        require_seed(seed)
        self.model = model.eval()
        config = MPCConfig(delay_ticks=delay_ticks, tick_ms=tick_ms, guarded=guard)
        self._seen_by = TorchModel(model)
        self._controller = WorldModelController(self._seen_by, PLANNERS[planner](), config)
        self._seed = seed
        self._goal: Image | None = None
        self._held: tuple[str | None, ...] = ()

    @classmethod
    def load(cls, checkpoint: Path | str, **how: Any) -> Agent:
        """The agent of a checkpoint that ``train`` wrote, or that came with the program.

        Raises:
            UserError: if there is none.
            DamagedDataError: if it is not what its manifest says.
        """
        return cls(load_checkpoint(find_checkpoint(Path(checkpoint))), **how)

    @classmethod
    def train(
        cls,
        data: Path | str,
        out: Path | str,
        *,
        recipe: str = "default",
        settings: Mapping[str, Any] | None = None,
        begin: Path | str | None = None,
        progress: Progress | None = None,
    ) -> Agent:
        """Learn a world model from the recordings in ``data`` into the new directory ``out``.

        Args:
            data: a data set that ``collect`` or :class:`agent.RolloutWriter` made, in a folder or
                under a URL such as ``s3://bucket/folder``.
            out: gets the checkpoint, and the state to resume from.
            recipe: a preset's name.
            settings: some of its settings by dotted name, as ``{"training.steps": 500}``; the steps
                of the action head are fewer or more in proportion.
            begin: a checkpoint to go on from.
            progress: told the steps done and their total.

        Raises:
            UserError: if settings, data or places do not fit.
        """
        config = changed(preset(recipe), settings or {})
        before = None if begin is None else find_checkpoint(Path(begin))
        for report in train_world_model(data, Path(out), config, begin=before):
            if progress is not None:
                progress(report.step, report.total_steps)
        return cls.load(out)

    @property
    def spec(self) -> WorldSpec:
        """The world whose frames it reads and whose actions it gives."""
        return self.model.spec

    def reset(self, seed: int | None = None) -> None:
        """Forget the episode; the next :meth:`act` begins another."""
        self._seed = self._seed if seed is None else seed
        require_seed(self._seed)
        self._goal = None

    def act(self, image: ArrayLike, goal_image: ArrayLike) -> Array:
        """What to do in the coming tick, (A,) in [-1, 1]: call it once a tick, every tick.

        Another goal than before is pursued from where the episode is; what was seen is not
        forgotten. While the pictures cannot be acted on the action is zero, and :attr:`held` says
        why.

        Args:
            image: what the camera sees now, uint8 (h, w, 3), or (E, h, w, 3) of E at once.
            goal_image: what it should see, of the same shape.

        Raises:
            UserError: for images of another size than the model was trained on, or a goal that is
                no picture of its world.
            ModelFaultError: if the model gave numbers that are not finite.
        """
        now, goal = self._batch(image), self._batch(goal_image)
        if self._goal is None or not np.array_equal(self._goal, goal):
            for picture in goal:
                require_known_picture(picture, self._seen_by)
        if self._goal is None or len(self._goal) != len(goal):
            self._controller.reset(Goals(pixels=goal), [self._seed + i for i in range(len(goal))])
        elif not np.array_equal(self._goal, goal):
            self._controller.aim(Goals(pixels=goal))
        self._goal = goal
        decision = self._controller.act(Seen(pixels=now))
        self._held = decision.held
        if decision.fault is not None:
            raise ModelFaultError(decision.fault)
        return decision.actions if np.ndim(image) == 4 else decision.actions[0]

    @property
    def held(self) -> tuple[str | None, ...]:
        """Why the last action was zero in each of the E episodes; None where nothing is wrong."""
        return self._held

    @property
    def plan(self) -> Array:
        """The actions (E, ticks, A) it intends from the next tick on.

        Raises:
            UserError: before the first :meth:`act`.
        """
        if self._goal is None:
            raise UserError("expected act() before plan: there is no episode under way")
        return self._controller.plan

    def encode(self, image: ArrayLike) -> FloatArray:
        """The embedding (D,) of an image, or (E, D) of E of them."""
        embeddings = self._seen_by.encode(self._batch(image))
        return embeddings if np.ndim(image) == 4 else embeddings[0]

    def distance(self, image: ArrayLike, goal_image: ArrayLike) -> Array:
        """How far apart two images are as the planner measures it: a number, or (E,)."""
        offsets = self._seen_by.apart(
            self._seen_by.encode(self._batch(image)), self._seen_by.encode(self._batch(goal_image))
        )
        lengths: Array = np.sqrt(np.square(offsets, dtype=np.float64).sum(-1))
        return lengths if np.ndim(image) == 4 else lengths[0]

    def imagine(self, actions: ArrayLike, image: ArrayLike) -> FloatArray:
        """What it expects to see, as embeddings (H, D), if ``actions`` follow on ``image``.

        The world is taken to have stood still before. Of E images: (E, H, D).

        Args:
            actions: (T, A), or (E, T, A); T a multiple of the ticks in a model step.
            image: uint8 (h, w, 3), or (E, h, w, 3).

        Raises:
            UserError: if the actions do not fill whole model steps.
        """
        frames = self._batch(image)
        sent = np.asarray(actions, np.float32).reshape(len(frames), -1, self.spec.action_dim)
        block = self.model.config.action_block
        if not sent.shape[1] or sent.shape[1] % block:
            raise UserError(f"expected a multiple of {block} actions, got {sent.shape[1]}")
        blocks = torch.from_numpy(sent).reshape(len(frames), 1, -1, self.model.action_width)
        with torch.no_grad():
            now = self.model.encode(torch.from_numpy(frames))
            seen = now[:, None].expand(-1, self.model.context, -1)
            still = blocks.new_zeros(len(frames), self.model.context - 1, self.model.action_width)
            ahead: FloatArray = self.model.rollout(seen, still, blocks)[:, 0].numpy()
        return ahead if np.ndim(image) == 4 else ahead[0]

    def _batch(self, image: ArrayLike) -> Image:
        """One image or several as uint8 (E, h, w, 3), checked."""
        frames = np.asarray(image)
        shape = self.spec.frame_shape
        if frames.shape[-3:] != shape or frames.ndim not in (3, 4) or frames.dtype != np.uint8:
            raise UserError(
                f"expected an image uint8 {shape}, or a batch of them, got {frames.dtype} "
                f"{frames.shape}"
            )
        return frames.reshape(-1, *shape)
