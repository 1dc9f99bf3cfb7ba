"""Dimensions of points along runs: across the runs, and in all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infogeo.core.errors import InputError
from infogeo.dimension.estimate import DimensionEstimate
from infogeo.dimension.neighbours import OtherRuns, Paths, check_matrix, distinct, nearest_neighbours
from infogeo.dimension.rows import Array, Indices, row_parts
from infogeo.pairwise.matrix import PairwiseMatrix

FEWEST_RUNS = 20
"""Fewer runs than this make intervals that the benchmark does not support in full."""
SPACING = 2.0
"""Of checkpoints that are kept along a run, in median distances to the nearest other run."""


def with_run(across: DimensionEstimate) -> DimensionEstimate:
    """The total dimension of points along runs: that across runs and one along them, with the same error.

    Right where every run is a curve that the others pass by; checkpoints that hover around a place are more.
    """
    return replace(across, estimator=f"across runs + 1 ({across.estimator})", value=across.value + 1, along=1)


def few_runs(estimate: DimensionEstimate, members: str) -> DimensionEstimate:
    """The estimate, with a warning where it is of fewer members, "runs" or "points", than the benchmark supports."""
    count = estimate.degrees + 1
    if not 2 <= count < FEWEST_RUNS:
        return estimate
    told = f"{count} {members}: intervals are known to hold from {FEWEST_RUNS} {members} on"
    return replace(estimate, warnings=(*estimate.warnings, told))


def thinned(matrix: PairwiseMatrix, spacing: float = SPACING, seed: int = 0) -> Indices:
    """The checkpoints that are left when neighbours along a run are as far apart as runs are from each other.

    Along each run a checkpoint is kept when it is at least `spacing` times the median distance to the nearest path of
    another run away from the one kept before; the first is drawn within one spacing from the beginning, or anywhere
    in a run that is shorter. What is left is a cloud, to which `AllPoints()` may be applied: for a regular spacing,
    which is a lattice along the run, not without bias, see the benchmark.

    Args:
        matrix: square, of points along at least two runs.
        spacing: in units of that distance.
        seed: of where runs begin.

    Raises:
        InputError: a rectangular matrix, one run, or a spacing that is not above zero.
    """
    check_matrix(matrix)
    if not spacing > 0:
        raise InputError(f"spacing: {spacing}; give a number above zero")
    apart = spacing * float(np.median(nearest_neighbours(matrix, 1, OtherRuns()).distances))
    kept = distinct(matrix, np.arange(matrix.shape[0]))
    paths = Paths.of(matrix, kept, kept, "step")
    stops = np.append(paths.starts[1:], len(paths.order))
    random = np.random.default_rng(seed)
    thin: list[int] = []
    for start, own in zip(paths.starts, _own_distances(matrix, paths, stops), strict=True):
        away, least = own[0], random.uniform(0, min(apart, own[0].max()))
        for i in range(len(own)):
            if away[i] >= least:
                thin.append(int(paths.order[start + i]))
                away, least = own[i], apart
    return np.array(sorted(thin), dtype=np.intp)


def _own_distances(matrix: PairwiseMatrix, paths: Paths, stops: Indices) -> list[Array]:
    """The distances among the points of each run, in their order: R x [T_r, T_r], in one pass."""
    place = np.full(matrix.shape[0], -1)
    place[paths.order] = np.arange(len(paths.order))
    own = [np.empty((stop - start, stop - start)) for start, stop in zip(paths.starts, stops, strict=True)]
    for numbers, values in row_parts(matrix):
        for row, at in zip(values, place[numbers], strict=True):
            if at >= 0:
                run = int(np.searchsorted(paths.starts, at, side="right")) - 1
                own[run][at - paths.starts[run]] = np.sqrt(row[paths.order[paths.starts[run] : stops[run]]])
    return own
