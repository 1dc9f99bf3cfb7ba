"""A small study of dimensions that tests of figures, of the page and of its directory share."""

from dataclasses import replace
from functools import cache

import numpy as np

from infogeo.core.points import Points
from infogeo.dimension import (
    AllPoints,
    DimensionCurve,
    DimensionEstimate,
    DimensionNull,
    DimensionStudy,
    Gride,
    MaximumLikelihood,
    OtherRuns,
    TwoNN,
    estimate_dimension,
)
from infogeo.dimension.runs import with_run
from infogeo.pairwise import PairwiseMatrix

ORDERS = (1, 2, 4, 8)
WORDS = "the examples of each class shuffled, independently for each run"


def straight_runs(runs=40, checkpoints=20, dimensions=2, noise=0.0, seed=0, names="run-{}") -> PairwiseMatrix:
    """Runs x(t) = (z, t) with z uniform in [0, 1]^dimensions: two dimensions across them, three in all."""
    rng = np.random.default_rng(seed)
    z = np.repeat(rng.random((runs, dimensions)), checkpoints, axis=0)
    t = np.tile(np.linspace(0, 1, checkpoints), runs)
    x = np.concatenate([z, t[:, None], noise * rng.normal(size=(len(t), 12))], axis=1)
    points = Points.of_runs([names.format(r) for r in range(runs)], [np.arange(checkpoints)] * runs)
    found = PairwiseMatrix.from_array(((x[:, None] - x) ** 2).sum(axis=2), points.with_columns(progress=t))
    return replace(found, divergence="Bhattacharyya", fisher_factor=0.125, n_samples=200)


def of_scale(matrix, candidates, name) -> DimensionCurve:
    """Gride at growing orders."""
    found = tuple(estimate_dimension(matrix, Gride(n), candidates) for n in ORDERS)
    return DimensionCurve(name, "scale", np.array([e.scale for e in found]), found)


@cache
def small_study() -> DimensionStudy:
    """The study of 40 straight runs: every variable, every kind of estimate."""
    matrix = straight_runs(noise=0.005)
    points = matrix.points
    across = estimate_dimension(matrix, TwoNN(), OtherRuns())
    total = with_run(across)
    others = (
        estimate_dimension(matrix, MaximumLikelihood(10), OtherRuns()),
        estimate_dimension(matrix, Gride(4), OtherRuns()),
        estimate_dimension(matrix, TwoNN(), AllPoints()),
        DimensionEstimate("participation ratio", 2.6, 0.2, np.nan, len(points), degrees=39),
        DimensionEstimate("stable rank", 1.7, np.nan, np.nan, len(points), 3, 5, warnings=("no error is known",)),
    )
    parts = [points.where(progress=lambda t, a=a: np.abs(t - a) <= 0.125) for a in np.linspace(0.125, 0.875, 4)]
    along = tuple(estimate_dimension(matrix.take(rows), Gride(2), OtherRuns()) for rows in parts)
    few = [matrix.take(np.arange(20 * count)) for count in (10, 20, 40)]
    noisy = [straight_runs(noise=0.6 / np.sqrt(n)) for n in (50, 100, 200)]
    curves = (
        of_scale(matrix, OtherRuns(), "across runs"),
        of_scale(matrix, AllPoints(), "all points"),
        DimensionCurve("across runs", "progress", np.linspace(0.125, 0.875, 4), along),
        DimensionCurve(
            "across runs",
            "runs",
            np.array([10.0, 20.0, 40.0]),
            tuple(estimate_dimension(part, TwoNN(), OtherRuns()) for part in few),
        ),
        DimensionCurve(
            "across runs",
            "samples",
            np.array([50.0, 100.0, 200.0]),
            tuple(estimate_dimension(part, Gride(4), OtherRuns()) for part in noisy),
            limit=(2.04, 0.21),
        ),
    )
    shuffled = [of_scale(straight_runs(dimensions=5, seed=s), OtherRuns(), f"replicate {s}") for s in range(1, 6)]
    stress = np.array([0.6, 0.9, 1.0])
    null = DimensionNull(WORDS, tuple(shuffled), replace(curves[0], name="data"), stress, np.stack([stress - 0.2] * 5))
    return DimensionStudy(
        points=points,
        divergence="Bhattacharyya",
        n_samples=200,
        across=across,
        total=total,
        estimates=(across, total, *others),
        curves=curves,
        null=null,
        notes=("Participation ratio and stable rank are of the whole cloud.",),
    )


def bare_study() -> DimensionStudy:
    """A cloud of points that are no runs: one estimate, no curves."""
    rng = np.random.default_rng(1)
    x = rng.random((60, 2))
    total = estimate_dimension(PairwiseMatrix.from_array(((x[:, None] - x) ** 2).sum(axis=2)))
    points = Points.of_runs([f"point-{i}" for i in range(60)], [[0]] * 60)
    return DimensionStudy(points, "given", 0, None, total, (total,), ())
