"""Divergence matrices: the plan of tiles, the one jitted function, and the matrix that comes out; steps along runs."""

from infogeo.pairwise.groups import GROUPS, SampleGroups, divergence_by_groups
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.plan import Layout, Plan, plan_pairwise
from infogeo.pairwise.replicas import replicated_hellinger
from infogeo.pairwise.run import pairwise_divergence
from infogeo.pairwise.steps import Steps, trajectory_steps

__all__ = [
    "GROUPS",
    "Layout",
    "PairwiseMatrix",
    "Plan",
    "SampleGroups",
    "Steps",
    "divergence_by_groups",
    "pairwise_divergence",
    "plan_pairwise",
    "replicated_hellinger",
    "trajectory_steps",
]
