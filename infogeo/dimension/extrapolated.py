"""The dimension at scale zero: Gride at several scales, extrapolated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from infogeo.core.arguments import check_whole
from infogeo.core.errors import InputError
from infogeo.dimension.estimate import DimensionEstimate
from infogeo.dimension.gride import Gride
from infogeo.dimension.local import (
    EQUALLY_FAR,
    MANY_BLURRED,
    NEARER,
    Usable,
    blurred,
    influence,
    solved,
    standard_error,
    used,
)
from infogeo.dimension.neighbours import Candidates, Neighbours, nearest_neighbours
from infogeo.dimension.rows import Array
from infogeo.pairwise.matrix import PairwiseMatrix

ORDERS = (1, 2, 4, 8)
MOST_NEIGHBOURS = 256
"""That are ever looked for: 4 KB of memory for each point."""
LEAST_ORDERS = 3
"""Of the default ones: a line through two scales says nothing about how well it fits."""
CHANGES = 1.5
"""Dimensions of two scales that differ by more than this factor are no single number,"""
PLAINLY = 3.0
"""if they also differ by more than so many standard errors."""
RESOLVED = 2.0
"""Times log2 of the number of candidates: up to so many dimensions the benchmark supports the intervals."""


@dataclass(frozen=True)
class ScaleExtrapolation:
    """d(r) at several scales r, extrapolated to r = 0: the mean of two fits, a + b r and a + b r^2.

    d(r) are the dimensions of `Gride` of several orders n, and r the median distances to the neighbours 2n. Every local
    estimator takes the density around a point for constant, and none is: borders and edges, at which a point sees a
    part of a ball, bend d(r) by a term in r, curvature and smooth changes of density by one in r^2. Which of the two it
    is cannot be told from the data, so half their difference is added to the standard error, in squares. Ten dimensions
    of a cube read 8.4 by TwoNN at a thousand points, and 10 here.

    Where points are so dense that rounding blurs the distance of the nearest ones, the orders begin at the first power
    of two whose neighbours are clear for all but 5 % of the points: in one dimension that is so from some hundred
    points on.

    The fits are weighted by 1 / SE^2. Where the dimension itself changes with scale, as with noise or with runs that
    are nearly twins, there is no such number: the value is NaN, and a warning says between what it changes. So it is
    where a fit ends below zero, or where neighbours are as good as equally far.

    Attributes:
        orders: n of Gride, ascending; by default those of s, 2 s, 4 s, 8 s whose neighbours 2n are among the nearer
            45 % of the candidates, where s is 1 or what rounding demands.
    """

    orders: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.orders is None:
            return
        if not isinstance(self.orders, tuple) or len(self.orders) < 2:
            raise InputError(f"orders: {self.orders}; give a tuple of at least two, ascending")
        for order in self.orders:
            check_whole("orders", order)
        if list(self.orders) != sorted(set(self.orders)):
            raise InputError(f"orders: {self.orders}; give them ascending")

    @property
    def name(self) -> str:
        """The method; the orders used stand in the estimate."""
        return "extrapolated to scale zero"

    @property
    def k(self) -> int:
        """How many neighbours it uses where rounding blurs none."""
        return 2 * (self.orders or ORDERS)[-1]

    def estimate(
        self,
        matrix: PairwiseMatrix,
        candidates: Candidates | None = None,
        report: Callable[[int, int], None] | None = None,
    ) -> DimensionEstimate:
        """See `estimate_dimension`."""
        count = self.k
        found = nearest_neighbours(matrix, count, candidates, report=report)
        while self.orders is None and count < (wanted := _wanted(found)):
            count = wanted
            found = nearest_neighbours(matrix, count, candidates, report=report)
        return self.from_neighbours(found)

    def from_neighbours(self, found: Neighbours) -> DimensionEstimate:
        """The estimate from neighbours that were found, at least k of each point.

        Where rounding blurs the first ones, and so few were found that fewer than three orders are clear of it, the
        largest three are taken.

        Raises:
            InputError: there are fewer, or too few points with k neighbours.
        """
        orders = self.orders or _orders(found)
        name = f"{self.name} (Gride {', '.join(map(str, orders))})"
        points = used(found, 2 * orders[-1], name, orders[0])
        scales = [_Scale.of(order, points) for order in orders]
        roots, errors = np.array([s.root for s in scales]), np.array([s.error for s in scales])
        distances = np.array([s.distance for s in scales])
        weights = [intercept_weights(distances**power, errors) for power in (1, 2)]
        ends = [float(weight @ roots) for weight in weights]
        pulls = np.mean(weights, axis=0) @ np.array([s.pulls for s in scales])
        chance = standard_error(pulls, points.own_run, points.runs)
        skipped = self.orders is None and orders[0] > 1
        nearest = [_Scale.of(1, used(found, 2, name))] if skipped else []
        twins = [s for s in nearest if s.root < roots.min()]  # rounding alone makes the dimension there too large
        trouble = _trouble(scales, twins, ends, resolved(found.n_candidates))
        nan = float("nan")
        return DimensionEstimate(
            estimator=f"{name}, {found.among}",
            value=nan if trouble else float(np.mean(ends)),
            standard_error=nan if trouble else float(np.hypot(chance, (ends[0] - ends[1]) / 2)),
            scale=scales[0].distance,
            n_points=len(points.distances),
            excluded=points.excluded,
            degrees=points.n_runs - 1,
            warnings=(*trouble, *points.warnings),
        )


def _orders(found: Neighbours) -> tuple[int, ...]:
    """Those of the default orders that the neighbours found, and the candidates, allow."""
    most = min(found.distances.shape[1], NEARER * found.n_candidates)
    first = _clear(found)
    while True:
        chosen = tuple(first * order for order in ORDERS if 2 * first * order <= most)
        if len(chosen) >= LEAST_ORDERS:
            return chosen
        if first == 1:
            least = int(np.ceil(2 * ORDERS[LEAST_ORDERS - 1] / NEARER))
            raise InputError(
                f"matrix: {found.n_candidates} candidates for neighbours ({found.among}); an extrapolation takes "
                f"{least}, TwoNN() 2"
            )
        first //= 2


def _wanted(found: Neighbours) -> int:
    """How many neighbours the default orders take, of those that there are."""
    return int(min(2 * ORDERS[-1] * _clear(found), NEARER * found.n_candidates, MOST_NEIGHBOURS))


def _clear(found: Neighbours) -> int:
    """The first order, a power of two, whose neighbours rounding leaves clear; if none of those found, the next one."""
    order = 1
    while order <= found.distances.shape[1] and blurred(found, order) > MANY_BLURRED:
        order *= 2
    return order


def intercept_weights(x: Array, errors: Array) -> Array:
    """The weights w [J] with w'y the value at x = 0 of the line through points (x, y), fitted with weights 1 / SE^2."""
    known = np.isfinite(errors).all() and errors.all()
    precision = 1 / errors**2 if known else np.ones(len(x))
    lines = np.stack([np.ones(len(x)), x / x[-1]], axis=1) * np.sqrt(precision)[:, None]
    return np.linalg.pinv(lines)[0] * np.sqrt(precision)


class _Scale(NamedTuple):
    """Gride of one order: its root, standard error, median distance, and how much each point pulls [M]."""

    root: float
    error: float
    distance: float
    pulls: Array

    @classmethod
    def of(cls, order: int, points: Usable) -> _Scale:
        method = Gride(order)
        near = points.distances[:, : method.k]
        root = solved(method, near)
        pulls = influence(method, near, root)
        error = standard_error(pulls, points.own_run, points.runs[:, : method.k])
        return cls(root, error, float(np.median(near[:, -1])), pulls)


def resolved(n_candidates: int) -> float:
    """Up to about how many dimensions so many candidates for neighbours can tell."""
    return RESOLVED * float(np.log2(n_candidates))


def _trouble(scales: list[_Scale], twins: list[_Scale], ends: list[float], most: float) -> list[str]:
    """Why there is no dimension at scale zero, in words; none where there is one.

    Args:
        scales: those of the fits, ascending.
        twins: a smaller one that says fewer dimensions, if any.
        ends: of the fits.
        most: dimensions that the candidates can tell.
    """
    if not np.isfinite([scale.root for scale in scales]).all():
        return [EQUALLY_FAR]
    for near, far in [(scales[0], scales[-1]), *product(twins, scales)]:
        if _differ(near, far):
            cause = "runs or points that are nearly twins" if near.root < far.root else "noise"
            cause += f", or more dimensions than the {most:.0f} that so few can tell," if near.root > most else ""
            return [
                f"the dimension changes from {near.root:.2g} at distance {near.distance:.2g} to {far.root:.2g} at "
                f"{far.distance:.2g}, as {cause} would make it"
            ]
    if min(ends) <= 0:
        return ["the extrapolation is lost in its error; more points or runs would help, Gride(n) takes fewer"]
    return []


def _differ(near: _Scale, far: _Scale) -> bool:
    """Whether two scales plainly have different dimensions."""
    low, high = sorted((near.root, far.root))
    return high > CHANGES * low and high - low > PLAINLY * np.hypot(near.error, far.error)
