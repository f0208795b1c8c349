"""Where going straight leads nowhere, known embeddings lead round: on graphs one can draw."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from known_world import Points, exact_network
from numpy.typing import NDArray
from torch import Tensor

from agent.control.detour import AHEAD, NODES, Detours, Map, map_of
from agent.control.mpc import MPCConfig, WorldModelController
from agent.control.torch_model import TorchModel
from agent.interfaces import FloatArray
from agent.model.folded_measure import FoldedMeasure
from agent.model.likeness import NEAREST
from agent.model.sight import Sight
from planners import GaussNewtonPlanner

ANGLES = np.linspace(0.0, 1.5 * np.pi, 200)
HORSESHOE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1).astype(np.float32)
ENDS = HORSESHOE[[0]], HORSESHOE[[-1]]


def test_a_way_follows_the_horseshoe_and_does_not_jump_its_gap() -> None:
    known = Map(HORSESHOE)
    ways, here, walked = known.ways_to(len(HORSESHOE) - 1), 0, [0]
    while ways[here] != here:
        here = int(ways[here])
        walked.append(here)
    assert walked[-1] == len(HORSESHOE) - 1
    assert np.diff(walked).min() > 0 and np.diff(walked).max() <= NEAREST
    length = np.linalg.norm(np.diff(HORSESHOE[walked], axis=0), axis=1).sum()
    assert length == pytest.approx(1.5 * np.pi, rel=0.01)


def test_near_is_what_a_few_hops_reach() -> None:
    line = np.arange(200, dtype=np.float32)[:, None]  # eight neighbours: four to each side
    known = Map(line)
    assert [there for there in range(200) if known.are_near(100, there)] == [*range(88, 113)]


def test_every_way_is_as_short_as_scipy_finds_it() -> None:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    rng = np.random.default_rng(1)
    nodes = rng.normal(size=(300, 3)).astype(np.float32)
    apart = np.linalg.norm(nodes[:, None] - nodes[None], axis=2)
    order = np.argsort(apart, axis=1)[:, 1 : NEAREST + 1]
    rows = np.repeat(np.arange(300), NEAREST)
    edges = csr_matrix((apart[rows, order.ravel()], (rows, order.ravel())), shape=(300, 300))
    expected = dijkstra(edges.T, indices=7)
    ways = Map(nodes).ways_to(7)
    for start in range(300):
        here, length = start, 0.0
        while ways[here] not in (here, -1):
            length, here = length + apart[here, ways[here]], int(ways[here])
        found = np.inf if ways[here] < 0 else length
        assert found == pytest.approx(expected[start], rel=1e-4)


def test_a_map_of_many_is_made_of_some() -> None:
    line = np.arange(2 * NODES + 2, dtype=np.float32).reshape(-1, 2)
    assert 0.5 * NODES < len(Map(line).nodes) <= NODES


def test_two_pictures_of_one_place_keep_nobody_from_the_way() -> None:
    twice = np.concatenate([HORSESHOE, HORSESHOE[::3]])
    once, doubled = (Map(known).ways_to(len(HORSESHOE) - 1) for known in (HORSESHOE, twice))
    np.testing.assert_array_equal(once, doubled)
    assert map_of(np.ones((50, 2), np.float32)) is None  # one place is no map


def nobody(episodes: int) -> NDArray[np.bool_]:
    return np.zeros(episodes, np.bool_)


def test_who_is_held_does_not_wait() -> None:
    (start, goal), detours = ENDS, Detours(Map(HORSESHOE), 1, patience=5)
    for _ in range(50):
        detours.note(np.ones(1), ~nobody(1))
    assert detours.targets(start, goal) is goal


def waited(known: FloatArray | None, ticks: int, episodes: int = 1) -> Detours:
    detours = Detours(map_of(known), episodes, patience=5)
    for _ in range(ticks):
        detours.note(np.ones(episodes), nobody(episodes))
    return detours


def test_only_who_waited_far_from_the_goal_goes_round() -> None:
    start, goal = ENDS
    assert waited(HORSESHOE, 5).targets(start, goal) is goal  # the first tick was progress
    detours = waited(HORSESHOE, 6)
    aims = detours.targets(start, goal)
    assert detours.under_way.all() and np.linalg.norm(aims - start) < np.linalg.norm(goal - start)
    assert aims[0, 1] > 0  # upwards, the long way, and not down across the gap
    near = waited(HORSESHOE, 6)
    assert near.targets(HORSESHOE[[-3]], goal) is goal and not near.under_way.any()


def test_the_way_is_followed_until_the_goal_is_near_and_then_left() -> None:
    (start, goal), detours = ENDS, waited(HORSESHOE, 6)
    now = start
    for _ in range(len(HORSESHOE)):
        aims = detours.targets(now, goal)
        detours.note(np.ones(1), nobody(1))
        if not detours.under_way.any():
            break
        now = aims  # whoever is steered arrives where it aims
    assert np.linalg.norm(now - goal) < AHEAD * NEAREST * 1.5 * np.pi / 199
    assert detours.targets(now, goal) is goal


def test_progress_and_other_goals_end_the_waiting() -> None:
    start, goal = ENDS
    falling = Detours(Map(HORSESHOE), 1, patience=5)
    for tick in range(50):
        falling.note(np.array([0.9**tick]), nobody(1))
    assert falling.targets(start, goal) is goal
    again = waited(HORSESHOE, 6)
    again.targets(start, goal)
    again.forget(nobody(1))
    assert again.under_way.all()
    again.forget(~nobody(1))
    assert not again.under_way.any() and again.targets(start, goal) is goal


def test_episodes_go_round_each_for_itself() -> None:
    detours = Detours(Map(HORSESHOE), 2, patience=5)
    for tick in range(6):
        detours.note(np.array([1.0, 0.5**tick]), nobody(2))
    start, goal = (np.repeat(end, 2, 0) for end in ENDS)
    aims = detours.targets(start, goal)
    assert detours.under_way.tolist() == [True, False]
    np.testing.assert_array_equal(aims[1], goal[1])
    assert not np.array_equal(aims[0], goal[0])


def test_without_a_way_or_a_map_the_goal_itself_is_aimed_at() -> None:
    start, goal = ENDS
    assert waited(None, 9).targets(start, goal) is goal
    assert waited(HORSESHOE[:NEAREST], 9).targets(start, goal) is goal
    islands = np.concatenate([HORSESHOE, HORSESHOE + 9])
    assert waited(islands, 9).targets(start, islands[-1:]).tolist() == islands[-1:].tolist()


class Walled(FoldedMeasure):
    """Of places as ever, and beside it how high they lie on a wall at x = 0.5, up to y = 0.5."""

    def __call__(self, embeddings: Tensor) -> Tensor:
        return torch.cat([self._height(embeddings)[..., None], super().__call__(embeddings)], -1)

    def slopes(self, embeddings: Tensor, slopes: Tensor) -> Tensor:
        x, y = embeddings.unbind(-1)
        height, below = self._height(embeddings), torch.sigmoid((0.5 - y) / 0.03)
        by_place = torch.stack([-(x - 0.5) / 0.01 * height, -(1 - below) / 0.03 * height], -1)
        upwards = (slopes * by_place[..., None, :]).sum(-1, keepdim=True)
        return torch.cat([upwards, super().slopes(embeddings, slopes)], -1)

    def _height(self, places: Tensor) -> Tensor:
        x, y = places.unbind(-1)
        return 4 * torch.exp(-((x - 0.5) ** 2) / 0.02) * torch.sigmoid((0.5 - y) / 0.03)


def known_places() -> Sight:
    """All places but those at the wall."""
    places = np.random.default_rng(0).uniform((-0.3, -0.3), (1.3, 1.0), (1500, 2))
    free = places[(abs(places[:, 0] - 0.5) > 0.25) | (places[:, 1] > 0.65)].astype(np.float32)
    thumbnails, range_ = np.zeros((len(free), 16, 16, 3), np.uint8), np.zeros((16, 16, 3), np.uint8)
    return Sight(free, thumbnails, range_, range_, 1.0, 1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize("detours", [False, True])
def test_a_wall_in_the_measure_is_walked_round(detours: bool) -> None:
    network = exact_network()
    network.sight = known_places()
    model = TorchModel(network)
    model._measure = Walled(network)
    config = MPCConfig(6, guarded=False, detours=detours)
    planner = GaussNewtonPlanner(random_starts=0)  # luck may take it over the wall
    controller = WorldModelController(model, planner, config)
    world = Points(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]))
    controller.reset(world.goals(), [3])
    places, rounds = [], []
    for _ in range(200):
        world.step(controller.act(world.seen()).actions)
        places.append(world.position[0].copy())
        rounds.append(bool(controller.goes_round[0]))
    there = bool(np.linalg.norm(places[-1] - [1.0, 0.0]) < 0.02)
    assert there == detours == any(rounds) and not rounds[-1]
