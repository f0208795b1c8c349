"""One's own recordings: a data set from frames and actions, and a world model learned from it.

    python examples/own_recordings.py runs/kitchen

No simulator stands behind them: here a lamp wanders over a table, in your case a camera looked on.
What is not known of the state is left out; then training has no probes, and how well the model
predicts and plans is said by ``run_agent.py evaluate --checkpoint OUT/model --data OUT/data``.
Films and goals: docs/your-own.md.
"""

import sys
from pathlib import Path

import numpy as np

from agent import Agent, RolloutWriter, WorldSpec

SIDE_PX, STEP_S = 32, 0.1
SPEC = WorldSpec(
    world="recorded:lamp", look="camera", image_size=(SIDE_PX, SIDE_PX), action_dim=2, step_s=STEP_S
)


def look(place: np.ndarray) -> np.ndarray:
    """What the camera sees: a soft spot of light at ``place`` (2,) in [-1, 1]."""
    y, x = (np.mgrid[:SIDE_PX, :SIDE_PX] + 0.5) / SIDE_PX * 2 - 1
    light = np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / 0.05)
    return np.repeat((255 * light)[..., None], 3, axis=-1).astype(np.uint8)


def episode(rng: np.random.Generator, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames (steps + 1, h, w, 3) and the actions (steps, 2) in [-1, 1] between them."""
    place, push = rng.uniform(-0.8, 0.8, 2), np.zeros(2)
    frames, actions = [look(place)], []
    for _ in range(steps):
        push = np.clip(0.8 * push + rng.normal(0.0, 0.4, 2), -1.0, 1.0)
        place = np.clip(place + 0.1 * push, -0.9, 0.9)
        frames.append(look(place))
        actions.append(push)
    return np.stack(frames), np.stack(actions)


def main(out: Path, episodes: int = 60, training_steps: int = 300) -> Agent:
    """Write the data set, learn from it, and say how far apart two places are."""
    rng = np.random.default_rng(0)
    with RolloutWriter(out / "data", SPEC) as writer:
        for _ in range(episodes):
            writer.add(*episode(rng, steps=int(rng.integers(40, 60))))  # of any length
    settings = {"training.steps": training_steps, "head.steps": 0}
    agent = Agent.train(out / "data", out / "model", settings=settings)
    near, far = (agent.distance(look(np.zeros(2)), look(np.full(2, d))) for d in (0.1, 0.6))
    print(f"distance of two places, .1 apart: {near:.2f}, .6 apart: {far:.2f}")
    return agent


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/lamp"))
