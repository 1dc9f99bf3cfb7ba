"""Trajectories: progress, equal progress, lengths, the distances between runs, and which factor separates them."""

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
from infogeo.trajectories.shape import Shapes, shapes

__all__ = [
    "GRID",
    "AccuracyProgress",
    "FactorImportance",
    "FactorTest",
    "Progress",
    "Shapes",
    "StepProgress",
    "at_steps",
    "common_grid",
    "configuration_matrix",
    "factor_importance",
    "frechet_distances",
    "geodesic",
    "geodesic_points",
    "permanova",
    "progress_of",
    "reached",
    "reindexed",
    "shapes",
    "soft_distances",
    "trajectory_divergence",
    "with_progress",
]
