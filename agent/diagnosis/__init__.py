"""Does some data meet the conditions under which LeJEPA learns the world's own variables?"""

from agent.diagnosis.diagnosis import CHECKS, Diagnosis, diagnose
from agent.diagnosis.trajectories import Trajectories
from agent.diagnosis.verdict import Finding

__all__ = [
    "CHECKS",
    "Diagnosis",
    "Finding",
    "Trajectories",
    "diagnose",
]
