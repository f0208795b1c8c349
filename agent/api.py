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

from agent.config import ExperimentConfig, changed, idle_among, preset, require_going_on
from agent.control.acting import Acting, as_asked, planning
from agent.control.direct import DirectController
from agent.control.mpc import MPCConfig
from agent.control.torch_model import TorchModel
from agent.errors import UserError
from agent.interfaces import FloatArray
from agent.model.checkpoint import has_untaught_head, load_checkpoint
from agent.model.shipped import find_checkpoint
from agent.model.world_model import WorldModel
from agent.settings import nearest
from envs import require_call
from planners import PLANNERS, SEARCHED, Planner

HEAD = "direct"
Progress = Callable[[int, int], None]


class Agent(Acting):
    """A world model, a planner, and what both remember of the episode under way.

    ``planner`` is a name of ``planners.PLANNERS``, one of your own, or "direct": the action head
    alone, at a third of the time a tick. ``delay_ticks`` how many ticks late an action acts;
    ``tick_ms`` how long a decision may take; ``guard``: hold while the pictures cannot be acted on.

    Raises:
        UserError: for a planner that does not exist (the nearest is named), a model without an
            action head where that shall act, or a number that makes no sense.
    """

    def __init__(
        self,
        model: WorldModel,
        planner: str | Planner = "gauss-newton",
        delay_ticks: int = 0,
        tick_ms: float | None = None,
        seed: int = 0,
        guard: bool = True,
    ) -> None:
        self.model, self._network = model.eval(), TorchModel(model)
        config = as_asked(MPCConfig(), delay_ticks, tick_ms, guard)
        controller = (
            DirectController(self._network, config.tick_ms, config.guarded, config.delay_ticks)
            if planner == HEAD
            else planning(self._network, _planner(planner), config)
        )
        super().__init__(self._network, controller, seed)

    @classmethod
    def load(
        cls,
        checkpoint: Path | str,
        planner: str | Planner = "gauss-newton",
        delay_ticks: int = 0,
        tick_ms: float | None = None,
        seed: int = 0,
        guard: bool = True,
    ) -> Agent:
        """The agent of a checkpoint that ``train`` wrote, or that came with the program.

        How it acts is chosen as of :class:`Agent`.

        Raises:
            UserError: if there is none, or as of :class:`Agent`.
            DamagedDataError: if it is not what its manifest says.
        """
        place = find_checkpoint(Path(checkpoint))
        model = load_checkpoint(place)
        if planner == HEAD and has_untaught_head(model, place):
            raise UserError(
                f"expected an action head that was taught, in {place}, got an untaught one: finish "
                "its training with resume=True, and head.steps above 0"
            )
        return cls(model, planner, delay_ticks, tick_ms, seed, guard)

    @classmethod
    def train(
        cls,
        data: Path | str,
        out: Path | str,
        *,
        recipe: str = "default",
        settings: Mapping[str, Any] | None = None,
        begin: Path | str | None = None,
        resume: bool = False,
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
            resume: continue what was stopped in ``out``, with the same data and settings.
            progress: told the steps done and their total, those of the action head among them.

        Raises:
            UserError: if settings, data or places do not fit.
        """
        from agent.training.whole import train_world_model  # loads what acting does without

        if not (isinstance(data, (str, Path)) and isinstance(out, (str, Path))):
            raise UserError(
                f"expected one data set, a folder or a URL, and a folder, got {data!r} and {out!r}"
            )
        config = _asked_for(recipe, settings or {}, is_new=begin is None)
        before = None if begin is None else find_checkpoint(Path(begin))
        tell, steps, threads = progress or (lambda done, total: None), 0, torch.get_num_threads()
        of_head = config.head.steps

        def teaching(done: int, total: int) -> None:
            tell(steps + done, steps + of_head)

        try:
            with torch.inference_mode(False), torch.enable_grad():  # whatever the caller is in
                for report in train_world_model(data, Path(out), config, resume, before, teaching):
                    steps = report.total_steps
                    tell(report.step, steps + of_head)
        finally:
            torch.set_num_threads(threads)  # those of the training are not the caller's
        return cls.load(out)

    def distance(self, image: ArrayLike, goal_image: ArrayLike) -> Any:
        """How far apart two images are as the planner measures it: a number, or an array (E,); one
        image may be compared with many.

        Raises:
            UserError: as of :meth:`act`.
        """
        now, goal, shape = self._pairs(image, goal_image)
        offsets = self._network.apart(self._network.encode(now), self._network.encode(goal))
        return np.sqrt(np.square(offsets, dtype=np.float64).sum(-1)).reshape(shape)[()]

    def imagine(self, actions: ArrayLike, image: ArrayLike) -> FloatArray:
        """What it expects to see, as embeddings (H, D), if ``actions`` follow on ``image``.

        The world is taken to have stood still before. Of E sequences: (E, H, D).

        Args:
            actions: (T, A), or (E, T, A); T a multiple of the ticks in a model step.
            image: uint8 (h, w, 3), from which all begin, or (E, h, w, 3).

        Raises:
            UserError: for actions of another shape, outside [-1, 1], or that do not fill whole
                model steps.
        """
        frames = np.require(self._batch(image), requirements=["C", "W"])  # as torch takes them
        sent = self._sequences(actions, None if np.ndim(image) == 3 else len(frames))
        context, width = self.model.context, self.model.action_width
        blocks = torch.from_numpy(sent).reshape(len(sent), -1, width)
        with torch.no_grad():
            now = self.model.encode(torch.from_numpy(frames))
            seen = now[:, None].expand(len(sent), context, -1)
            still = blocks.new_zeros(len(sent), context - 1, width)
            ahead: FloatArray = self.model.ahead(seen, torch.cat([still, blocks], 1)).numpy()
        return ahead[0] if np.ndim(image) == 3 and np.ndim(actions) == 2 else ahead

    def _sequences(self, actions: ArrayLike, images: int | None) -> FloatArray:
        """Actions float32 (E, T, A), one sequence for each of ``images``, checked; None: any."""
        wide = self.spec.action_dim
        try:
            if np.iscomplexobj(actions):
                raise TypeError("they are complex")
            sent = np.ascontiguousarray(actions, np.float32)
        except (TypeError, ValueError, RuntimeError) as error:
            raise UserError(f"expected actions that are numbers, got others: {error}") from error
        each = sent[None] if sent.ndim == 2 else sent
        count = len(each) if images is None else images
        if each.ndim != 3 or not len(each) or len(each) != count or each.shape[2] != wide:
            alone = f" or (T, {wide})" if images in (None, 1) else ""
            shape = f"({images or 'E'}, T, {wide}){alone}"
            raise UserError(
                f"expected actions {shape}, a sequence for each image, got {sent.shape}"
            )
        block = self.model.config.action_block
        if not each.shape[1] or each.shape[1] % block:
            raise UserError(f"expected a multiple of {block} actions, got {each.shape[1]}")
        if not (np.abs(each) <= 1.0).all():
            worst = each[~(np.abs(each) <= 1.0)][0]
            raise UserError(
                f"expected finite actions in [-1, 1], as those it learned from, got {worst}: scale "
                "what a robot is sent to that box"
            )
        return each


def _asked_for(recipe: str, settings: Mapping[str, Any], is_new: bool) -> ExperimentConfig:
    if not isinstance(recipe, str) or not isinstance(settings, Mapping):
        raise UserError(
            f"expected a preset's name and settings by name, got {recipe!r} and {settings!r}"
        )
    config = changed(preset(recipe), settings)
    for name, why in idle_among([config], settings):
        raise UserError(f"{name} does nothing {why.replace('--', '')}: leave it out")
    if not is_new:
        require_going_on(config, settings)
    return config


def _planner(asked: str | Planner) -> Planner:
    if isinstance(asked, type):
        raise UserError(f"expected a planner, got the class {asked.__name__}: give one of it")
    if not isinstance(asked, str) and callable(getattr(asked, "plan", None)):
        require_call(asked.plan, f"plan() of {type(asked).__name__}", *SEARCHED)
        return asked
    if not isinstance(asked, str) or asked not in PLANNERS:
        near = nearest(str(asked), (*PLANNERS, HEAD))
        raise UserError(
            f"expected a planner of {', '.join(PLANNERS)}, {HEAD}, or one of your own with plan(), "
            f"got {asked!r}{near}"
        )
    return PLANNERS[asked]()
