"""Does some data meet the conditions under which LeJEPA learns the world's own variables?"""

from agent.diagnosis.diagnosis import CHECKS, Diagnosis, diagnose
from agent.diagnosis.trajectories import (
    Trajectories,
    from_episodes,
)
from agent.diagnosis.verdict import Finding, Level

__all__ = [
    "CHECKS",
    "Diagnosis",
    "Finding",
    "Level",
    "Trajectories",
    "diagnose",
    "from_episodes",
]
