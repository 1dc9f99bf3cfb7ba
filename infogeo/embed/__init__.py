"""Embeddings of divergence matrices: coordinates with their signature and an account of what they explain."""

from infogeo.embed.anchors import anchors, place, placed_anchors
from infogeo.embed.explained import explained_distance, explained_distance_l1
from infogeo.embed.families import (
    ExponentialFamily,
    bernoulli_family,
    categorical_family,
    gaussian_family,
    least_squares_family,
    poisson_family,
)
from infogeo.embed.four_points import FourPointMap, four_point_map
from infogeo.embed.inpca import Embedding, inpca
from infogeo.embed.iskl import IsklEmbedding, iskl
from infogeo.embed.joint import JointMap, joint_map
from infogeo.embed.landmarks import HeldOut, LandmarkMap, embed_landmarks
from infogeo.embed.references import Map, Projection, embed_predictions
from infogeo.embed.residuals import GroupStress, Residuals, RunResiduals, residuals, stress_of_group
from infogeo.embed.selections import Landmarks, Selection, SpreadByDivergence, SpreadByRun
from infogeo.embed.uncertainty import EmbeddingErrors, embedding_errors
from infogeo.embed.weights import ByArcLength, EqualGroups, EqualPoints, EqualRuns, PointWeights

__all__ = [
    "ByArcLength",
    "Embedding",
    "EmbeddingErrors",
    "EqualGroups",
    "EqualPoints",
    "EqualRuns",
    "ExponentialFamily",
    "FourPointMap",
    "GroupStress",
    "HeldOut",
    "IsklEmbedding",
    "JointMap",
    "LandmarkMap",
    "Landmarks",
    "Map",
    "PointWeights",
    "Projection",
    "Residuals",
    "RunResiduals",
    "Selection",
    "SpreadByDivergence",
    "SpreadByRun",
    "anchors",
    "bernoulli_family",
    "categorical_family",
    "embed_landmarks",
    "embed_predictions",
    "embedding_errors",
    "explained_distance",
    "explained_distance_l1",
    "four_point_map",
    "gaussian_family",
    "inpca",
    "iskl",
    "joint_map",
    "least_squares_family",
    "place",
    "placed_anchors",
    "poisson_family",
    "residuals",
    "stress_of_group",
]
