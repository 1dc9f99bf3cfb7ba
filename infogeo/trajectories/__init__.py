"""Trajectories: progress, equal progress, lengths, the distances between runs, and which factor separates them."""

from infogeo.trajectories.block import Block
from infogeo.trajectories.comparison import Comparison, compare_runs
from infogeo.trajectories.configuration import configuration_matrix
from infogeo.trajectories.distances import at_steps, frechet_distances, soft_distances, trajectory_divergence
from infogeo.trajectories.group_test import FactorTest, permanova
from infogeo.trajectories.importance import FactorImportance, factor_importance
from infogeo.trajectories.progress import (
    AccuracyProgress,
    Progress,
    StepProgress,
    geodesic,
    geodesic_points,
    progress_of,
    with_progress,
)
from infogeo.trajectories.reindex import GRID, common_grid, reached, reindexed
from infogeo.trajectories.same_road import Pace, pace
from infogeo.trajectories.shape import Shapes, shapes
from infogeo.trajectories.tube import Tubes, tubes

__all__ = [
    "GRID",
    "AccuracyProgress",
    "Block",
    "Comparison",
    "FactorImportance",
    "FactorTest",
    "Pace",
    "Progress",
    "Shapes",
    "StepProgress",
    "Tubes",
    "at_steps",
    "common_grid",
    "compare_runs",
    "configuration_matrix",
    "factor_importance",
    "frechet_distances",
    "geodesic",
    "geodesic_points",
    "pace",
    "permanova",
    "progress_of",
    "reached",
    "reindexed",
    "shapes",
    "soft_distances",
    "trajectory_divergence",
    "tubes",
    "with_progress",
]
