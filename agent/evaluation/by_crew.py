"""Episodes shared by a crew, in the same groups that one process would play: the same trials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.cluster import Crew
from agent.evaluation.play import Arena, Progress, Trial, groups_of, timed
from agent.interfaces import Controller
from envs import Task, World


@dataclass(frozen=True)
class Playing:
    """What ``evaluate`` does as a work of ``agent.cluster``: a task is a group of episodes.

    ``open`` makes the controller, the task, and what makes worlds, in each worker.
    """

    open: Callable[[], tuple[Controller, Task, Callable[[], World]]]
    episodes: int
    seed: int

    def begin(self) -> Callable[[range], list[Trial]]:
        """Open what plays, and draw the episodes."""
        controller, task, make_world = self.open()
        arena = Arena(controller, task, make_world)
        drawn = task.episodes(arena.world, self.episodes, self.seed)
        return lambda group: arena.play(drawn[group.start : group.stop])


def evaluate_by_crew(
    crew: Crew[range, list[Trial]],
    episodes: int,
    batch: int = 25,
    timed_episodes: int = 2,
    progress: Progress = lambda done, total: None,
) -> list[Trial]:
    """What ``evaluate`` gives, by a crew whose work is a ``Playing``; it raises the same."""
    trials: list[Trial] = []
    for _, played in crew.make(groups_of(episodes, batch, timed_episodes)):
        trials += played
        progress(len(trials), episodes)
    return timed(trials, timed_episodes)
