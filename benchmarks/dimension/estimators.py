"""The estimators of infogeo that are compared, and all of them on one matrix: neighbours are looked for once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np

import infogeo
from infogeo.core.errors import InputError
from infogeo.dimension import (
    AllPoints,
    DimensionEstimate,
    EqualProgress,
    Gride,
    MaximumLikelihood,
    OtherRuns,
    ScaleExtrapolation,
    TwoNN,
    estimate_dimension,
)
from infogeo.dimension.correlation import CorrelationDimension
from infogeo.dimension.local import LocalEstimator, estimate_locally
from infogeo.dimension.local_pca import local_pca
from infogeo.dimension.method import DimensionMethod
from infogeo.dimension.neighbours import Candidates, nearest_neighbours
from infogeo.dimension.spectrum import ParticipationRatio, StableRank
from infogeo.pairwise import PairwiseMatrix

EXTRAPOLATED = "extrapolated"
LOCAL: dict[str, LocalEstimator] = {
    "TwoNN": TwoNN(),
    **{f"MLE {k}": MaximumLikelihood(k) for k in (5, 10, 20, 50)},
    **{f"Gride {n}": Gride(n) for n in (2, 4, 8, 16)},
}
CORRELATION = "correlation"
PCA = (10, 20)
"""Neighbours of local PCA."""
PCA_UP_TO = 1000
"""Points up to which it is done: of more its map takes most of the time."""
AXES = 40
"""Axes of the InPCA map that local PCA is done in, of either sign."""
SPECTRAL = {"participation ratio": ParticipationRatio(), "stable rank": StableRank()}
"""Of a linear space that holds the variance, which is another question than that of the manifold: no coverage."""
ACROSS: dict[str, Candidates] = {"other runs": OtherRuns(), "equal progress": EqualProgress("progress")}


@dataclass(frozen=True)
class Result:
    """What an estimator said of one matrix.

    Attributes:
        estimator: its short name.
        estimate: with its error.
        seconds: from the matrix, the search of neighbours included.
    """

    estimator: str
    estimate: DimensionEstimate
    seconds: float


def local_results(matrix: PairwiseMatrix, candidates: Candidates, suffix: str = "") -> list[Result]:
    """Every local estimator for which there are neighbours enough."""
    largest = max(method.k for method in LOCAL.values())
    start = perf_counter()
    found = nearest_neighbours(matrix, largest, candidates)
    searching = perf_counter() - start
    results = []
    attempts: dict[str, tuple[float, Callable[[], DimensionEstimate]]] = {
        EXTRAPOLATED: (0.0, partial(ScaleExtrapolation().estimate, matrix, candidates))
    }
    attempts |= {name: (searching, partial(estimate_locally, found, method)) for name, method in LOCAL.items()}
    for name, (before, attempt) in attempts.items():
        start = perf_counter()
        try:
            estimate = attempt()
        except InputError:  # too few candidates, or too few points with so many neighbours
            continue
        results.append(Result(name + suffix, estimate, before + perf_counter() - start))
    return results


def result(name: str, matrix: PairwiseMatrix, method: DimensionMethod) -> Result:
    """By one estimator, among its own candidates."""
    start = perf_counter()
    return Result(name, estimate_dimension(matrix, method), perf_counter() - start)


def pca_results(matrix: PairwiseMatrix, suffix: str = "") -> list[Result]:
    """Local PCA on the InPCA map of the matrix, whose making counts."""
    if len(matrix.points) > PCA_UP_TO:
        return []
    start = perf_counter()
    view = infogeo.inpca(matrix, min(AXES, len(matrix.points) - 1))
    mapping = perf_counter() - start
    results = []
    for k in PCA:
        if k + 2 > len(matrix.points.runs):
            continue
        start = perf_counter()
        estimate = local_pca(view.coords, matrix.points, k, view.signature)
        results.append(Result(f"local PCA {k}{suffix}", estimate, mapping + perf_counter() - start))
    return results


def of_cloud(matrix: PairwiseMatrix) -> list[Result]:
    """Estimators of the manifold for points that do not follow each other."""
    local = [*local_results(matrix, AllPoints()), *pca_results(matrix)]
    return [*local, result(CORRELATION, matrix, CorrelationDimension())]


def of_runs(matrix: PairwiseMatrix) -> list[Result]:
    """Estimators of the manifold for runs: local ones across runs, by both kinds of neighbours, and the total."""
    across = [found for words, among in ACROSS.items() for found in local_results(matrix, among, f", {words}")]
    across += pca_results(matrix, ", other runs")
    return [*across, result(CORRELATION, matrix, CorrelationDimension())]


def of_spectrum(matrix: PairwiseMatrix) -> list[Result]:
    """What the spectrum of the centred matrix says."""
    return [result(name, matrix, method) for name, method in SPECTRAL.items()]


def covers(estimate: DimensionEstimate, truth: float) -> bool:
    """Whether the truth lies in the nominal 95 % interval."""
    low, high = estimate.interval()
    return bool(np.isfinite(estimate.value) and low <= truth <= high)
