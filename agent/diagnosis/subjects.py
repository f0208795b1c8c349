"""What a data set and a model have to show: states, embeddings, and the model's misses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

import numpy as np
import torch

from agent.data import Episodes, RolloutStore
from agent.diagnosis.readings import Readings, readings
from agent.diagnosis.trajectories import LEAST_EPISODES, LEAST_FRAMES, Trajectories
from agent.errors import UserError
from agent.interfaces import Array
from agent.model.world_model import WorldModel
from agent.training.diagnostics import varies
from agent.training.geometry import Geometry, geometry_of

STATES, EMBEDDINGS = "the world's coordinates", "embeddings"


@dataclass(frozen=True)
class Embedded:
    """Embeddings of some episodes, and residuals (E, F, D) of predicting the last F frames.

    ``geometry`` of the goal metric over them; None where the frames are too few to tell.
    ``readings`` of the world's coordinates; None where no state was recorded.
    """

    trajectories: Trajectories
    model_residuals: Array
    geometry: Geometry | None
    readings: Readings | None


def spread_episodes(store: RolloutStore, most: int) -> list[int]:
    """``most`` episode numbers at most, spread over the data set."""
    count = store.episode_count
    if most < LEAST_EPISODES:
        raise UserError(f"expected --episodes of at least {LEAST_EPISODES}, got {most}")
    if count < 1:
        raise UserError(f"expected at least one episode in {store.directory}, got none")
    return sorted({int(i) for i in np.linspace(0, count - 1, min(most, count))})


def world_states(
    store: RolloutStore, ids: list[int], stride: int, every: bool = False
) -> Trajectories | None:
    """The world's own coordinates, ``stride`` env steps apart: what a picture shows.

    Those that a goal is about, where there are any; ``every`` takes the others as well, as rates,
    which take two pictures. What never changes is left out. None where no state was recorded.
    UserError as :class:`Trajectories` does, and for a stride below 1.
    """
    if stride < 1:
        raise UserError(f"expected a stride of 1 env step or more, got {stride}")
    spec = store.header.spec
    if not spec.state:
        return None
    chosen = list(range(len(spec.state)))
    if spec.goal_columns and not every:
        chosen = list(spec.goal_columns)
    columns = [spec.state[i] for i in chosen]
    parts = store.load_columns()
    states = np.concatenate([part.state for part in parts])[:, chosen]
    lengths = np.concatenate([part.ep_len for part in parts])
    first = np.cumsum(lengths) - lengths
    _require_rows(max(int(lengths[i]) for i in ids), stride)
    rows = [states[first[i] : first[i] + lengths[i] : stride] for i in ids]
    periods = tuple(np.inf if isfinite(c.low) else c.period for c in columns)  # stops end a circle
    values = _wrapped(_cut_alike(rows), periods)
    changing = varies(values.reshape(-1, len(columns)))
    if not changing.any():
        changing[:] = True  # nothing moves at all, which is refused in words
    kept, still = np.flatnonzero(changing), np.flatnonzero(~changing)
    return Trajectories(
        STATES, values[..., kept], tuple(columns[i].name for i in kept), spec.step_s * stride,
        tuple(periods[i] for i in kept), own_units=True,
        left_out=tuple(columns[i].name for i in still), shorter=len(rows) - len(values),
    )  # fmt: skip


def _require_rows(frames: int, stride: int) -> None:
    """UserError if the ``stride``, and not the recording, leaves too few of an episode's frames."""
    most = (frames - 1) // (LEAST_FRAMES - 1)
    if stride > most >= 1:
        raise UserError(
            f"expected a stride of at most {most} env steps, which leaves {LEAST_FRAMES} rows of "
            f"an episode of {frames} frames, got {stride}: too few samples for any test"
        )


def _wrapped(values: Array, periods: tuple[float, ...]) -> Array:
    """Values (E, T, C) in half a period around their circular mean, so that what swings about a
    half turn is not cut in two; nothing is done where there is no period."""
    is_turn = np.isfinite(periods)
    period = np.where(is_turn, periods, 1.0)
    turned = np.exp(2j * np.pi * values / period).mean((0, 1))
    middle = np.angle(turned) / (2 * np.pi) * period
    around = middle + np.mod(values - middle + period / 2, period) - period / 2
    return np.where(is_turn, around, values)


def _cut_alike(rows: list[Array]) -> Array:
    """Episodes of any length cut to one (E, T, D), so long that most rows are kept, and of enough
    episodes for a test if there are."""
    lengths = np.sort([len(one) for one in rows])
    lengths = lengths[: max(1, len(rows) - LEAST_EPISODES + 1)]
    kept = lengths * (len(rows) - np.arange(len(lengths)))
    enough = lengths >= LEAST_FRAMES
    length = int(lengths[np.argmax(np.where(enough, kept, 0) if enough.any() else kept)])
    return np.stack([one[:length] for one in rows if len(one) >= length])


def embeddings(
    model: WorldModel,
    store: RolloutStore,
    ids: list[int],
    on_episode: Callable[[int, int], None] = lambda done, total: None,
) -> Embedded:
    """What ``model`` makes of frames a model step apart, and where its predictions miss.

    Episodes too short for a prediction are left out. UserError if all are, the data show another
    world than the model's, or as :class:`Trajectories` does.
    """
    model.spec.require_same(store.header.spec, f"the data in {store.directory}")
    episodes = store.load()
    needed = model.context * model.config.action_block  # env steps
    ids = [i for i in ids if episodes.ep_len[i] > needed]
    if not ids:
        raise UserError(f"expected episodes of more than {needed} env steps, got none that long")
    seen, missed = [], []
    for done, number in enumerate(ids, 1):
        z, residual = _embed(model, episodes, number)
        seen.append(z)
        missed.append(residual)
        on_episode(done, len(ids))
    columns = tuple(f"z{i}" for i in range(model.latent_dim))
    kept = _cut_alike(seen)
    length = kept.shape[1]
    alike = [r for z, r in zip(seen, missed, strict=True) if len(z) >= length]
    residuals = np.stack([one[: length - model.context] for one in alike])
    states = [episodes.state[episodes.rows(i)][:: model.config.action_block] for i in ids]
    shape = geometry_of(model, states, seen, rows_a_step=1)
    read = readings(model, store.header.spec, states, seen)
    trajectories = Trajectories(
        EMBEDDINGS, kept, columns, model.model_step_s, shorter=len(seen) - len(kept)
    )
    return Embedded(trajectories, residuals, shape, read)


@torch.no_grad()
def _embed(model: WorldModel, episodes: Episodes, number: int) -> tuple[Array, Array]:
    """Embeddings (T, D) and one-step residuals (T - L, D) of an episode."""
    block, context = model.config.action_block, model.context
    rows = episodes.rows(number)
    chosen = np.arange(rows.start, rows.stop, block)
    z = model.encode(torch.from_numpy(episodes.pixels[chosen]))  # (T, D)
    sent = torch.from_numpy(episodes.action[rows][: (len(chosen) - 1) * block])
    blocks = sent.reshape(len(chosen) - 1, -1)  # (T-1, K*A)
    windows = z.unfold(0, context, 1)[:-1].mT  # (T-L, L, D)
    acted = blocks.unfold(0, context, 1).mT  # (T-L, L, K*A)
    predicted = model.ahead(windows, acted)[:, 0]
    return z.double().numpy(), (z[context:] - predicted).double().numpy()
