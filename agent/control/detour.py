"""A way round where going straight towards the goal leads nowhere.

Far from a goal the distance to it can have a false minimum, and a plan that sees a second ahead
stays there. What was seen while the model learned knows better: known embeddings, each beside its
nearest, are a graph, and along its shortest paths there is no false minimum. An episode whose plans
have not come nearer for a while, and is many hops away, follows such a path, always aiming at the
embedding a few hops ahead, until the goal itself is as near (sub-goals on a graph of what was seen:
Savinov et al. 2018, arXiv:1803.00653, Sec. 3; Eysenbach et al. 2019, arXiv:1906.05253, Sec. 2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.interfaces import FloatArray
from agent.model.likeness import NEAREST, nearest

NODES = 1024  # at most; their neighbours are found in milliseconds
AHEAD = 3  # hops to the embedding that is aimed at, and to the goal where the way ends
NEARER = 0.97  # of the least cost so far: a plan that costs more is no progress

Nodes = NDArray[np.intp]


class Map:
    """Known embeddings (N, D), each with its nearest; made once for a model, in some 20 ms."""

    def __init__(self, known: FloatArray) -> None:
        self.nodes = _each_once(known[:: -(-len(known) // NODES)])
        self._beside = nearest(self.nodes, self.nodes, np.arange(len(self.nodes)))
        self._hops = np.linalg.norm(self.nodes[self._beside] - self.nodes[:, None], axis=2)

    def are_near(self, here: int, there: int) -> bool:
        """Whether ``AHEAD`` hops lead from one node to another."""
        reached = np.array([here])
        for _ in range(AHEAD):
            reached = np.union1d(reached, self._beside[reached])
        return there in reached

    def node(self, embedding: FloatArray) -> int:
        """The nearest to an embedding (D,)."""
        return int(np.square(self.nodes - embedding).sum(1).argmin())

    def ways_to(self, goal: int) -> Nodes:
        """The next node (N,) on the shortest path from each to ``goal``; -1 where there is none."""
        which, hops = self._beside, self._hops
        length = np.full(len(which), np.inf)
        length[goal] = 0.0
        for _ in range(len(which)):
            through = hops + length[which]
            shorter = np.minimum(length, through.min(1))
            if (shorter == length).all():
                break
            length = shorter
        following: Nodes = which[np.arange(len(which)), through.argmin(1)]
        following[~np.isfinite(length)] = -1
        following[goal] = goal
        return following


class Detours:
    """Whether each of E episodes is on its way round, and where to.

    Args:
        known: where ways lead through; None for no way round.
        episodes: E.
        patience: ticks without progress before a way round is looked for.
    """

    def __init__(self, known: Map | None, episodes: int, patience: int) -> None:
        self._map, self._patience = known, patience
        self._ways: list[Nodes | None] = [None] * episodes  # to the goal, once they were needed
        self._round = np.zeros(episodes, np.bool_)
        self._least = np.full(episodes, np.inf)
        self._waited = np.zeros(episodes, np.int64)

    @property
    def under_way(self) -> NDArray[np.bool_]:
        """(E,): which episodes aim elsewhere than at their goal."""
        return self._round.copy()

    def forget(self, episodes: NDArray[np.bool_]) -> None:
        """The goals of ``episodes`` (E,) are others now."""
        kept = zip(self._ways, episodes, strict=True)
        self._ways = [None if other else way for way, other in kept]
        self._round[episodes], self._least[episodes], self._waited[episodes] = False, np.inf, 0

    def targets(self, now: FloatArray, goals: FloatArray) -> FloatArray:
        """What to aim at (E, D), from embeddings of now (E, D) and goals (E, D)."""
        aims = goals
        if self._map is None:
            return aims
        for i in np.flatnonzero((self._waited >= self._patience) | self._round):
            ahead = self._ahead(int(i), now[i], goals[i])
            if ahead is not None:
                aims = goals.copy() if aims is goals else aims
                aims[i] = ahead
        return aims

    def note(self, costs: NDArray[np.floating], held: NDArray[np.bool_]) -> None:
        """The costs (E,) of this tick's plans; who is ``held`` (E,) waits for nothing."""
        better = costs < NEARER * self._least
        self._least = np.where(better, costs, self._least)
        self._waited = np.where(better | held, 0, self._waited + 1)

    def _ahead(self, i: int, now: FloatArray, goal: FloatArray) -> FloatArray | None:
        """The embedding to aim at on the way round; None where the goal itself is to be."""
        assert self._map is not None
        here, there = self._map.node(now), self._map.node(goal)
        if not self._map.are_near(here, there):
            ways = self._ways[i]
            if ways is None:
                ways = self._ways[i] = self._map.ways_to(there)
            for _ in range(AHEAD):
                here = int(ways[here]) if here >= 0 else here
            if here >= 0:  # there is a way
                self._round[i] = True
                found: FloatArray = self._map.nodes[here]
                return found
        self._round[i], self._waited[i], self._least[i] = False, 0, np.inf
        return None


def map_of(known: FloatArray | None) -> Map | None:
    """The map of known embeddings (N, D); None where there are too few."""
    found = None if known is None else Map(known)
    return found if found is not None and len(found.nodes) > NEAREST else None


def _each_once(known: FloatArray) -> FloatArray:
    """In their order: two in one place would be each other's next on every way."""
    return known[np.sort(np.unique(known, axis=0, return_index=True)[1])]
