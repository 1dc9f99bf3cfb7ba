"""Weights of points: who shapes a map, where runs have different numbers of checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.arguments import told
from infogeo.core.errors import InputError
from infogeo.core.linalg import row_blocks
from infogeo.core.points import Points
from infogeo.pairwise.matrix import PairwiseMatrix


@runtime_checkable
class PointWeights(Protocol):
    """A rule for the weights of points, of any scale."""

    def of(self, matrix: PairwiseMatrix) -> NDArray[np.float64]:
        """w [P] of the points of a square matrix."""
        ...


@dataclass(frozen=True)
class EqualPoints:
    """w_i = 1: a run of many checkpoints counts for more than one of few."""

    def of(self, matrix: PairwiseMatrix) -> NDArray[np.float64]:
        """w [P]."""
        return np.ones(len(matrix.points))


@dataclass(frozen=True)
class EqualRuns:
    """w_i = 1 / T_r for the T_r points of a run r: every run counts the same, however often it was recorded."""

    def of(self, matrix: PairwiseMatrix) -> NDArray[np.float64]:
        """w [P]."""
        return 1 / _sizes(matrix.points["run"])


@dataclass(frozen=True)
class EqualGroups:
    """w_i = 1 / (R_g T_gr) for the T_gr points in group g of one of its R_g runs r.

    Every value of a column counts the same, and so does, within it, every run.

    Attributes:
        column: of the points, for example `architecture`.
    """

    column: str

    def of(self, matrix: PairwiseMatrix) -> NDArray[np.float64]:
        """w [P].

        Raises:
            InputError: no such column, or a point without a value in it.
        """
        groups = _present(matrix.points, self.column)
        _, group_of = np.unique(groups, return_inverse=True)
        _, run_of = np.unique(matrix.points["run"], return_inverse=True)
        pairs, pair_of = np.unique(np.stack([group_of, run_of], axis=1), axis=0, return_inverse=True)
        return 1 / (_sizes(pair_of.reshape(-1)) * np.bincount(pairs[:, 0])[group_of])


@dataclass(frozen=True)
class ByArcLength:
    """w_i = (s_i + s_{i+1}) / 2 with s_i = sqrt(D_{i-1,i}), the step to checkpoint i of a run in the order of steps.

    The trapezoid rule along each run: checkpoints that are close together count for little each, and a run as much
    as it is long, however often it was recorded. At either end of a run one of the two steps is missing and counts
    as 0. A run of one point has no length: it is placed on the map and does not shape it. Divergences that grow as
    the square of a small distance make it the length in that distance.
    """

    def of(self, matrix: PairwiseMatrix) -> NDArray[np.float64]:
        """w [P]; one pass over D, by rows."""
        following = np.arange(len(matrix.points))  # the next checkpoint of the run; the last one stays where it is
        for run in matrix.points.runs:
            rows = matrix.points.of_run(run)
            following[rows[:-1]] = rows[1:]
        step = np.empty(len(following))
        for start, stop in row_blocks(len(following)):
            block = matrix.values[start:stop]
            step[start:stop] = np.sqrt(block[np.arange(stop - start), following[start:stop]])
        weights = step / 2
        np.add.at(weights, following, step / 2)
        return weights


def point_weights(matrix: PairwiseMatrix, given: PointWeights | ArrayLike | None) -> NDArray[np.float64] | None:
    """The weights [P] of the points of a square matrix, scaled to a sum of P; None where all are alike.

    Raises:
        InputError: weights that are negative, not finite, of another shape, or zero but for one point.
    """
    if given is None:
        return None
    if isinstance(given, (str, type)):
        raise InputError(f"weights: {told(given)}; give EqualRuns(), EqualGroups(column), ByArcLength() or numbers [P]")
    weights = np.asarray(given.of(matrix) if isinstance(given, PointWeights) else given, dtype=np.float64)
    size = len(matrix.points)
    if weights.shape != (size,):
        raise InputError(f"weights: have shape {weights.shape}, expected ({size},): one for each point")
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        raise InputError(f"weights: that of point {wrong.argmax()} is {weights[wrong.argmax()]}; give finite ones >= 0")
    if np.count_nonzero(weights) < 2:
        raise InputError("weights: fewer than two points weigh more than 0; a map needs two")
    if (weights == weights[0]).all():
        return None
    return weights * (size / weights.sum())


def _sizes(labels: NDArray[Any]) -> NDArray[np.float64]:
    """How many points have the same label, for each point [P]."""
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return counts[codes].astype(np.float64)


def _present(points: Points, column: str) -> NDArray[Any]:
    """A column [P] in which every point has a value."""
    values = points[column]
    missing = np.isnan(values) if values.dtype.kind == "f" else values == "" if values.dtype.kind == "U" else None
    if missing is not None and missing.any():
        run = points["run"][np.argmax(missing)]
        raise InputError(f"weights: run '{run}' has no value in column '{column}'; give it one, or leave it out")
    return values
