"""From the distances of neighbours to a dimension with its error: what all local estimators share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np
from scipy.optimize import brentq

from infogeo.core.errors import InputError
from infogeo.core.words import percent
from infogeo.dimension.estimate import DimensionEstimate
from infogeo.dimension.neighbours import Candidates, Neighbours, nearest_neighbours
from infogeo.dimension.rows import Array, Indices
from infogeo.pairwise.matrix import PairwiseMatrix

LEAST_POINTS = 5
"""Points that a local estimate takes at least."""
NEARER = 0.45
"""Of the candidates, the share that may be neighbours: scores of points that share most of them are one score."""
BLURRED = 50.0
"""Times the rounding: divergences below that may be off by more than 2 %, and distances by more than 1 %."""
MANY_BLURRED = 0.05
"""The share of the points that may be."""
SEARCHED = (1e-3, 1e4)
"""Dimensions between which an estimating equation is solved."""
EQUALLY_FAR = "no dimension up to 10,000 fits: neighbours are as good as equally far"


class LocalEstimator(ABC):
    """A dimension from the distances of each point's k nearest neighbours: an estimating equation, sum_i psi_i(d) = 0.

    Small and frozen, a method for `estimate_dimension`.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The field's name with its parameters."""

    @property
    @abstractmethod
    def k(self) -> int:
        """How many neighbours of a point it uses."""

    @property
    def first(self) -> int:
        """Which neighbour is the nearest one that it uses."""
        return 1

    @abstractmethod
    def score(self, distances: Array, d: float) -> Array:
        """psi_i(d) [M] of ascending distances [M, k]; the sum is positive while d is too small."""

    @abstractmethod
    def slope(self, distances: Array, d: float) -> Array:
        """The derivative of the score by 1/d [M]."""

    def unbiased(self, root: float, n_points: int) -> float:
        """The estimate from the root of the equation, less its bias where that is known."""
        return root

    def estimate(
        self,
        matrix: PairwiseMatrix,
        candidates: Candidates | None = None,
        report: Callable[[int, int], None] | None = None,
    ) -> DimensionEstimate:
        """See `estimate_dimension`."""
        return estimate_locally(nearest_neighbours(matrix, self.k, candidates, report=report), self)


def estimate_locally(found: Neighbours, method: LocalEstimator) -> DimensionEstimate:
    """The dimension by a local estimator from neighbours that were found, at least k of each point.

    Raises:
        InputError: there are fewer, or too few points with k neighbours.
    """
    points = used(found, method.k, method.name, method.first)
    root = solved(method, points.distances)
    value = error = float("nan")
    if np.isfinite(root):
        pulls = influence(method, points.distances, root)
        value = method.unbiased(root, len(pulls))
        error = standard_error(pulls, points.own_run, points.runs)
    return DimensionEstimate(
        estimator=f"{method.name}, {found.among}",
        value=value,
        standard_error=error,
        scale=float(np.median(points.distances[:, -1])),
        n_points=len(points.distances),
        excluded=points.excluded,
        degrees=points.n_runs - 1,
        warnings=points.warnings if np.isfinite(root) else (EQUALLY_FAR, *points.warnings),
    )


def solved(method: LocalEstimator, distances: Array) -> float:
    """The root d of sum_i psi_i(d) = 0; NaN where no d that is searched is large enough."""
    low, high = (float(np.log(end)) for end in SEARCHED)

    def total(log_d: float) -> float:
        return float(method.score(distances, float(np.exp(log_d))).sum())

    if total(high) >= 0:
        return float("nan")
    if total(low) <= 0:
        return SEARCHED[0]
    return float(np.exp(cast(float, brentq(total, low, high, xtol=1e-13))))


def influence(method: LocalEstimator, distances: Array, root: float) -> Array:
    """How much each point pulls the root up [M]: d^2 psi_i / sum_j dpsi_j/d(1/d), to first order."""
    return root**2 * method.score(distances, root) / method.slope(distances, root).sum()


def standard_error(influences: Array, own_run: Indices, runs: Indices) -> float:
    """The standard error of a sum of influences that depend on each other; NaN for one run alone.

    The influences of one run are summed, s_r: its points follow each other. Runs that are neighbours look at the same
    distances, so

        V = sum_r s_r^2 + sum_r sum_q w_rq s_r s_q,  w_rq the share of the points of r that have q as a neighbour,

    but no less than the first sum. Where each point is a run of its own this is the variance of a sum over a
    dependency graph. A jackknife over runs is no alternative: its variance is too large on average, and for ratios of
    neighbours three times too large (measured).

    Args:
        influences: of each point [M].
        own_run: the number of its run [M].
        runs: those of its neighbours [M, k].

    Source: the sandwich of White (Econometrica 50, 1982, 1), clustered; dependency graphs after Baldi and Rinott
    (Annals of Probability 17, 1989, 1646); on the jackknife, Efron and Stein (Annals of Statistics 9, 1981, 586).
    """
    if len(np.unique(own_run)) < 2:
        return float("nan")
    size = int(max(own_run.max(), runs.max())) + 1
    sums = np.bincount(own_run, influences, size)
    counts = np.bincount(own_run, minlength=size)
    others = np.sort(runs, axis=1)
    repeated = np.zeros(others.shape, dtype=bool)  # each run once, however often a neighbour is of it
    repeated[:, 1:] = others[:, 1:] == others[:, :-1]
    own = own_run[:, None]
    shared = np.where(repeated | (own == others), 0.0, sums[own] * sums[others] / counts[own])
    return float(np.sqrt(np.sum(sums**2) + max(float(np.sum(shared)), 0.0)))


def used(found: Neighbours, k: int, name: str, first: int = 1) -> Usable:
    """The points that have k neighbours, none of those that are used at no distance.

    Args:
        found: the neighbours.
        k: how many are used.
        name: of the estimator that uses them.
        first: the nearest one that it uses, 1 to k.

    Raises:
        InputError: there are fewer candidates than k, or fewer points than an estimate takes.
    """
    there = found.distances.shape[1]
    if there < k:
        raise InputError(
            f"matrix: {name} takes {k} neighbours of each point, and there {'is' if there == 1 else 'are'} {there} "
            f"({found.among})"
        )
    near = found.distances[:, :k]
    usable = np.isfinite(near).all(axis=1) & (near[:, first - 1] > 0)
    n = int(usable.sum())
    if n < LEAST_POINTS:
        raise InputError(
            f"matrix: {n} of {len(near)} points have {k} neighbours at distances above zero ({found.among}); an "
            f"estimate by {name} takes {LEAST_POINTS} such points at least"
        )
    own, runs = found.own_run[usable], found.runs[usable, :k]
    return Usable(
        near[usable],
        own,
        runs,
        len(np.unique(own)),
        found.duplicates + len(usable) - n,
        _warnings(found, near[usable], first),
    )


class Usable(NamedTuple):
    """Neighbours as an estimator takes them.

    Attributes:
        distances: [M, k], ascending, none zero or infinite.
        own_run: the number of the run of each point [M].
        runs: those of its neighbours [M, k].
        n_runs: how many runs the points are of.
        excluded: how many points were left out.
        warnings: about that.
    """

    distances: Array
    own_run: Indices
    runs: Indices
    n_runs: int
    excluded: int
    warnings: tuple[str, ...]


def blurred(found: Neighbours, order: int) -> float:
    """The share of points whose neighbour of an order is so near that rounding changes its distance by over 1 %."""
    return float(np.mean(np.square(found.distances[:, order - 1]) < BLURRED * found.rounding))


def _warnings(found: Neighbours, near: Array, first: int) -> tuple[str, ...]:
    """What limits an estimate from these points [M, k], one sentence each."""
    told, without, k = [], len(found.own_run) - len(near), near.shape[1]
    if found.duplicates:
        told.append(f"{found.duplicates} points that repeat an earlier one were left out")
    if without:
        told.append(f"points left out for want of {k} neighbours at distances above zero: {without}")
    if len(np.unique(found.own_run)) < 2:
        told.append("one run alone says nothing about the error")
    if k > NEARER * found.n_candidates:
        told.append(f"{k} of {found.n_candidates} candidates are neighbours: the standard error is too small")
    tied = float(np.mean(near[:, first - 1] == near[:, -1]))
    if tied > MANY_BLURRED:
        told.append(
            f"neighbours {first} and {k} of {percent(tied)} of the points are equally far, as on a grid: dimensions of "
            "nearby scales are not to be trusted"
        )
    if blurred(found, first) > MANY_BLURRED:
        neighbour = "another" if first == 1 else f"their neighbour {first}"
        told.append(
            f"{percent(blurred(found, first))} of the points are so near to {neighbour} that rounding changes the "
            "distance: trust larger scales alone"
        )
    return tuple(told)
