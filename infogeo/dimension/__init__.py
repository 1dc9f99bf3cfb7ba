"""How many dimensions: estimates from a divergence matrix with error and scale, made for points along runs."""

from infogeo.dimension.correlation import CorrelationDimension, correlation_slopes
from infogeo.dimension.estimate import DimensionEstimate
from infogeo.dimension.extrapolated import ScaleExtrapolation
from infogeo.dimension.gride import Gride
from infogeo.dimension.local_pca import local_pca
from infogeo.dimension.maximum_likelihood import MaximumLikelihood
from infogeo.dimension.method import estimate_dimension
from infogeo.dimension.neighbours import AllPoints, EqualProgress, Neighbours, OtherRuns, nearest_neighbours
from infogeo.dimension.records import DimensionCurve, DimensionNull, DimensionStudy
from infogeo.dimension.runs import thinned, with_run
from infogeo.dimension.spectrum import ParticipationRatio, StableRank
from infogeo.dimension.stress import parallel_analysis, stress_dimension
from infogeo.dimension.study import dimension_study
from infogeo.dimension.two_nn import TwoNN

__all__ = [
    "AllPoints",
    "CorrelationDimension",
    "DimensionCurve",
    "DimensionEstimate",
    "DimensionNull",
    "DimensionStudy",
    "EqualProgress",
    "Gride",
    "MaximumLikelihood",
    "Neighbours",
    "OtherRuns",
    "ParticipationRatio",
    "ScaleExtrapolation",
    "StableRank",
    "TwoNN",
    "correlation_slopes",
    "dimension_study",
    "estimate_dimension",
    "local_pca",
    "nearest_neighbours",
    "parallel_analysis",
    "stress_dimension",
    "thinned",
    "with_run",
]
