"""What a data set and a model have to show: joint states, embeddings, and the model's misses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from agent.data import Episodes, RolloutStore
from agent.errors import UserError
from agent.identifiability.diagnosis.trajectories import Trajectories, from_episodes
from agent.interfaces import Array
from agent.model.world_model import WorldModel
from envs import wrap_angle

ANGLES, STATES, EMBEDDINGS = "joint angles", "joint states", "embeddings"
STATE_COLUMNS = ("shoulder angle", "wrist angle", "shoulder velocity", "wrist velocity")
STATE_PERIODS = (2 * np.pi, np.inf, np.inf, np.inf)  # the wrist has stops


@dataclass(frozen=True)
class Embedded:
    """Embeddings of some episodes, and residuals (E, F, D) of predicting the last F frames."""

    trajectories: Trajectories
    model_residuals: Array


def spread_episodes(store: RolloutStore, most: int) -> list[int]:
    """``most`` episode numbers at most, spread over the data set."""
    count = store.episode_count
    if most < 1 or count < 1:
        raise UserError(f"expected at least one episode of {store.directory}, got {count}")
    return sorted({int(i) for i in np.linspace(0, count - 1, min(most, count))})


def joint_states(
    store: RolloutStore, ids: list[int], stride: int, velocities: bool = False
) -> Trajectories:
    """Angles [rad], the shoulder's modulo 2π, ``stride`` env steps apart: what a picture shows.

    With ``velocities`` also those [rad/s], which take two pictures.
    UserError as :class:`Trajectories` does, and for a stride below 1.
    """
    if stride < 1:
        raise UserError(f"expected a stride of 1 env step or more, got {stride}")
    shards = store.load_states()
    rows = store.header.episode_steps + 1
    qpos, qvel = (
        np.concatenate([getattr(shard, name) for shard in shards]).reshape(-1, rows, 2)[ids]
        for name in ("qpos", "qvel")
    )
    angles = np.stack([wrap_angle(qpos[..., 0]), qpos[..., 1]], -1)
    values = np.concatenate([angles, qvel], -1)[:, ::stride]
    step_s = store.header.env_step_s * stride
    kept = 4 if velocities else 2
    return Trajectories(
        STATES if velocities else ANGLES,
        values[..., :kept],
        STATE_COLUMNS[:kept],
        step_s,
        STATE_PERIODS[:kept],
        own_units=True,
    )


def embeddings(
    model: WorldModel,
    store: RolloutStore,
    ids: list[int],
    on_episode: Callable[[int, int], None] = lambda done, total: None,
) -> Embedded:
    """What ``model`` makes of frames a model step apart, and where its predictions miss.

    UserError if the data show another world than the model's, or as :class:`Trajectories` does.
    """
    _require_same_world(model, store)
    episodes = store.load()
    seen, missed = [], []
    for done, number in enumerate(ids, 1):
        z, residual = _embed(model, episodes, number)
        seen.append(z)
        missed.append(residual)
        on_episode(done, len(ids))
    columns = tuple(f"z{i}" for i in range(model.latent_dim))
    shown = from_episodes(EMBEDDINGS, seen, columns, model.config.model_step_s)
    return Embedded(shown, np.array(missed))


@torch.no_grad()
def _embed(model: WorldModel, episodes: Episodes, number: int) -> tuple[Array, Array]:
    """Embeddings (T, D) and one-step residuals (T - L, D) of an episode."""
    block, context = model.config.action_block, model.context
    rows = episodes.rows(number)
    chosen = np.arange(rows.start, rows.stop, block)
    z = model.encode(torch.from_numpy(episodes.pixels[chosen]))  # (T, D)
    torques = torch.from_numpy(episodes.action[rows][: (len(chosen) - 1) * block])
    blocks = torques.reshape(len(chosen) - 1, -1)  # (T-1, K*A)
    if len(chosen) <= context:
        raise UserError(
            f"expected episodes of more than {context * block} env steps, got {len(chosen)} frames "
            "a model step apart: collect longer ones"
        )
    windows = z.unfold(0, context, 1)[:-1].mT  # (T-L, L, D)
    acted = blocks.unfold(0, context, 1).mT  # (T-L, L, K*A)
    predicted = model.rollout(windows, acted[:, :-1], acted[:, None, -1:])[:, 0, 0]
    return z.double().numpy(), (z[context:] - predicted).double().numpy()


def _require_same_world(model: WorldModel, store: RolloutStore) -> None:
    header, config = store.header, model.config
    found = (header.render_profile, header.image_size, header.action_repeat, header.physics_dt_s)
    expected = (
        config.render_profile, config.encoder.image_size, config.action_repeat,
        config.physics_dt_s,
    )  # fmt: skip
    if found != expected:
        raise UserError(
            f"{store.directory}: expected render profile, image size, action repeat and physics "
            f"step {expected}, as the model was trained on, got {found}: collect again, or name "
            "another --checkpoint"
        )
