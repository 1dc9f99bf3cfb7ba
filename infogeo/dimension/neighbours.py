"""The nearest neighbours of every point: among all points, or one on the path of each other run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.arguments import check_record, check_whole, told
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.dimension.rows import Array, Indices, entries, part_bytes, row_parts
from infogeo.dimension.smallest import smallest
from infogeo.pairwise.matrix import PairwiseMatrix

AHEAD_BYTES = 2**29
"""That parts of rows which are worked on at once may take; one part always is."""
Result = TypeVar("Result")
Pairs = NDArray[np.int32]
"""(later, earlier) points [n, 2]: small numbers, since of many identical points there are many pairs."""

ROUNDING = 2.0**-24
"""Of a computed Bhattacharyya divergence near zero, about: half a unit in the last place of the coefficients of which
it is made. Other divergences have it in proportion to their `fisher_factor`."""
FISHER_FACTOR = 1 / 8
"""Of Bhattacharyya divergences."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The L nearest neighbours of each of M points that differ from each other.

    Attributes:
        distances: sqrt(divergence) to them [M, L], ascending; infinite where there are fewer.
        runs: the number of the run of each [M, L]; -1 where there are fewer.
        own_run: the number of the run of each point [M].
        rows: which points of the matrix they are [M].
        duplicates: how many points have no neighbours here, since one before them is at no distance.
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

    @property
    def members(self) -> str:
        """What is drawn independently, in a word: "runs", or "points" where each is a run of its own."""
        return "runs" if len(np.unique(self.own_run)) < len(self.own_run) else "points"

    def take(self, chosen: ArrayLike) -> Neighbours:
        """The same of some of the points: neighbours are still looked for among all."""
        at = np.arange(len(self.rows))[np.asarray(chosen)]
        return replace(
            self, distances=self.distances[at], runs=self.runs[at], own_run=self.own_run[at], rows=self.rows[at]
        )


class Candidates(Protocol):
    """What counts as a neighbour of a point; small and frozen."""

    def among(self, matrix: PairwiseMatrix, kept: Indices, given: Indices) -> Search:
        """The search for neighbours of the points kept [M], which differ, of those given [G], which may be repeated."""
        ...


class Search(Protocol):
    """Candidates of one matrix."""

    words: str
    runs: Indices
    """The run of each of Q candidates [Q]."""

    def nearest(self, rows: Indices, values: Array, count: int) -> tuple[Array, Indices]:
        """The divergences to the nearest candidates [B, count], ascending, and which of the Q they are.

        Infinite where fewer count.

        Args:
            rows: points [B].
            values: their divergences to all points [B, P].
            count: at most Q - 1.
        """
        ...


@dataclass(frozen=True)
class AllPoints:
    """Every other point. Right for points that do not follow each other: one checkpoint per run, or a cloud."""

    def among(self, matrix: PairwiseMatrix, kept: Indices, given: Indices) -> Search:
        """See `Candidates`; of points that are repeated one alone counts."""
        return _AllPoints(kept, run_numbers(matrix.points)[kept])


@dataclass(frozen=True)
class OtherRuns:
    """One neighbour per other run: the nearest point of its path, which is straight between checkpoints.

    With a = d(x, y_t), b = d(x, y_t+1) and c = d(y_t, y_t+1) in the role of squared distances, the point at a share
    f = (a + c - b) / (2 c), held within [0, 1], of the way from y_t to y_t+1 is at the squared distance
    a (1 - f) + b f - c f (1 - f): of all points of the segment it is the least. Without this a path looks farther
    away than it is by up to half the spacing of its checkpoints, along the path, and the dimension across runs reads
    too large. A run that goes through the very point, as runs from one start do there, does not count for it; one all
    of whose points repeat those of earlier runs does not count at all.

    Attributes:
        between: whether a path goes on between checkpoints; False for the checkpoints alone.
    """

    between: bool = True

    def among(self, matrix: PairwiseMatrix, kept: Indices, given: Indices) -> Search:
        """See `Candidates`."""
        return _OtherRuns(Paths.of(matrix, kept, given, "step"), self.between)


@dataclass(frozen=True)
class EqualProgress:
    """One neighbour per other run: where it has come as far, straight between the checkpoints before and after.

    Attributes:
        column: of the points, for example `progress` (see `with_progress`); a run counts for the points within its
            own range.
    """

    column: str = "progress"

    def among(self, matrix: PairwiseMatrix, kept: Indices, given: Indices) -> Search:
        """See `Candidates`."""
        paths = Paths.of(matrix, kept, given, self.column)
        return _EqualProgress(paths, np.asarray(matrix.points[self.column], dtype=np.float64), self.column)


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
            two points or more on average, else all points.
        rows: which points take part, as indices or a mask; by default all.
        report: called with (points done, points in all), twice over where points repeat others.

    Raises:
        InputError: a rectangular matrix, all points identical, one run alone where others are needed, or no such
            column.
    """
    check_matrix(matrix)
    check_whole("count", count)
    chosen = default_candidates(matrix.points) if candidates is None else candidates
    given = np.arange(matrix.shape[0]) if rows is None else _checked_rows(rows, matrix.shape[0])
    found, identical = _neighbours(matrix, given, given, count, chosen, report)
    if not len(identical):
        return found
    kept = _first_ones(given, identical)  # the others hide neighbours, and a second pass looks for those
    if len(kept) < 2:
        raise InputError("matrix: all points are identical; a dimension needs points that differ")
    found, _ = _neighbours(matrix, kept, given, count, chosen, report)
    return replace(found, duplicates=len(given) - len(kept))


def _checked_rows(rows: ArrayLike, size: int) -> Indices:
    """The numbers of some of so many points, ascending, from numbers or a mask."""
    wanted = np.asarray(rows)
    mask = wanted.dtype == bool and wanted.shape == (size,)
    numbers = (
        wanted.dtype.kind in "iu" and wanted.ndim == 1 and len(wanted) and -size <= wanted.min() <= wanted.max() < size
    )
    if not (mask or numbers):
        raise InputError(f"rows: {told(rows)}; give the numbers of points, below {size}, or a mask of {size}")
    given = np.unique(np.arange(size)[wanted])
    if len(given) < 2:
        raise InputError(f"rows: {len(given)} of {size} points chosen; neighbours take two at least")
    return given


def _neighbours(
    matrix: PairwiseMatrix,
    kept: Indices,
    given: Indices,
    count: int,
    candidates: Candidates,
    report: Callable[[int, int], None] | None,
) -> tuple[Neighbours, Pairs]:
    """The neighbours of points kept [M], of no use if these have `identical_pairs`; and those pairs."""
    search = candidates.among(matrix, kept, given)
    position = np.full(matrix.shape[0], -1)
    position[kept] = np.arange(len(kept))
    length = min(count, len(search.runs) - 1)
    distances = np.empty((len(kept), length))
    runs = np.empty((len(kept), length), dtype=np.intp)

    def of_part(part: tuple[Indices, Array]) -> tuple[int, Pairs]:
        inside = np.flatnonzero(position[part[0]] >= 0)
        rows, values = part if len(inside) == len(part[0]) else (part[0][inside], part[1][inside])
        near, numbers = search.nearest(rows, values, length)
        at = position[rows]
        distances[at] = np.sqrt(near)
        runs[at] = np.where(np.isfinite(near), search.runs[numbers], -1)
        return len(part[0]), identical_pairs(rows, values, position >= 0)

    done, identical = 0, []
    for size, pairs in _ahead(of_part, row_parts(matrix), max(1, AHEAD_BYTES // part_bytes(matrix))):
        done += size
        identical.append(pairs)
        if report is not None:
            report(done, matrix.shape[0])
    found = Neighbours(
        distances=distances,
        runs=runs,
        own_run=run_numbers(matrix.points)[kept],
        rows=kept,
        duplicates=0,
        among=search.words,
        n_candidates=len(search.runs) - 1,
        rounding=ROUNDING * (matrix.fisher_factor or FISHER_FACTOR) / FISHER_FACTOR if matrix.n_samples else 0.0,
    )
    return found, np.concatenate(identical)


def default_candidates(points: Points) -> Candidates:
    """One neighbour per other run where runs have two points or more on average, else all points."""
    return OtherRuns() if 2 * len(points.runs) <= len(points) else AllPoints()


def distinct(matrix: PairwiseMatrix, rows: Indices) -> Indices:
    """Those of some points, ascending, that differ from all before them: at no divergence of exactly zero."""
    chosen = np.zeros(matrix.shape[0], dtype=bool)
    chosen[rows] = True
    identical = [identical_pairs(numbers, values, chosen) for numbers, values in row_parts(matrix)]
    return _first_ones(rows, np.concatenate(identical))


def identical_pairs(rows: Indices, values: Array, chosen: NDArray[np.bool_]) -> Pairs:
    """(later, earlier) points at no divergence [n, 2], both chosen [P], the later one of rows [B]."""
    zero = values == 0.0
    if np.count_nonzero(zero) == len(rows):  # of each row itself
        return np.empty((0, 2), dtype=np.int32)
    at, earlier = np.nonzero(zero)
    pairs = np.stack([rows[at], earlier], axis=1).astype(np.int32)
    return pairs[(earlier < rows[at]) & chosen[pairs].all(axis=1)]


def _first_ones(rows: Indices, identical: Pairs) -> Indices:
    """Of some points, those that are not identical to an earlier one which stays."""
    later, earlier = identical[np.argsort(identical[:, 0], kind="stable")].T
    starts = np.flatnonzero(np.diff(later, prepend=-1))
    gone = np.zeros(rows.max() + 1, dtype=bool)
    for start, stop in pairwise([*starts.tolist(), len(later)]):
        gone[later[start]] = not gone[earlier[start:stop]].all()
    return rows[~gone[rows]]


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

    def nearest(self, rows: Indices, values: Array, count: int) -> tuple[Array, Indices]:
        near, numbers = smallest(values if len(self.kept) == values.shape[1] else values[:, self.kept], count + 1)
        return near[:, 1:], numbers[:, 1:]  # the first is the point itself


class _OtherRuns:
    def __init__(self, paths: Paths, between: bool) -> None:
        self.words = "one point on the path of each other run" if between else "one checkpoint of each other run"
        self.paths, self.runs, self.between = paths, paths.runs, between

    def nearest(self, rows: Indices, values: Array, count: int) -> tuple[Array, Indices]:
        paths = self.paths
        along = values[:, paths.order]
        passed = np.logical_or.reduceat(along == 0.0, paths.starts, axis=1)
        if self.between and len(paths.first):
            a, b, c = along[:, paths.first], along[:, paths.first + 1], paths.steps_from[paths.first]
            share = np.clip(np.divide(a + c - b, 2 * c, out=np.zeros_like(a), where=c > 0), 0.0, 1.0)
            along[:, paths.first] = np.maximum(a + share * (b - a) - c * share * (1 - share), 0.0)
        found = np.minimum.reduceat(along, paths.starts, axis=1)
        found[passed | (self.runs == paths.run_of[rows][:, None])] = np.inf
        return smallest(found, count)


class _EqualProgress:
    def __init__(self, paths: Paths, progress: Array, column: str) -> None:
        self.words = f"each other run at equal {column}"
        self.paths, self.runs, self.progress = paths, paths.runs, progress

    def nearest(self, rows: Indices, values: Array, count: int) -> tuple[Array, Indices]:
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
            between = np.maximum(a + share * (b - a) - c * share * (1 - share), 0.0)
            found[own, at] = np.where((a == 0.0) | (b == 0.0), np.inf, between)
        return smallest(found, count)


@dataclass(frozen=True, eq=False)
class Paths:
    """Points in the order of their runs, and within a run by a column.

    Attributes:
        order: the points [G], run after run.
        starts: where in this order each run begins [R].
        runs: the number of each run [R].
        run_of: the number of the run of every point of the matrix [P].
        first: where in this order a segment begins, to the next point of the same run [S].
        steps_from: the divergence over the segment that begins at each point [G]; 0 at the last point of a run.
    """

    order: Indices
    starts: Indices
    runs: Indices
    run_of: Indices
    first: Indices
    steps_from: Array

    @classmethod
    def of(cls, matrix: PairwiseMatrix, kept: Indices, given: Indices, column: str) -> Paths:
        """The paths, through the points given [G], of the runs that have any of the points kept [M].

        Raises:
            InputError: no such column, one without numbers, or a single run.
        """
        run_of = run_numbers(matrix.points)
        on_path = given[np.isin(run_of[given], run_of[kept])]
        key = matrix.points[column][on_path]
        if key.dtype.kind not in "fiu" or not np.isfinite(key).all():
            raise InputError(
                f"{column}: this column of the points holds other things than finite numbers; leave such points out "
                "with `take` or rows="
            )
        order = on_path[np.lexsort((key, run_of[on_path]))]
        runs, starts = np.unique(run_of[order], return_index=True)
        if len(runs) < 2:
            raise InputError(
                "runs: there is one alone; neighbours in other runs need more (in Python, AllPoints() looks within it)"
            )
        first = np.flatnonzero(run_of[order][1:] == run_of[order][:-1])
        steps_from = np.zeros(len(order))
        steps_from[first] = entries(matrix, order[first], order[first + 1])
        return cls(order, starts, runs, run_of, first, steps_from)


def _ahead(
    work: Callable[[tuple[Indices, Array]], Result], parts: Iterator[tuple[Indices, Array]], most: int
) -> Iterator[Result]:
    """The results of work on each part, in order; no more parts than that, and than cores, are in memory at once."""
    count = min(os.cpu_count() or 1, most)
    with ThreadPoolExecutor(count) as pool:
        waiting = [pool.submit(work, part) for part in islice(parts, count)]
        while waiting:
            yield waiting.pop(0).result()
            waiting += [pool.submit(work, part) for part in islice(parts, 1)]
