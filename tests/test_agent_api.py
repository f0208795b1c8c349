"""The agent as a Python program uses it, on a box that moves by its actions."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import agent
from agent import Agent, Column, RolloutWriter, WorldSpec
from agent.errors import ModelFaultError, UserError
from agent.files.bundle import read_bundle, write_bundle
from envs import WorldError
from planners import PLANNERS, Plan

ROOT = Path(__file__).parents[1]
SIDE, TICKS, EPISODES = 16, 60, 8
SPEC = WorldSpec("recorded:box", "drawn", (SIDE, SIDE), 2, 0.05, (Column("x"), Column("y")))
SMALL = {
    "training.steps": 30,
    "training.batch": 4,
    "training.threads": 1,
    "training.holdout_fraction": 0.25,
    "head.steps": 4,
}


def drawn(places: np.ndarray) -> np.ndarray:
    """Frames (T, h, w, 3) with a bright spot at each of ``places`` (T, 2) in [-1, 1]."""
    cells = np.linspace(-1, 1, SIDE)
    spread = np.exp(-(((cells - places[..., None]) / 0.25) ** 2))  # (T, 2, SIDE)
    grey = (255 * spread[:, 0, :, None] * spread[:, 1, None, :]).astype(np.uint8)
    return np.stack([grey, grey // 2, 255 - grey], -1)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out, rng = tmp_path_factory.mktemp("api") / "data", np.random.default_rng(0)
    with RolloutWriter(out, SPEC) as writer:
        for _ in range(EPISODES):
            actions = rng.uniform(-1, 1, (TICKS, 2))
            path = np.cumsum(np.vstack([rng.uniform(-2, 2, (1, 2)), 0.3 * actions]), 0)
            places = np.sin(path)
            writer.add(drawn(places), actions, places)
    return out


@pytest.fixture(scope="module")
def run(data: Path) -> Path:
    seen: list[tuple[int, int]] = []
    trained = Agent.train(
        data,
        data.parent / "run",
        recipe="tiny",
        settings=SMALL,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1] == (34, 34) and seen == sorted(seen), "30 steps, and 4 of the head"
    assert {total for _, total in seen} == {34}
    assert trained.spec == SPEC
    return data.parent / "run"


@pytest.fixture
def steering(run: Path) -> Agent:
    return Agent.load(run)


IMAGES = drawn(np.array([[0.0, 0.0], [0.5, -0.5], [-0.7, 0.2]]))
GOALS = drawn(np.array([[0.6, 0.1], [0.0, 0.8], [-0.7, 0.2]]))


def test_what_a_program_needs_is_at_the_front_door() -> None:
    assert all(getattr(agent, name) is not None for name in agent.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Agnet'"):
        _ = agent.Agnet


def test_one_image_or_a_batch_of_one_act_alike(run: Path) -> None:
    alone, together = Agent.load(run), Agent.load(run)
    for image in IMAGES:  # three ticks of one episode
        single, batch = alone.act(image, GOALS[0]), together.act(image[None], GOALS[:1])
        assert single.shape == (2,) and batch.shape == (1, 2)
        np.testing.assert_array_equal(single, batch[0])
        assert (np.abs(single) <= 1).all()


def test_a_program_that_computes_in_double_precision_gets_the_same(run: Path) -> None:
    expected = Agent.load(run).act(IMAGES[0], GOALS[0])
    torch.set_default_dtype(torch.float64)
    try:
        agent = Agent.load(run)
        np.testing.assert_array_equal(agent.act(IMAGES[0], GOALS[0]), expected)
        assert agent.encode(IMAGES).dtype == np.float32
    finally:
        torch.set_default_dtype(torch.float32)


def test_loading_leaves_the_callers_chance_alone(run: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Agent.load(run)
    assert torch.equal(torch.rand(3), expected)


def test_trainings_side_by_side_learn_what_they_learn_alone(
    data: Path, run: Path, tmp_path: Path
) -> None:
    """And beside loading, and within a program that switched gradients off."""

    def learn(out: str) -> np.ndarray:
        with torch.inference_mode():
            return Agent.train(data, tmp_path / out, recipe="tiny", settings=SMALL).encode(IMAGES)

    def load(name: str) -> np.ndarray:
        return [Agent.load(run).encode(IMAGES) for _ in range(20)][-1]

    with ThreadPoolExecutor(3) as threads:
        found = [
            threads.submit(job, name) for job, name in ((learn, "a"), (learn, "b"), (load, ""))
        ]
    expected = Agent.load(run).encode(IMAGES)
    for each in found:
        np.testing.assert_array_equal(each.result(), expected)


def test_episodes_in_a_batch_do_not_see_one_another(run: Path) -> None:
    together = Agent.load(run, seed=4)
    batch = together.act(IMAGES, GOALS)
    for index in range(3):
        alone = Agent.load(run, seed=4 + index)
        np.testing.assert_allclose(alone.act(IMAGES[index], GOALS[index]), batch[index], atol=1e-3)


def test_a_reset_begins_the_same_episode_anew(steering: Agent) -> None:
    first = [steering.act(image, GOALS[0]) for image in IMAGES]
    steering.reset()
    assert steering.held == ()
    again = [steering.act(image, GOALS[0]) for image in IMAGES]
    np.testing.assert_array_equal(first, again)


def test_another_goal_is_pursued_without_forgetting_what_was_seen(run: Path) -> None:
    turning, keeping, fresh = (Agent.load(run) for _ in range(3))
    for image in IMAGES[:2]:
        turning.act(image, GOALS[0])
        keeping.act(image, GOALS[0])
    turning.act(IMAGES[2], GOALS[1])
    keeping.act(IMAGES[2], GOALS[0])
    fresh.act(IMAGES[2], GOALS[1])
    np.testing.assert_array_equal(remembered(turning), remembered(keeping))
    assert not np.array_equal(remembered(turning), remembered(fresh))
    assert not np.array_equal(intended(turning), intended(keeping))
    assert not np.array_equal(intended(turning), intended(fresh))


def test_a_goal_drawn_into_the_same_array_is_another(run: Path) -> None:
    told, plain = Agent.load(run), Agent.load(run)
    goal = GOALS[0].copy()
    for chosen in (0, 1):
        goal[:] = GOALS[chosen]
        told.act(IMAGES[0], goal)
        plain.act(IMAGES[0], GOALS[chosen])
    np.testing.assert_array_equal(intended(told), intended(plain))


def test_a_refused_seed_is_not_kept(steering: Agent) -> None:
    with pytest.raises(UserError, match="seed"):
        steering.reset(-1)
    steering.reset()


def intended(steering: Agent) -> np.ndarray:
    """The plan (E, H*K, A); its first actions may be the largest there are, whatever is seen."""
    return steering._controller.plan


def remembered(steering: Agent) -> np.ndarray:
    """The embeddings (E, L, D) that the next plan starts from."""
    return steering._controller._begun().history.embeddings()


def test_another_number_of_episodes_begins_anew(run: Path) -> None:
    before = Agent.load(run)
    before.act(IMAGES[0], GOALS[0])
    np.testing.assert_array_equal(before.act(IMAGES, GOALS), Agent.load(run).act(IMAGES, GOALS))


def test_the_plan_begins_after_the_action(steering: Agent) -> None:
    with pytest.raises(UserError, match=r"act\(\) before plan"):
        _ = steering.plan
    steering.act(IMAGES, GOALS)
    plan = steering.plan
    assert plan.shape == (3, 8 * steering.model.config.action_block, 2)
    assert (np.abs(plan) <= 1).all()


def test_embeddings_of_one_and_of_many(steering: Agent) -> None:
    one, many = steering.encode(IMAGES[0]), steering.encode(IMAGES)
    assert one.shape == (8,) and many.shape == (3, 8)
    np.testing.assert_allclose(one, many[0], atol=1e-5)


def test_distance_is_one(steering: Agent) -> None:
    one, many = steering.distance(IMAGES[0], GOALS[0]), steering.distance(IMAGES, GOALS)
    assert np.ndim(one) == 0 and many.shape == (3,)
    np.testing.assert_allclose(one, many[0], rtol=1e-4)
    assert many[2] == 0.0 and (many[:2] > 0).all()  # the third is there already
    np.testing.assert_allclose(steering.distance(GOALS, IMAGES), many, rtol=1e-4)


def test_what_is_imagined_has_an_embedding_each_model_step(steering: Agent) -> None:
    block = steering.model.config.action_block
    actions = np.random.default_rng(1).uniform(-1, 1, (3, 4 * block, 2))
    one, many = steering.imagine(actions[0], IMAGES[0]), steering.imagine(actions, IMAGES)
    assert one.shape == (4, 8) and many.shape == (3, 4, 8)
    np.testing.assert_allclose(one, many[0], atol=1e-4)
    sooner = steering.imagine(actions[0, : 2 * block], IMAGES[0])
    np.testing.assert_allclose(sooner, one[:2], atol=1e-5)  # the future does not reach back
    swapped = steering.imagine(actions[0, ::-1], IMAGES[0][..., ::-1])  # no copies of ours
    again = steering.imagine(actions[0, ::-1].copy(), IMAGES[0][..., ::-1].copy())
    np.testing.assert_array_equal(swapped, again)
    with pytest.raises(UserError, match="finite actions"):
        steering.imagine(np.full((block, 2), np.nan), IMAGES[0])
    with pytest.raises(UserError, match=f"a multiple of {block} actions, got {4 * block - 1}"):
        steering.imagine(actions[0, 1:], IMAGES[0])
    with pytest.raises(UserError, match="actions, got 0"):
        steering.imagine(np.empty((0, 2)), IMAGES[0])


@pytest.mark.parametrize(
    ("shape", "images", "said"),
    [
        ((6, 1), 1, r"actions \(1, T, 2\) or \(T, 2\), a sequence for each image, got \(6, 1\)"),
        ((8,), 1, r"got \(8,\)"),
        ((4, 3), 1, r"got \(4, 3\)"),
        ((2, 4, 2), 1, r"got \(2, 4, 2\)"),
        ((8, 2), 2, r"actions \(2, T, 2\), a sequence for each image, got \(8, 2\)"),
        ((1, 8, 2), 2, r"got \(1, 8, 2\)"),
        ((1, 1, 8, 2), 1, r"got \(1, 1, 8, 2\)"),
    ],
)
def test_actions_of_another_shape_are_not_read_as_others(
    steering: Agent, shape: tuple[int, ...], images: int, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        steering.imagine(np.zeros(shape), IMAGES[:images])


@pytest.mark.parametrize("actions", [np.full((8, 2), 1.5), np.full((8, 2), np.nan), "hello", None])
def test_actions_it_could_not_have_learned_from_are_refused(
    steering: Agent, actions: object
) -> None:
    with pytest.raises(UserError, match="expected"):
        steering.imagine(actions, IMAGES[0])  # type: ignore[arg-type]


def test_a_picture_that_cannot_be_written_is_as_good(
    steering: Agent, recwarn: pytest.WarningsRecorder
) -> None:
    image = IMAGES[0].copy()
    image.setflags(write=False)
    steering.act(image, GOALS[0])
    steering.imagine(np.zeros((8, 2)), image)
    assert not [one for one in recwarn if "writable" in str(one.message)]


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((SIDE, SIDE + 1, 3), np.uint8), r"uint8 \(16, 16, 3\).*got uint8 \(16, 17, 3\)"),
        (np.zeros((SIDE, SIDE, 3)), r"got float64 \(16, 16, 3\)"),
        (np.zeros((0, SIDE, SIDE, 3), np.uint8), r"got uint8 \(0, 16, 16, 3\)"),
        (np.zeros((SIDE, SIDE), np.uint8), r"got uint8 \(16, 16\)"),
        (np.zeros((1, 1, SIDE, SIDE, 3), np.uint8), r"got uint8 \(1, 1, 16, 16, 3\)"),
    ],
)
def test_another_image_is_refused(steering: Agent, image: np.ndarray, said: str) -> None:
    for ask in (
        lambda: steering.act(image, GOALS[0]),
        lambda: steering.act(IMAGES[0], image),
        lambda: steering.encode(image),
        lambda: steering.distance(IMAGES[0], image),
    ):
        with pytest.raises(UserError, match=said):
            ask()


@pytest.mark.parametrize(("images", "goals"), [(3, 1), (1, 3), (2, 3)])
def test_each_image_has_its_goal(steering: Agent, images: int, goals: int) -> None:
    said = rf"a goal for each image, got images \({images}, .*and goals \({goals}, "
    for ask in (steering.act, steering.distance):
        with pytest.raises(UserError, match=said):
            ask(IMAGES[:images], GOALS[:goals])


def test_one_image_may_stand_for_all(steering: Agent, run: Path) -> None:
    expected = Agent.load(run).act(IMAGES, np.stack([GOALS[0]] * 3))
    np.testing.assert_array_equal(steering.act(IMAGES, GOALS[0]), expected)
    far = [steering.distance(IMAGES[0], goal) for goal in GOALS]
    np.testing.assert_allclose(steering.distance(IMAGES[0], GOALS), far, rtol=1e-4)
    np.testing.assert_allclose(steering.distance(GOALS, IMAGES[0]), far, rtol=1e-4)
    actions = np.random.default_rng(1).uniform(-1, 1, (5, 8, 2))
    ahead = [steering.imagine(each, IMAGES[0]) for each in actions]
    np.testing.assert_allclose(steering.imagine(actions, IMAGES[0]), ahead, atol=1e-4)


def test_a_model_that_breaks_down_is_told(run: Path) -> None:
    broken = Agent.load(run)
    with torch.no_grad():
        for weights in broken.model.predictor.parameters():
            weights.fill_(float("nan"))
    with pytest.raises(ModelFaultError, match="the model gave numbers that are not finite"):
        broken.act(IMAGES[0], GOALS[0])


def test_the_action_head_acts_where_it_was_taught(run: Path, tmp_path: Path) -> None:
    alone = Agent.load(run, planner="direct", delay_ticks=2)
    planned = Agent.load(run)
    with torch.no_grad():  # it shows in what is sent
        for weights in alone.model.head.parameters():
            weights += 0.1
    sent = [one.act(IMAGES, GOALS) for one in (alone, planned)]
    assert sent[0].shape == (3, 2) and not np.allclose(*sent) and alone.plan.shape == (3, 0, 2)
    with pytest.raises(UserError, match="delay_ticks"):
        Agent.load(run, planner="direct", delay_ticks=-1)
    files = {n: b for n, b in read_bundle(run / "checkpoint").items() if n != "config.json"}
    config = json.loads((run / "checkpoint/config.json").read_text())
    del config["facts"]["head"]
    write_bundle(tmp_path, {**files, "config.json": json.dumps(config).encode()})
    with pytest.raises(UserError, match="an action head that was taught"):
        Agent.load(tmp_path, planner="direct")


class Sending:
    """A planner that sends ``value`` at once, in lists, and says that this costs nothing."""

    def __init__(self, value: float) -> None:
        self._value = value

    def plan(self, cost_fn, warm_start, bounds, noise, deadline=None):
        return Plan(np.full_like(warm_start, self._value).tolist(), [0.0], [[0.0]])


class Shorter:
    def plan(self, cost_fn, warm_start, bounds, noise):
        raise AssertionError


def test_a_planner_of_ones_own_is_told_what_it_did_wrong(run: Path) -> None:
    sent = Agent.load(run, planner=Sending(0.5)).act(IMAGES[0], GOALS[0])
    np.testing.assert_array_equal(sent, [0.5, 0.5])
    with pytest.raises(ModelFaultError, match="the planner gave numbers that are not finite"):
        Agent.load(run, planner=Sending(np.nan)).act(IMAGES[0], GOALS[0])
    with pytest.raises(WorldError, match=r"plan\(\) of Shorter to take .*deadline"):
        Agent.load(run, planner=Shorter())


def test_ways_to_act_are_chosen_by_name(run: Path) -> None:
    for planner in ("cem", "gauss-newton"):
        chosen = Agent.load(run, planner=planner, delay_ticks=2, tick_ms=1000.0)
        assert chosen.act(IMAGES, GOALS).shape == (3, 2)
    mine = PLANNERS["random-shooting"]()
    same = [Agent.load(run, planner=p).act(IMAGES, GOALS) for p in (mine, "random-shooting")]
    np.testing.assert_array_equal(*same)
    said = r"expected a planner of .*cem.*, got 'newton'; did you mean 'gauss-newton'"
    with pytest.raises(UserError, match=said):
        Agent.load(run, planner="newton")
    with pytest.raises(UserError, match="got None"):
        Agent.load(run, planner=None)
    with pytest.raises(UserError, match="got the class CEMPlanner: give one of it"):
        Agent.load(run, planner=PLANNERS["cem"])
    for wrong in ({"delay_ticks": 1.5}, {"delay_ticks": -1}, {"tick_ms": 0.0}, {"seed": 1.5}):
        with pytest.raises(UserError, match=next(iter(wrong))):
            Agent.load(run, **wrong)
    with pytest.raises(UserError, match="expected a checkpoint in no-such-place"):
        Agent.load("no-such-place")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"training.step": 3}, "'training.step'; did you mean 'training.steps'"),
        ({"training.steps": "many"}, "training.steps"),
        ({"training.steps": 0}, "steps"),
        ({"training.sigreg_weight": np.float32(-1)}, "sigreg_weight"),
        ({"training.weight_decay": 0.1}, "weight_decay does nothing with training.optimiser muon"),
        (["training.steps=3"], r"settings by name, got 'tiny' and \['training"),
    ],
)
def test_settings_are_refused_by_name(
    data: Path, tmp_path: Path, settings: dict[str, object], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        Agent.train(data, tmp_path / "run", recipe="tiny", settings=settings)
    assert not (tmp_path / "run").exists()


def test_a_training_that_was_stopped_is_resumed(data: Path, tmp_path: Path) -> None:
    def learn(out: str, **how: Any) -> Agent:
        return Agent.train(data, tmp_path / out, recipe="tiny", settings=SMALL, **how)

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    torch.set_num_threads(2)
    with pytest.raises(InterruptedError):
        learn("cut", progress=stop)
    resumed, whole = learn("cut", resume=True), learn("whole")
    assert torch.get_num_threads() == 2, "those of a training are not the program's"
    np.testing.assert_array_equal(resumed.encode(IMAGES), whole.encode(IMAGES))


def test_an_unknown_recipe_names_the_nearest(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'tiyn'; did you mean 'tiny'"):
        Agent.train(data, tmp_path / "run", recipe="tiyn")


def test_a_context_of_one_embedding_learns_and_acts(data: Path, tmp_path: Path) -> None:
    alone = {**SMALL, "training.steps": 2, "model.predictor.context": 1}
    trained = Agent.train(data, tmp_path / "run", recipe="tiny", settings=alone)
    assert trained.model.head is not None and trained.act(IMAGES, GOALS).shape == (3, 2)


def test_training_goes_on_from_a_checkpoint(data: Path, run: Path, tmp_path: Path) -> None:
    more = {**SMALL, "training.steps": 1, "training.learning_rate": 1e-9}
    further = Agent.train(data, tmp_path / "more", recipe="tiny", settings=more, begin=run)
    scratch = Agent.train(data, tmp_path / "scratch", recipe="tiny", settings=more)
    learned = Agent.load(run).encode(IMAGES)
    moved, apart = (np.abs(one.encode(IMAGES) - learned).max() for one in (further, scratch))
    assert moved < 0.5 * apart


def test_loading_loads_no_compiler_and_nothing_to_learn_with() -> None:
    """Each takes a second or two, at every start of a command and of a worker."""
    program = """
import sys, numpy as np
from agent import Agent
agent = Agent.load("checkpoints/reacher")
picture = np.zeros((64, 64, 3), np.uint8)
agent.distance(picture, picture)
print({"torch._dynamo", "scipy.stats", "agent.training.trainer"} & set(sys.modules))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert ended.stdout == "set()\n"


def test_several_threads_may_load_at_once(run: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        agents = list(pool.map(lambda _: Agent.load(run), range(12)))
    assert len(agents) == 12


def test_what_going_on_would_take_back_is_refused(run: Path, data: Path, tmp_path: Path) -> None:
    for name, value in (("training.warm_start", 0.5), ("model.encoder.latent_dim", 16)):
        with pytest.raises(UserError, match=name):
            Agent.train(data, tmp_path / "x", settings={**SMALL, name: value}, begin=run)


def test_a_seed_is_a_whole_number(run: Path) -> None:
    for seed in (1.5, "x", -1):
        with pytest.raises(UserError, match="seed"):
            Agent.load(run).reset(seed=seed)  # type: ignore[arg-type]


def test_loading_offers_what_an_agent_takes_and_means_the_same_by_it() -> None:
    loading, made = (
        list(inspect.signature(one).parameters.values())[1:] for one in (Agent.load, Agent)
    )
    assert loading == made


def test_what_does_not_fit_is_told_how_to(steering: Agent) -> None:
    agent = steering
    image = np.zeros(agent.spec.frame_shape, np.uint8)
    for given, how in (
        (np.moveaxis(image, -1, 0), "colours last"),
        (np.concatenate([image, image[..., :1]], -1), r"fourth channel"),
        (image[..., 0], "grey"),
        (image[1:], "at least as many pixels"),
        (np.repeat(image, 2, 1), r"agent\.resized"),
        (image[None][:0], "a batch of none"),
        (np.uint8(5), r"got uint8 \(\)"),
    ):
        with pytest.raises(UserError, match=how):
            agent.encode(given)


def test_settings_of_the_wrong_kind_are_named(run: Path) -> None:
    with pytest.raises(UserError, match="guard=True or False, got 'no'"):
        Agent.load(run, guard="no")  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"delay_ticks as a whole number.*got 1\.5"):
        Agent.load(run, delay_ticks=1.5)  # type: ignore[arg-type]
