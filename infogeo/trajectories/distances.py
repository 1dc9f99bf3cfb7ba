"""How far apart trajectories are: at equal progress, at equal step, and without either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import Divergence
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.run import pairwise_divergence

SOFTNESS = 0.1
"""Of `soft_distances`, in the unit of the divergence's root."""


def trajectory_divergence(
    at_equal: Predictions,
    divergence: Divergence,
    *,
    weights: ArrayLike | None = None,
    snapshot: int | None = None,
    memory: int | None = None,
    report: Callable[[int, int], None] | None = None,
) -> PairwiseMatrix:
    """The divergence between trajectories: a mean over the values of progress at which all runs were taken.

    d(P, Q) = sum_t w_t d(P_s(t), Q_s(t)) / sum_t w_t, for T values of progress s(t), where d is a mean over samples:
    with equal weights the integral of d over progress, per unit of progress. Points of the result are whole runs.

    Args:
        at_equal: R runs of T points each, from `reindexed` (equal progress) or taken at equal steps.
        divergence: which divergence.
        weights: of the T values [T], none negative; by default all alike.
        snapshot: one of the T values alone, by its number.
        memory: the bytes that each of the T matrices may take; see `plan_pairwise`.
        report: called with (values done, values in all).

    Raises:
        InputError: runs of different lengths, other weights than T, or a snapshot that is not there.

    Source: Mao et al., PNAS 121 (2024) e2310002121.
    """
    points = at_equal.points
    rows = [points.of_run(run) for run in points.runs]
    lengths = {len(row) for row in rows}
    if len(lengths) != 1:
        raise InputError(f"runs: have between {min(lengths)} and {max(lengths)} points, expected as many each; reindex")
    table = np.stack(rows)
    share = _shares(weights, table.shape[1])
    if snapshot is not None:
        if not -len(share) <= snapshot < len(share):
            raise InputError(f"snapshot: {snapshot}, but there are {len(share)} values of progress")
        share = np.eye(len(share))[snapshot]
    total, clipped = np.zeros((len(table), len(table))), 0
    times = np.flatnonzero(share).tolist()
    for done, t in enumerate(times):
        matrix = pairwise_divergence(at_equal.take(table[:, t]), divergence, memory=memory)
        total += share[t] * np.asarray(matrix.values)
        clipped += matrix.clipped
        if report is not None:
            report(done + 1, len(times))
    runs = points.per_run()
    kept = {name: values for name, values in runs.columns.items() if name != "progress"}
    return PairwiseMatrix(
        values=total,
        points=Points(kept),
        divergence=divergence.name,
        fisher_factor=divergence.fisher_factor,
        n_samples=at_equal.n_samples,
        floored=at_equal.floored,
        clipped=clipped,
    )


def at_steps(predictions: Predictions, steps: ArrayLike) -> Predictions:
    """The checkpoints of every run at the same steps [T], for a comparison at equal time.

    Raises:
        InputError: the steps do not grow, or a run lacks one of them.
    """
    wanted = np.atleast_1d(np.asarray(steps))
    if wanted.ndim != 1 or not len(wanted) or np.any(np.diff(wanted) <= 0):
        raise InputError("steps: expected growing steps, each once")
    points, rows = predictions.points, []
    for run in points.runs:
        own = points.of_run(run)
        place = np.searchsorted(points["step"][own], wanted)
        found = own[np.minimum(place, len(own) - 1)]
        lacking = points["step"][found] != wanted
        if lacking.any():
            raise InputError(f"steps: run '{run}' has no step {wanted[lacking][0]}; give steps that all runs have")
        rows += found.tolist()
    return predictions.take(rows)


def frechet_distances(matrix: PairwiseMatrix) -> PairwiseMatrix:
    """The discrete Frechet distance between runs [R, R], from the divergences between all of their points.

    F(i, j) = max(d_ij, min(F(i-1, j), F(i, j-1), F(i-1, j-1))), at the last points of both: the least longest leash of
    two walkers who never turn back. It needs no progress. In the unit of the divergence, which is not a metric, and so
    neither is this.

    Raises:
        InputError: the matrix is rectangular.

    Source: Eiter and Mannila, CD-TR 94/64 (1994).
    """
    return _between_runs(matrix, _frechet)


def soft_distances(matrix: PairwiseMatrix, softness: float = SOFTNESS) -> PairwiseMatrix:
    """A soft distance between runs [R, R]: how far the points of one are from the nearby points of the other.

    d(x, Y) = sum_t w_t d_t / sum_t w_t with w_t = exp(-d_t / (2 s^2)) dy_t, where d_t is the divergence from x to the
    t-th point of Y, and dy_t the length that it stands for: the mean of the roots of the divergences to its neighbours
    in the run. The mean of d(x, Y) over the points x of X, weighted by dx, is symmetrised by the mean of both ways.

    Args:
        matrix: divergences between all points [P, P].
        softness: s.

    Raises:
        InputError: the matrix is rectangular, or the softness is not positive.

    Source: the code of Mao et al. (2024), where s = 0.1 and a point stands for the step that follows it.
    """
    if not softness > 0:
        raise InputError(f"softness: {softness}; give a number above zero")

    def one_way(blocks: NDArray[np.float64], lengths: NDArray[np.float64]) -> NDArray[np.float64]:
        """d(x, Y) [J, H] of the H rows of J blocks [J, H, W], whose columns stand for `lengths` [J, W]."""
        seen = np.where(lengths[:, None] > 0, blocks, np.inf)
        nearest = seen.min(axis=2, keepdims=True)  # weights are relative to the nearest point, whose own is not zero
        weights = np.exp((nearest - seen) / (2 * softness**2)) * lengths[:, None]
        return (weights * blocks).sum(axis=2) / weights.sum(axis=2)

    def both_ways(
        blocks: NDArray[np.float64], own: NDArray[np.float64], others: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        blocks = np.where(np.isfinite(blocks), blocks, 0.0)  # what was filled up stands for no length
        there = (one_way(blocks, others) * own).sum(axis=1) / own.sum()
        back = one_way(blocks.transpose(0, 2, 1), np.broadcast_to(own, (len(blocks), len(own))))
        return (there + (back * others).sum(axis=1) / others.sum(axis=1)) / 2

    return _between_runs(matrix, both_ways)


def _shares(weights: ArrayLike | None, count: int) -> NDArray[np.float64]:
    if weights is None:
        return np.full(count, 1 / count)
    given = np.asarray(weights, dtype=np.float64)
    if given.shape != (count,) or not np.isfinite(given).all() or given.min() < 0 or not given.sum() > 0:
        raise InputError(f"weights: expected {count} numbers, none negative and not all zero")
    return given / given.sum()


def _frechet(blocks: NDArray[np.float64], own: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """By antidiagonals, each of which depends on the two before it alone; all blocks [J, H, W] together."""
    count, height, width = blocks.shape
    last = np.isfinite(blocks[:, 0]).sum(axis=1) - 1
    found = np.empty(count)
    older, old = (np.full((count, height + 1), np.inf) for _ in range(2))  # a row of infinity before the first
    for k in range(height + width - 1):
        i = np.arange(max(0, k - width + 1), min(height, k + 1))
        before = np.minimum(np.minimum(old[:, i], older[:, i]), old[:, i + 1])
        new = np.full((count, height + 1), np.inf)
        new[:, i + 1] = np.maximum(blocks[:, i, k - i], before if k else -np.inf)
        ends = last + height - 1 == k
        found[ends] = new[ends, height]
        older, old = old, new
    return found


def _between_runs(
    matrix: PairwiseMatrix,
    distances: Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
) -> PairwiseMatrix:
    """Distances from each run to all before it, at once: what these lack is at infinity and has no length."""
    if matrix.columns is not None:
        raise InputError("matrix: rectangular; give the divergences among all points of all runs")
    points = matrix.points
    rows = [points.of_run(run) for run in points.runs]
    values = np.asarray(matrix.values)
    longest = max(len(own) for own in rows)
    place = np.stack([np.append(own, np.full(longest - len(own), own[-1])) for own in rows])
    there = np.arange(longest) < np.array([len(own) for own in rows])[:, None]
    lengths = np.zeros(place.shape)
    for length, own in zip(lengths, rows, strict=True):
        length[: len(own)] = _lengths(values[np.ix_(own, own)])
    found = np.zeros((len(rows), len(rows)))
    for i in range(1, len(rows)):
        blocks = values[rows[i]][:, place[:i]].transpose(1, 0, 2)
        blocks = np.where(there[:i, None], blocks, np.inf)
        found[i, :i] = found[:i, i] = distances(blocks, lengths[i, : len(rows[i])], lengths[:i])
    return replace(matrix, values=found, points=points.per_run())


def _lengths(own: NDArray[np.float64]) -> NDArray[np.float64]:
    """The length that each point of a run stands for: the mean root of the divergences to its neighbours."""
    steps = np.sqrt(np.diagonal(own, 1))
    if not steps.any():
        return np.ones(len(own))
    return (np.append(steps, steps[-1]) + np.append(steps[0], steps)) / 2
