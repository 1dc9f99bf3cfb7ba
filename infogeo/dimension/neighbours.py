"""The nearest neighbours of every point: among all points, or one on the path of each other run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from infogeo.core.arguments import check_record, check_whole
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.dimension.rows import Array, Indices, entries, row_parts
from infogeo.pairwise.matrix import PairwiseMatrix

AHEAD = os.cpu_count() or 1
"""Parts of rows that are worked on at once."""


ROUNDING = 2.0**-24
"""Of a computed divergence near zero, about: half a unit in the last place of the coefficients of which it is made."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The L nearest neighbours of each of M points that differ from each other.

    Attributes:
        distances: sqrt(divergence) to them [M, L], ascending; infinite where there are fewer.
        runs: the number of the run of each [M, L]; -1 where there are fewer.
        own_run: the number of the run of each point [M].
        rows: which points of the matrix they are [M].
        duplicates: how many points were left out, since one before them is at no distance.
        among: in words, among what the neighbours were looked for.
        n_candidates: among how many a neighbour was chosen, at most: points, or runs.
        rounding: of divergences that were computed in float32, about; 0 for a matrix that was given.
    """

    distances: Array
    runs: Indices
    own_run: Indices
    rows: Indices
    duplicates: int
    among: str
    n_candidates: int
    rounding: float = 0.0

    def take(self, chosen: ArrayLike) -> Neighbours:
        """The same of some of the points: neighbours are still looked for among all."""
        at = np.arange(len(self.rows))[np.asarray(chosen)]
        return replace(
            self, distances=self.distances[at], runs=self.runs[at], own_run=self.own_run[at], rows=self.rows[at]
        )


class Candidates(Protocol):
    """What counts as a neighbour of a point; small and frozen."""

    def among(self, matrix: PairwiseMatrix, kept: Indices) -> Search:
        """The search for neighbours among the points kept [M]."""
        ...


class Search(Protocol):
    """Candidates of one matrix."""

    words: str
    runs: Indices
    """The run of each of Q candidates [Q]."""

    def divergences(self, rows: Indices, values: Array) -> Array:
        """From points rows [B], whose divergences to all are values [B, P], to the candidates [B, Q].

        Infinite for those that do not count.
        """
        ...


@dataclass(frozen=True)
class AllPoints:
    """Every other point. Right for points that do not follow each other: one checkpoint per run, or a cloud."""

    def among(self, matrix: PairwiseMatrix, kept: Indices) -> Search:
        """See `Candidates`."""
        return _AllPoints(kept, run_numbers(matrix.points)[kept])


@dataclass(frozen=True)
class OtherRuns:
    """One neighbour per other run: the nearest point of its path, which is straight between checkpoints.

    With a = d(x, y_t), b = d(x, y_t+1) and c = d(y_t, y_t+1) in the role of squared distances, the point at a share
    f = (a + c - b) / (2 c), held within [0, 1], of the way from y_t to y_t+1 is at the squared distance
    a (1 - f) + b f - c f (1 - f): of all points of the segment it is the least. Without this a path looks farther
    away than it is by up to half the spacing of its checkpoints, along the path, and the dimension across runs reads
    too large.

    Attributes:
        between: whether a path goes on between checkpoints; False for the checkpoints alone.
    """

    between: bool = True

    def among(self, matrix: PairwiseMatrix, kept: Indices) -> Search:
        """See `Candidates`."""
        return _OtherRuns(matrix, kept, self.between)


@dataclass(frozen=True)
class EqualProgress:
    """One neighbour per other run: where it has come as far, straight between the checkpoints before and after.

    Attributes:
        column: of the points, for example `progress` (see `with_progress`); a run counts for the points within its
            own range.
    """

    column: str = "progress"

    def among(self, matrix: PairwiseMatrix, kept: Indices) -> Search:
        """See `Candidates`."""
        return _EqualProgress(matrix, kept, self.column)


def nearest_neighbours(
    matrix: PairwiseMatrix,
    count: int,
    candidates: Candidates | None = None,
    rows: ArrayLike | None = None,
    report: Callable[[int, int], None] | None = None,
) -> Neighbours:
    """The nearest neighbours of every point, from a matrix in memory or, by tiles, on disk.

    Args:
        matrix: square, of P points.
        count: L, how many.
        candidates: `AllPoints()`, `OtherRuns()` or `EqualProgress()`; by default one per other run where runs have
            several points, else all points.
        rows: which points take part, as indices or a mask; by default all.
        report: called with (points done, points in all).

    Raises:
        InputError: a rectangular matrix, all points identical, one run alone where others are needed, or no such
            column.
    """
    check_matrix(matrix)
    check_whole("count", count)
    chosen = default_candidates(matrix.points) if candidates is None else candidates
    given = np.arange(matrix.shape[0]) if rows is None else np.unique(np.arange(matrix.shape[0])[np.asarray(rows)])
    kept = distinct(matrix, given)
    if len(kept) < 2:
        raise InputError("matrix: all points are identical; a dimension needs points that differ")
    search = chosen.among(matrix, kept)
    position = np.full(matrix.shape[0], -1)
    position[kept] = np.arange(len(kept))
    length = min(count, len(search.runs))
    distances = np.full((len(kept), length), np.inf)
    runs = np.full((len(kept), length), -1)

    def of_part(part: tuple[Indices, Array]) -> int:
        inside = np.flatnonzero(position[part[0]] >= 0)
        of_kept = part[1] if len(inside) == len(part[0]) else part[1][inside]
        near, numbers = _smallest(search.divergences(part[0][inside], of_kept), length)
        at = position[part[0][inside]]
        distances[at] = np.sqrt(near)
        runs[at] = np.where(np.isfinite(near), search.runs[numbers], -1)
        return len(part[0])

    done = 0
    for size in _ahead(of_part, row_parts(matrix)):
        done += size
        if report is not None:
            report(done, matrix.shape[0])
    return Neighbours(
        distances=distances,
        runs=runs,
        own_run=run_numbers(matrix.points)[kept],
        rows=kept,
        duplicates=len(given) - len(kept),
        among=search.words,
        n_candidates=len(search.runs) - 1,
        rounding=ROUNDING if matrix.n_samples else 0.0,
    )


def default_candidates(points: Points) -> Candidates:
    """One neighbour per other run where runs have several points, else all points."""
    return OtherRuns() if len(points.runs) < len(points) else AllPoints()


def distinct(matrix: PairwiseMatrix, rows: Indices) -> Indices:
    """Those of some points, ascending, that differ from all before them: at no divergence of exactly zero."""
    chosen = np.zeros(matrix.shape[0], dtype=bool)
    chosen[rows] = True
    pairs = [np.empty((2, 0), dtype=np.intp)]
    for numbers, values in row_parts(matrix):
        at, other = np.nonzero(values == 0.0)
        earlier = (other < numbers[at]) & chosen[other] & chosen[numbers[at]]
        pairs.append(np.stack([numbers[at[earlier]], other[earlier]]))
    for later, earlier in sorted(np.concatenate(pairs, axis=1).T.tolist()):
        if chosen[earlier]:
            chosen[later] = False
    return np.flatnonzero(chosen)


def run_numbers(points: Points) -> Indices:
    """The number of the run of each point, in the order of their first points."""
    numbers = {run: i for i, run in enumerate(points.runs)}
    return np.array([numbers[run] for run in points["run"].tolist()], dtype=np.intp)


def check_matrix(matrix: PairwiseMatrix) -> None:
    """A square divergence matrix.

    Raises:
        InputError: something else.
    """
    check_record("matrix", matrix, PairwiseMatrix)
    if matrix.columns is not None:
        raise InputError("matrix: rectangular; a dimension needs the divergences among one set of points")


class _AllPoints:
    words = "all other points"

    def __init__(self, kept: Indices, runs: Indices) -> None:
        self.kept, self.runs = kept, runs

    def divergences(self, rows: Indices, values: Array) -> Array:
        found = values.copy() if len(self.kept) == values.shape[1] else values[:, self.kept]
        found[np.arange(len(rows)), np.searchsorted(self.kept, rows)] = np.inf
        return found


class _OtherRuns:
    def __init__(self, matrix: PairwiseMatrix, kept: Indices, between: bool) -> None:
        self.words = "one point on the path of each other run" if between else "one checkpoint of each other run"
        self.paths = Paths.of(matrix, kept, "step")
        self.runs = self.paths.runs
        self.between = between

    def divergences(self, rows: Indices, values: Array) -> Array:
        paths = self.paths
        along = values[:, paths.order]
        if self.between and len(paths.first):
            a, b, c = along[:, paths.first], along[:, paths.first + 1], paths.steps_from[paths.first]
            share = np.clip((a + c - b) / (2 * c), 0.0, 1.0)
            along[:, paths.first] = np.maximum(a + share * (b - a) - c * share * (1 - share), 0.0)
        found = np.minimum.reduceat(along, paths.starts, axis=1)
        found[self.runs == paths.run_of[rows][:, None]] = np.inf
        return found


class _EqualProgress:
    def __init__(self, matrix: PairwiseMatrix, kept: Indices, column: str) -> None:
        self.words = f"each other run at equal {column}"
        self.paths = Paths.of(matrix, kept, column)
        self.runs = self.paths.runs
        self.progress = np.asarray(matrix.points[column], dtype=np.float64)

    def divergences(self, rows: Indices, values: Array) -> Array:
        paths, wanted = self.paths, self.progress[rows]
        along = values[:, paths.order]
        there = self.progress[paths.order]
        found = np.full((len(rows), len(self.runs)), np.inf)
        stops = np.append(paths.starts[1:], len(there))
        for at, (start, stop) in enumerate(zip(paths.starts, stops, strict=True)):
            inside = (wanted >= there[start]) & (wanted <= there[stop - 1]) & (self.runs[at] != paths.run_of[rows])
            own = np.flatnonzero(inside)
            before = start + np.clip(np.searchsorted(there[start:stop], wanted[own]) - 1, 0, max(stop - start - 2, 0))
            after = np.minimum(before + 1, stop - 1)
            span = there[after] - there[before]
            share = np.divide(wanted[own] - there[before], span, out=np.zeros(len(own)), where=span > 0)
            a, b, c = along[own, before], along[own, after], paths.steps_from[before]
            found[own, at] = np.maximum(a + share * (b - a) - c * share * (1 - share), 0.0)
        return found


@dataclass(frozen=True, eq=False)
class Paths:
    """Points in the order of their runs, and within a run by a column.

    Attributes:
        order: the points [M], run after run.
        starts: where in this order each run begins [R].
        runs: the number of each run [R].
        run_of: the number of the run of every point of the matrix [P].
        first: where in this order a segment begins, to the next point of the same run [S].
        steps_from: the divergence over the segment that begins at each point [M]; 0 at the last point of a run.
    """

    order: Indices
    starts: Indices
    runs: Indices
    run_of: Indices
    first: Indices
    steps_from: Array

    @classmethod
    def of(cls, matrix: PairwiseMatrix, kept: Indices, column: str) -> Paths:
        """The paths of the points kept.

        Raises:
            InputError: no such column, one without numbers, or a single run.
        """
        key = matrix.points[column]
        if key.dtype.kind not in "fiu" or not np.isfinite(key).all():
            raise InputError(f"{column}: this column of the points holds other things than finite numbers")
        run_of = run_numbers(matrix.points)
        order = kept[np.lexsort((key[kept], run_of[kept]))]
        runs, starts = np.unique(run_of[order], return_index=True)
        if len(runs) < 2:
            raise InputError("runs: there is one alone; neighbours in other runs need more, or give AllPoints()")
        first = np.flatnonzero(run_of[order][1:] == run_of[order][:-1])
        steps_from = np.zeros(len(order))
        steps_from[first] = entries(matrix, order[first], order[first + 1])
        return cls(order, starts, runs, run_of, first, steps_from)


def _smallest(values: Array, count: int) -> tuple[Array, Indices]:
    """The smallest entries of each row [B, count], ascending, and where they are."""
    if count < values.shape[1]:
        where = np.argpartition(values, count - 1, axis=1)[:, :count]
    else:
        where = np.broadcast_to(np.arange(count), values.shape)
    near = np.take_along_axis(values, where, axis=1)
    order = np.argsort(near, axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1), np.take_along_axis(where, order, axis=1)


def _ahead(work: Callable[[tuple[Indices, Array]], int], parts: Iterator[tuple[Indices, Array]]) -> Iterator[int]:
    """The results of work on each part, in order, a few at once: no more parts than that are in memory."""
    with ThreadPoolExecutor(AHEAD) as pool:
        waiting = [pool.submit(work, part) for part in islice(parts, AHEAD)]
        while waiting:
            yield waiting.pop(0).result()
            waiting += [pool.submit(work, part) for part in islice(parts, 1)]
