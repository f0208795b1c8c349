"""Who does the work: processes of this machine, or those of a Ray cluster, behind one seam."""

from agent.cluster.crew import Crew, InThisProcess, Work, crew_for, one_cluster

__all__ = ["Crew", "InThisProcess", "Work", "crew_for", "one_cluster"]
