"""Divergence matrices: the plan of tiles, the one jitted function, and the matrix that comes out."""

from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.plan import Layout, Plan, plan_pairwise
from infogeo.pairwise.run import pairwise_divergence

__all__ = ["Layout", "PairwiseMatrix", "Plan", "pairwise_divergence", "plan_pairwise"]
