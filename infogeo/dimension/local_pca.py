"""Local PCA: how many directions the neighbours of a point spread into, on a map."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist

from infogeo.core.arguments import check_record, check_whole
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.dimension.estimate import DimensionEstimate
from infogeo.dimension.local import LEAST_POINTS
from infogeo.dimension.neighbours import OtherRuns, default_candidates, run_numbers
from infogeo.dimension.rows import ROWS, Array, Indices

LEAST_NEIGHBOURS = 4
"""Neighbours that the estimate of a covariance takes at least."""
NEARLY = 0.8
"""From this share of the axes on it is told that more of them may give more dimensions."""


class Traces(NamedTuple):
    """Estimates without bias, for each of B neighbourhoods of covariance Sigma.

    Attributes:
        of_square: tr Sigma^2 [B].
        squared: (tr Sigma)^2 [B].
        products: y_j'y_l of the neighbours about their mean [B, k, k].
    """

    of_square: Array
    squared: Array
    products: Array


def local_pca(
    coords: ArrayLike, points: Points, neighbours: int = 20, signature: ArrayLike | None = None
) -> DimensionEstimate:
    """d = sum_i w_i (tr Sigma_i)^2 / sum_i w_i tr Sigma_i^2: the participation ratio of the covariances of neighbours.

    Sigma_i is the covariance, in the coordinates of a map, of the k points nearest to point i, about their mean;
    w_i = r_i^-4, r_i being the distance to the next neighbour, so that dense and thin places count alike: given r_i,
    the k are drawn from the ball within it. With S the sample covariance of k neighbours with k - 1 in the
    denominator, and Q = sum_j |y_j|^4 / (k - 1) of y_j = x_j - mean, what is inserted has no bias, whatever the
    distribution:

        tr Sigma^2   : (k - 1) / (k (k - 2) (k - 3)) [(k - 1) (k - 2) tr S^2 + (tr S)^2 - k Q],
        (tr Sigma)^2 : (k - 1) / (k (k - 2) (k - 3)) [2 tr S^2 + (k^2 - 3 k + 1) (tr S)^2 - k Q].

    For Gaussians alone, E tr S^2 = tr Sigma^2 (1 + 1/m) + (tr Sigma)^2 / m and E (tr S)^2 = (tr Sigma)^2 +
    2 tr Sigma^2 / m with m = k - 1 would do. Without a correction the ratio would be no more than d / (1 + d / m).

    Where runs have two points or more on average, neighbours come from other runs, the nearest point of each: it is the
    dimension *across* runs. Only space-like axes count: along time-like ones points come nearer, not farther.

    Standard error: the score of point i, s_i = w_i ((tr Sigma_i)^2 - d tr Sigma_i^2), is to leading order a sum over
    pairs of its neighbours, of w_i (2 / (k (k - 1))) (|y_j|^2 |y_l|^2 - d (y_j'y_l)^2). A run counts as a neighbour, by
    psi_ab, the sum of all terms of runs a and b, and as a centre:

        V = sum_a (sum_b psi_ab + sum_{i in a} s_i)^2 - sum_{a<b} psi_ab^2,  and no less than sum_{a<b} psi_ab^2,

    as for the correlation dimension; SE = sqrt(V) / sum_i w_i tr Sigma_i^2. It was 1.0 to 1.2 times the true one for
    uniform and normal clouds and for runs, with k = 6 to 50.

    Args:
        coords: the coordinates of P points on K axes [P, K], as of `Embedding.coords`.
        points: the P points.
        neighbours: k, at least 4; larger looks at a larger scale, with less variance and more bias from curvature.
        signature: +1 for space-like and -1 for time-like axes [K], as of `Embedding.signature`; None for +1.

    Raises:
        InputError: coordinates of other points, no space-like axis, all points identical, or fewer points or runs than
            the neighbours take.

    Source: Fukunaga and Olsen, IEEE Transactions on Computers C-20 (1971) 176, who count eigenvalues above a threshold;
    the estimates without bias of Himeno and Yamada, Journal of Multivariate Analysis 130 (2014) 27.
    """
    x = _space_like(coords, points, signature)
    check_whole("neighbours", neighbours, LEAST_NEIGHBOURS)
    _, kept = np.unique(x, axis=0, return_index=True)
    kept = np.sort(kept)
    if len(kept) < LEAST_POINTS:
        raise InputError(f"coords: {len(kept)} points differ; local PCA takes {LEAST_POINTS}")
    across = isinstance(default_candidates(points.take(kept)), OtherRuns)
    own = run_numbers(points)[kept] if across else np.arange(len(kept))
    runs, run = np.unique(own, return_inverse=True)
    if across and len(runs) < 2:
        raise InputError("runs: there is one alone; neighbours in other runs need more")
    if len(runs) < neighbours + 2:
        what = "other runs" if across else "other points"
        raise InputError(
            f"neighbours: {neighbours}; that takes {neighbours + 1} {what}, and there are {len(runs) - 1}: give fewer"
        )
    x = x[kept]
    near, radii = _nearest(x, run, neighbours + 1)
    weights = radii**-4.0
    sums, by_run, by_pair = _summed(x, near[:, :-1], weights, run)
    value = sums[1] / sums[0]
    among = "one point of each other run" if across else "all other points"
    return DimensionEstimate(
        estimator=f"local PCA (k = {neighbours}), {among}",
        value=value,
        standard_error=_standard_error(value, by_run, by_pair) / sums[0],
        scale=float(np.median(radii)),
        n_points=len(kept),
        excluded=len(points) - len(kept),
        degrees=len(runs) - 1,
        warnings=_warnings(value, x.shape[1], np.shape(coords)[1], len(points) - len(kept)),
    )


def traces(y: Array) -> Traces:
    """tr Sigma^2 and (tr Sigma)^2 of B samples of k points [B, k, K], without bias: see `local_pca`."""
    k = y.shape[1]
    y = y - y.mean(axis=1, keepdims=True)
    products = y @ np.swapaxes(y, 1, 2)
    sq_lengths = np.diagonal(products, axis1=1, axis2=2)
    square = np.sum(products**2, axis=(1, 2)) / (k - 1) ** 2  # tr S^2
    total = (sq_lengths.sum(axis=1) / (k - 1)) ** 2  # (tr S)^2
    fourth = k * np.sum(sq_lengths**2, axis=1) / (k - 1)
    scale = (k - 1) / (k * (k - 2) * (k - 3))
    return Traces(
        scale * ((k - 1) * (k - 2) * square + total - fourth),
        scale * (2 * square + (k**2 - 3 * k + 1) * total - fourth),
        products,
    )


def _nearest(x: Array, run: Indices, count: int) -> tuple[Indices, Array]:
    """The nearest points in other runs, one of each [M, count], by ascending distance, and that of the last [M]."""
    order = np.argsort(run, kind="stable")
    starts = np.searchsorted(run[order], np.arange(run.max() + 1))
    sizes = np.diff(np.append(starts, len(run)))
    near, radii = np.empty((len(x), count), dtype=np.intp), np.empty(len(x))
    for start in range(0, len(x), ROWS):
        rows = slice(start, start + ROWS)
        found = cdist(x[rows], x[order], "sqeuclidean")
        least = np.minimum.reduceat(found, starts, axis=1)
        place = np.arange(len(least))[:, None]
        least[place[:, 0], run[rows]] = np.inf
        chosen = np.argpartition(least, count - 1, axis=1)[:, :count]
        chosen = np.take_along_axis(chosen, np.argsort(least[place, chosen], axis=1, kind="stable"), axis=1)
        position = starts[chosen]
        for step in range(1, sizes.max()):  # to the nearest point of each run chosen
            other = np.minimum(starts[chosen] + step, starts[chosen] + sizes[chosen] - 1)
            position = np.where(found[place, other] < found[place, position], other, position)
        near[rows] = order[position]
        radii[rows] = np.sqrt(least[place[:, 0], chosen[:, -1]])
    return near, radii


def _summed(x: Array, near: Indices, weights: Array, run: Indices) -> tuple[Array, Array, list[csr_array]]:
    """sum_i w_i (tr Sigma_i^2, (tr Sigma_i)^2) [2], the same by runs [2, R], and by pairs of runs a < b of neighbours
    2 x [R, R].
    """
    n_runs, k = int(run.max()) + 1, near.shape[1]
    first, second = np.triu_indices(k, 1)
    by_run, by_pair = np.zeros((2, n_runs)), [csr_array((n_runs, n_runs)), csr_array((n_runs, n_runs))]
    for start in range(0, len(x), ROWS):
        rows = slice(start, start + ROWS)
        found = traces(x[near[rows]])
        share = weights[rows, None] * 2 / (k * (k - 1))
        sq_lengths = np.diagonal(found.products, axis1=1, axis2=2)
        terms = found.products[:, first, second] ** 2, sq_lengths[:, first] * sq_lengths[:, second]
        a, b = run[near[rows]][:, first].ravel(), run[near[rows]][:, second].ravel()
        for i, (total, term) in enumerate(zip(found[:2], terms, strict=True)):
            by_run[i] += np.bincount(run[rows], weights[rows] * total, n_runs)
            at = (np.minimum(a, b), np.maximum(a, b))
            by_pair[i] += csr_array(((share * term).ravel(), at), shape=(n_runs, n_runs))
    return by_run.sum(axis=1), by_run, by_pair


def _standard_error(value: float, by_run: Array, by_pair: list[csr_array]) -> float:
    """sqrt(V), see `local_pca`."""
    psi = by_pair[1] - value * by_pair[0]
    members = np.asarray(psi.sum(axis=0)) + np.asarray(psi.sum(axis=1))
    scores = members - members.mean() + by_run[1] - value * by_run[0]
    between = float(np.sum(psi.data**2))
    return float(np.sqrt(max(float(np.sum(scores**2)) - between, between)))


def _space_like(coords: ArrayLike, points: Points, signature: ArrayLike | None) -> Array:
    """The coordinates on the space-like axes [P, K']."""
    check_record("points", points, Points)
    x = np.asarray(coords, dtype=np.float64)
    if x.ndim != 2 or len(x) != len(points) or not x.shape[1]:
        raise InputError(f"coords: has shape {x.shape}, expected [{len(points)}, K] for these points")
    if not np.isfinite(x).all():
        raise InputError("coords: not all are finite")
    if signature is None:
        return x
    signs = np.asarray(signature)
    if signs.shape != x.shape[1:] or not np.isin(signs, (-1, 1)).all():
        raise InputError(f"signature: {signs.tolist()}, expected {x.shape[1]} of +1 and -1")
    if not (signs > 0).any():
        raise InputError("signature: no axis is space-like, and there are no distances along time-like ones")
    return x[:, signs > 0]


def _warnings(value: float, axes: int, all_axes: int, duplicates: int) -> tuple[str, ...]:
    of = "" if axes == all_axes else f" that are space-like, of {all_axes}"
    close = ", and comes close: more axes may give more" if value > NEARLY * axes else ""
    told = [f"it sees the {axes} axes of the map{of}, and can be no more than {axes}{close}"]
    if duplicates:
        told.append(f"{duplicates} points that repeat an earlier one were left out")
    return tuple(told)
