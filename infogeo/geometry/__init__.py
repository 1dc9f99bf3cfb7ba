"""Lengths, geodesics and progress in the space of predictions: arrays only."""

from infogeo.geometry.geodesic import Geodesic, log_map
from infogeo.geometry.progress import ArcProgress, BhattacharyyaProgress, GeodesicProgress
from infogeo.geometry.steps import StepTerms, step_terms

__all__ = [
    "ArcProgress",
    "BhattacharyyaProgress",
    "Geodesic",
    "GeodesicProgress",
    "StepTerms",
    "log_map",
    "step_terms",
]
