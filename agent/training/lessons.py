"""What is learned when: the encoder from pairs, then both networks, last the predictor alone.

    warm start   the encoder learns from pairs of frames what moves slowly    (:mod:`warm_start`)
    main         the LeJEPA loss, λ fading                                    (:mod:`objective`)
    settling     the encoder rests; the predictor learns from its embeddings, made once

In the main part each batch is normalised by its own statistics and the encoder moves from step to
step; a controller meets neither. Settling shows the predictor the very embeddings it will be asked
about, without a single frame being drawn again: its error falls several times in a few seconds.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from agent.config import ExperimentConfig
from agent.data.episodes import Episodes, Rows
from agent.data.windows import Drawing, WindowSampler
from agent.model.chance import own_chance
from agent.model.world_model import WorldModel
from agent.training import ranks
from agent.training.diagnostics import embed_episodes
from agent.training.objective import (
    LossTerms,
    prediction_loss,
    regularised_loss,
    warm_start_loss,
)
from agent.training.parallel import loss_over_ranks
from agent.training.regularisers import make_regulariser, weight_at
from agent.training.source import Source

_FEW = 0.1  # of the episodes may be too short for a window of settling
_SHORTER_LAGS = "take shorter lags (--training.warm-start-lags)"


class Lessons:
    """The loss of any training step on episodes of ``source``; a pure function of seed and step.

    Of several ranks each has its part of every batch. ``regulariser`` and ``main_loss`` may be
    replaced before the first step, as by a study.
    """

    def __init__(self, model: WorldModel, source: Source, config: ExperimentConfig) -> None:
        self.model, self.config = model, config.training
        self._source = source
        self._device = torch.device(self.config.device)
        self.regulariser = make_regulariser(self.config)
        self._block = config.model.action_block
        drawing = self._drawing(self.config.window_frames, self._block, self.config.batch)
        self.windows = source.sampler(drawing)
        pairs = self.config.batch * (self.config.window_frames // 2)
        main = self.config.main_steps
        lags = self.config.warm_start_lags if main.start else ()
        self._pairs = [
            source.sampler(replace(self._drawing(2, lag, pairs), remedy=_SHORTER_LAGS))
            for lag in lags
        ]
        self.main_loss = loss_over_ranks(regularised_loss, model)
        if main.start:
            self._pairs_loss = loss_over_ranks(warm_start_loss, model, without="predictor.")
        if main.stop < self.config.steps:
            self._settling_loss = loss_over_ranks(prediction_loss, model, without="encoder.")

    def loss(self, step: int) -> LossTerms:
        """Of one batch, with the model in the mode that this part of the training needs."""
        seed = np.random.SeedSequence(self.config.seed, spawn_key=(1, step))
        directions, dropout = (int(word) for word in seed.generate_state(2))
        main = self.config.main_steps
        # dropout takes no generator of its own
        with own_chance(dropout + ranks.number()), self._precision():
            self.model.train()
            if step < main.start:
                return self._warm_start(step)
            if step < main.stop:
                return self._main(step, torch.Generator().manual_seed(directions))
            return self._settling(step)

    def _warm_start(self, step: int) -> LossTerms:
        sampler = self._pairs[step % len(self._pairs)]
        return self._pairs_loss(self._there(sampler.sample(step).frames))

    def _main(self, step: int, directions: torch.Generator) -> LossTerms:
        window = self.windows.sample(step)
        frames, actions = self._there(window.frames), self._there(window.actions)
        weight, multi_step = weight_at(step, self.config), self.config.multi_step
        return self.main_loss(self.regulariser, frames, actions, weight, directions, multi_step)

    def _settling(self, step: int) -> LossTerms:
        window = self._settled.sample(step)
        self.model.encoder.eval()
        embeddings, actions = self._there(window.frames), self._there(window.actions)
        return self._settling_loss(embeddings, actions, self.config.multi_step)

    def embedded(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Embeddings (T, D) and states (T, S) of the episodes that settling is about, or would be.

        The encoder must have come to rest.
        """
        episodes, ids, made = self._at_rest
        rows = [episodes.rows(episode) for episode in ids.tolist()]
        return [made[each] for each in rows], [episodes.state[each].copy() for each in rows]

    @cached_property
    def _at_rest(self) -> tuple[Episodes, Rows, np.ndarray]:
        """Episodes, their numbers, and the embeddings (N, D) of all their rows."""
        settings = self.config
        episodes, ids = self._source.at(min(settings.main_steps.stop, settings.steps - 1))
        return episodes, ids, self._embed(episodes, ids)

    @cached_property
    def _settled(self) -> WindowSampler:
        """Windows of embeddings, no longer than most episodes have room for."""
        episodes, ids, made = self._at_rest
        settings, lengths = self.config, episodes.ep_len[ids]
        usual = 1 + (int(np.quantile(lengths, _FEW, method="lower")) - 1) // self._block
        asked = settings.settling_frames or settings.window_frames
        frames = min(asked, max(usual, settings.window_frames))
        drawing = self._drawing(frames, self._block, settings.batch)
        return WindowSampler(replace(episodes, pixels=made), ids, drawing)

    def _embed(self, episodes: Episodes, ids: Rows) -> np.ndarray:
        """Embeddings (N, D) of all rows of the episodes learned from, as a controller has them."""
        found = np.zeros((len(episodes.action), self.model.latent_dim), np.float32)
        was = self.model.training
        self.model.eval()
        with torch.autocast(self._device.type, enabled=False):  # controllers act in float32
            for episode in ids.tolist():
                rows = episodes.rows(episode)
                found[rows] = embed_episodes(self.model, episodes, [episode])[0]
        self.model.train(was)
        return found

    def _drawing(self, frames: int, stride: int, batch: int) -> Drawing:
        return Drawing(frames, stride, batch, self.config.seed, (ranks.number(), ranks.count()))

    def _there(self, batch: np.ndarray) -> Tensor:
        return torch.from_numpy(batch).to(self._device)

    def _precision(self) -> torch.autocast:
        lower = self.config.precision == "bfloat16"
        return torch.autocast(self._device.type, torch.bfloat16, enabled=lower)
