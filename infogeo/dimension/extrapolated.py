"""The dimension at scale zero: Gride at several scales, extrapolated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from infogeo.core.arguments import check_whole
from infogeo.core.errors import InputError
from infogeo.dimension.estimate import DimensionEstimate
from infogeo.dimension.gride import Gride
from infogeo.dimension.local import NEARER, influence, solved, standard_error, used
from infogeo.dimension.neighbours import Candidates, Neighbours, nearest_neighbours
from infogeo.dimension.rows import Array
from infogeo.pairwise.matrix import PairwiseMatrix

ORDERS = (1, 2, 4, 8)
LEAST_ORDERS = 3
"""Of the default ones: a line through two scales says nothing about how well it fits."""
CHANGES = 1.5
"""Dimensions of the smallest and the largest scale that differ by more than this factor are no single number,"""
PLAINLY = 3.0
"""if they also differ by more than so many standard errors."""


@dataclass(frozen=True)
class ScaleExtrapolation:
    """d(r) at several scales r, extrapolated to r = 0: the mean of two fits, a + b r and a + b r^2.

    d(r) are the dimensions of `Gride` of several orders n, and r the median distances to the neighbours 2n. Every local
    estimator takes the density around a point for constant, and none is: borders and edges, at which a point sees a
    part of a ball, bend d(r) by a term in r, curvature and smooth changes of density by one in r^2. Which of the two it
    is cannot be told from the data, so half their difference is added to the standard error, in squares. Ten dimensions
    of a cube read 8.4 by TwoNN at a thousand points, and 10 here.

    The fits are weighted by 1 / SE^2. Where the dimension itself changes with scale, as with noise or with runs that
    are nearly twins, there is no such number: the value is NaN, a warning says between what it changes, and the answer
    is Gride's dimension against scale.

    Attributes:
        orders: n of Gride, ascending; by default those of 1, 2, 4, 8 whose neighbours 2n are among the nearer 45 % of
            the candidates.
    """

    orders: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for order in self.orders or ():
            check_whole("orders", order)
        if self.orders is not None and (len(self.orders) < 2 or list(self.orders) != sorted(set(self.orders))):
            raise InputError(f"orders: {self.orders}; give at least two, ascending")

    @property
    def name(self) -> str:
        """The method; the orders used stand in the estimate."""
        return "extrapolated to scale zero"

    @property
    def k(self) -> int:
        """How many neighbours it uses, at most."""
        return 2 * (self.orders or ORDERS)[-1]

    def estimate(
        self,
        matrix: PairwiseMatrix,
        candidates: Candidates | None = None,
        report: Callable[[int, int], None] | None = None,
    ) -> DimensionEstimate:
        """See `estimate_dimension`."""
        return self.from_neighbours(nearest_neighbours(matrix, self.k, candidates, report=report))

    def from_neighbours(self, found: Neighbours) -> DimensionEstimate:
        """The estimate from neighbours that were found, at least k of each point.

        Raises:
            InputError: there are fewer, or too few points with k neighbours.
        """
        orders = self.orders or _orders(found)
        name = f"{self.name} (Gride {', '.join(map(str, orders))})"
        points = used(found, 2 * orders[-1], name)
        roots, pulls, scales, errors = [], [], [], []
        for order in orders:
            method = Gride(order)
            near = points.distances[:, : method.k]
            roots.append(solved(method, near))
            pulls.append(influence(method, near, roots[-1]))
            scales.append(float(np.median(near[:, -1])))
            errors.append(standard_error(pulls[-1], points.own_run, points.runs[:, : method.k]))
        weights = [intercept_weights(np.array(scales) ** power, np.array(errors)) for power in (1, 2)]
        ends = [float(weight @ roots) for weight in weights]
        chance = standard_error(np.mean(weights, axis=0) @ np.array(pulls), points.own_run, points.runs)
        changes = _changes(roots, scales, errors, ends)
        nan = float("nan")
        return DimensionEstimate(
            estimator=f"{name}, {found.among}",
            value=nan if changes else float(np.mean(ends)),
            standard_error=nan if changes else float(np.hypot(chance, (ends[0] - ends[1]) / 2)),
            scale=scales[0],
            n_points=len(points.distances),
            excluded=points.excluded,
            degrees=points.n_runs - 1,
            warnings=(*points.warnings, *changes),
        )


def _orders(found: Neighbours) -> tuple[int, ...]:
    """Those of the default orders that the candidates allow."""
    chosen = tuple(order for order in ORDERS if 2 * order <= NEARER * found.n_candidates)
    if len(chosen) < LEAST_ORDERS:
        least = int(np.ceil(2 * ORDERS[LEAST_ORDERS - 1] / NEARER))
        raise InputError(
            f"matrix: {found.n_candidates} candidates for neighbours ({found.among}); an extrapolation takes {least}, "
            "TwoNN() 2"
        )
    return chosen


def intercept_weights(x: Array, errors: Array) -> Array:
    """The weights w [J] with w'y the value at x = 0 of the line through points (x, y), fitted with weights 1 / SE^2."""
    precision = 1 / errors**2 if np.isfinite(errors).all() else np.ones(len(x))
    lines = np.stack([np.ones(len(x)), x / x[-1]], axis=1) * np.sqrt(precision)[:, None]
    return np.linalg.pinv(lines)[0] * np.sqrt(precision)


def _changes(roots: list[float], scales: list[float], errors: list[float], ends: list[float]) -> list[str]:
    """Whether the dimension of the smallest scale and that of the largest are plainly not one number, in words."""
    low, high = sorted((roots[0], roots[-1]))
    plainly = high > CHANGES * low and high - low > PLAINLY * np.hypot(errors[0], errors[-1])
    if min(ends) > 0 and not plainly:
        return []
    cause = "runs or points that are nearly twins" if roots[0] < roots[-1] else "noise"
    return [
        f"the dimension changes from {roots[0]:.2g} at distance {scales[0]:.2g} to {roots[-1]:.2g} at "
        f"{scales[-1]:.2g}, as {cause} would make it: no single number; look at the dimension against scale"
    ]
