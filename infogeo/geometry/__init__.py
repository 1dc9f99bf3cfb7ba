"""Lengths, geodesics and progress in the space of predictions: arrays only."""

from infogeo.geometry.centroids import (
    ArithmeticMean,
    BhattacharyyaCentroid,
    GeometricMean,
    HarmonicMean,
    JeffreysCentroid,
    SquareRootMean,
    mean_prediction,
)
from infogeo.geometry.geodesic import Geodesic, log_map
from infogeo.geometry.progress import ArcProgress, BhattacharyyaProgress, GeodesicProgress
from infogeo.geometry.steps import StepTerms, step_terms

__all__ = [
    "ArcProgress",
    "ArithmeticMean",
    "BhattacharyyaCentroid",
    "BhattacharyyaProgress",
    "Geodesic",
    "GeodesicProgress",
    "GeometricMean",
    "HarmonicMean",
    "JeffreysCentroid",
    "SquareRootMean",
    "StepTerms",
    "log_map",
    "mean_prediction",
    "step_terms",
]
