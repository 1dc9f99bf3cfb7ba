"""The correlation dimension: how the share of pairs within a distance grows with the distance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from infogeo.core.errors import InputError
from infogeo.dimension.estimate import DimensionEstimate
from infogeo.dimension.local import LEAST_POINTS
from infogeo.dimension.neighbours import (
    AllPoints,
    Candidates,
    OtherRuns,
    check_matrix,
    default_candidates,
    distinct,
    run_numbers,
)
from infogeo.dimension.rows import Array, Indices, row_parts
from infogeo.pairwise.matrix import PairwiseMatrix

SHIFT = 46
"""Bits of a float64 that a bin leaves out: 64 bins for each doubling of the divergence, of 0.4 to 0.8 % in distance."""
BINS = (2047 << (52 - SHIFT)) + 1
"""Bins of all divergences; the last one is for infinity."""
FARTHEST = 1e150
"""A distance whose square is still a number."""
LEAST_PAIRS = 50
"""Pairs at the lowest level; each one above has twice as many."""
KNOWN = 0.25
"""The relative standard error of C(r) at which a range may begin, at most."""
WINDOWS = 4
"""Levels that a scaling range goes up, at least: C(r) grows by 2^4."""
SPAN = 2.0
"""r2 / r1 of a scaling range, at least."""
TOLERANCE = 0.1
"""By how much of the slope of a scaling range its local slopes may differ from it, beside their error."""
ERRORS = 2.0
"""The standard errors that are allowed beside."""


class CorrelationSlopes(NamedTuple):
    """The correlation sum and its local slopes, d log C / d log r.

    Attributes:
        radii: distances r_j [J], ascending.
        shares: C(r_j) [J].
        slopes: log(C(r_j+1) / C(r_j)) / log(r_j+1 / r_j) [J - 1].
        standard_errors: of the slopes [J - 1]; NaN for one run alone.
    """

    radii: Array
    shares: Array
    slopes: Array
    standard_errors: Array


@dataclass(frozen=True)
class CorrelationDimension:
    """d = log(C(r2) / C(r1)) / log(r2 / r1), where C(r) is the share of pairs with sqrt(divergence) < r.

    Pairs of one run are left out where runs have several points: they follow each other, and would give the dimension
    of a curve. This is therefore the *total* dimension of runs that sample independently: their points, wherever they
    are along the runs, count as a cloud. Compare the dimension *across* runs of local estimators, which is one less.

    The scaling range [r1, r2] is found so, unless it is given. Levels of C that double, from 50 pairs on, give local
    slopes log(C_j+1 / C_j) / log(r_j+1 / r_j). A range goes from one level to another, at least four up and with
    r2 / r1 of at least 2, and begins where C(r1) is known to a quarter. It is a scaling range if each local slope in it
    lies within 10 % of its slope d and two standard errors of the difference. The longest in log r is taken, of equal
    ones the lower. Gaps between scales are steps of one level in which C hardly grows and cannot be part of one;
    borders bend C(r) down by more than 10 % above it, and by less within: the estimate is too small by a few per cent,
    and more in many dimensions. N points hardly tell a dimension above 2 log10 N.

    With runs a and b, psi_ab = sum over their pairs of (1[r_ij < r2] / n(r2) - 1[r_ij < r1] / n(r1)) / log(r2 / r1),
    n(r) being the number of pairs within r, and S_a = psi_aa + sum_{b != a} psi_ab, the variance is

        V = sum_a (S_a - mean S)^2 - sum_{a<b} psi_ab^2,  and no less than sum_{a<=b} psi_ab^2:

    the first sum counts each pair of runs twice, once for either. It is that of a range chosen beforehand; with the
    range that was found, values of other draws spread up to a third more.

    Attributes:
        radii: (r1, r2), the scaling range, to the next bin (0.4 to 0.8 %); None to find it.

    Source: Grassberger and Procaccia, Physica D 9 (1983) 189; without pairs that follow each other after Theiler,
    Physical Review A 34 (1986) 2427; the limit of Eckmann and Ruelle, Physica D 56 (1992) 185; the variance after
    Hoeffding, Annals of Mathematical Statistics 19 (1948) 293.
    """

    radii: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.radii is None:
            return
        given = np.asarray(self.radii)
        if given.shape != (2,) or given.dtype.kind not in "fiu" or not 0 < given[0] < given[1] < FARTHEST:
            raise InputError(f"radii: {self.radii}; give (r1, r2), distances with 0 < r1 < r2")

    @property
    def name(self) -> str:
        """The field's name."""
        return "correlation dimension"

    def estimate(
        self,
        matrix: PairwiseMatrix,
        candidates: Candidates | None = None,
        report: Callable[[int, int], None] | None = None,
    ) -> DimensionEstimate:
        """See `estimate_dimension`; `OtherRuns()` are the pairs of different runs, `AllPoints()` all pairs."""
        pairs = _Pairs.of(matrix, candidates)
        counts = pairs.counted(self.radii, report)
        found = counts.scaling_range() if self.radii is None else _ends(counts, self.radii)
        if found is None:
            value = error = scale = float("nan")
            where = "no scaling range"
        else:
            r1, r2 = counts.radii[found[0]], counts.radii[found[1]]
            contrast = counts.slope(*found)
            value, error = float(contrast @ np.log(counts.pairs)), float(counts.standard_errors(contrast))
            scale = float(np.sqrt(r1 * r2))
            where = f"{r1:.2g} to {r2:.2g}"
        return DimensionEstimate(
            estimator=f"{self.name} ({where}), {pairs.among}",
            value=value,
            standard_error=error,
            scale=scale,
            n_points=len(pairs.kept),
            excluded=matrix.shape[0] - len(pairs.kept),
            excluded_pairs=pairs.excluded,
            degrees=pairs.n_runs - 1,
            warnings=_warnings(pairs, found is None),
        )


def correlation_slopes(matrix: PairwiseMatrix, candidates: Candidates | None = None) -> CorrelationSlopes:
    """C(r) and its local slopes at levels of C that double: the correlation dimension against scale.

    Args:
        matrix: square, of P points, in memory or on disk.
        candidates: `OtherRuns()` for the pairs of different runs, `AllPoints()` for all; by default the former where
            runs have several points.

    Raises:
        InputError: as `CorrelationDimension.estimate`.
    """
    pairs = _Pairs.of(matrix, candidates)
    counts = pairs.counted()
    contrasts = counts.local_slopes()
    slopes = contrasts @ np.log(counts.pairs)
    return CorrelationSlopes(counts.radii, counts.pairs / pairs.total, slopes, counts.standard_errors(contrasts))


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Which pairs count: those of kept points [M] of different groups [P], of runs [P]."""

    matrix: PairwiseMatrix
    kept: Indices
    run: Indices
    group: Indices
    among: str

    @classmethod
    def of(cls, matrix: PairwiseMatrix, candidates: Candidates | None) -> _Pairs:
        check_matrix(matrix)
        chosen = default_candidates(matrix.points) if candidates is None else candidates
        if not isinstance(chosen, (AllPoints, OtherRuns)):
            raise InputError(
                f"candidates: {type(chosen).__name__}; a correlation sum takes AllPoints() for all pairs, or "
                "OtherRuns() for those of different runs"
            )
        kept = distinct(matrix, np.arange(matrix.shape[0]))
        if len(kept) < LEAST_POINTS:
            raise InputError(f"matrix: {len(kept)} points differ; a correlation sum takes {LEAST_POINTS}")
        run = run_numbers(matrix.points)
        across = isinstance(chosen, OtherRuns)
        if across and len(np.unique(run[kept])) < 2:
            raise InputError("runs: there is one alone; pairs of different runs need more, or give AllPoints()")
        group = run if across else np.arange(len(run))
        return cls(matrix, kept, run, group, "pairs of different runs" if across else "all pairs")

    @property
    def n_runs(self) -> int:
        return len(np.unique(self.run[self.kept]))

    @property
    def excluded(self) -> int:
        """Pairs of one group."""
        sizes = np.bincount(self.group[self.kept])
        return int(np.sum(sizes * (sizes - 1) // 2))

    @property
    def total(self) -> int:
        return len(self.kept) * (len(self.kept) - 1) // 2 - self.excluded

    def counted(
        self, radii: tuple[float, float] | None = None, report: Callable[[int, int], None] | None = None
    ) -> _Counts:
        """The pairs below levels of C, or below the radii: one pass for the levels, and one by runs."""
        below = np.zeros(BINS + 1, dtype=np.int64)  # pairs in bins before each
        for _, bins in self._parts():
            below[1:] += np.bincount(bins.ravel(), minlength=BINS)
        below = np.cumsum(below) // 2  # each pair was seen from either end
        if radii is None:
            doublings = int(np.log2(max(self.total // LEAST_PAIRS, 1)))
            levels = np.unique(np.searchsorted(below, LEAST_PAIRS * 2 ** np.arange(doublings + 1)))
            levels = levels[levels < BINS]
        else:
            levels = np.searchsorted(_edges(np.arange(BINS)), np.square(radii))
        by_run, between, own = self._by_runs(levels, report)
        return _Counts(np.sqrt(_edges(levels)), below[levels], by_run, between, own)

    def _parts(self) -> Iterator[tuple[Indices, Indices]]:
        """(rows [B], the bins of their divergences to those kept [B, M]); the last bin for what does not count."""
        keep = np.zeros(self.matrix.shape[0], dtype=bool)
        keep[self.kept] = True
        single = not self.excluded
        for rows, values in row_parts(self.matrix):
            bins = values.view(np.int64) >> SHIFT
            if not keep.all():
                rows, bins = rows[keep[rows]], bins[keep[rows]][:, self.kept]
            if single:
                bins[np.arange(len(rows)), np.searchsorted(self.kept, rows)] = BINS - 1
            else:
                np.putmask(bins, self.group[rows, None] == self.group[self.kept], BINS - 1)
            yield rows, bins

    def _by_runs(self, levels: Indices, report: Callable[[int, int], None] | None) -> tuple[Array, Array, Array]:
        """Of the pairs c_ab(j) of runs a, b below the levels: their sums over b [R, J], and the sums of products
        c_ab(j) c_ab(k) over a < b [J, J], and over a = b [J, J].

        Rows of runs are complete before the next ones begin, or the pairs of runs [R, R, J] are held.
        """
        level_of = np.searchsorted(levels, np.arange(BINS), side="right").astype(np.uint16)
        numbers, runs, sizes = np.unique(self.run[self.kept], return_inverse=True, return_counts=True)
        place = np.zeros(self.matrix.shape[0], dtype=np.intp)
        place[self.kept] = runs
        width = len(levels) + 1
        by_run, square = np.zeros((len(numbers), len(levels))), (len(levels), len(levels))
        between, own = np.zeros(square), np.zeros(square)
        single = len(numbers) == len(self.kept)
        waiting: dict[int, tuple[int, Array]] = {}
        done = 0
        for rows, bins in self._parts():
            level = level_of[bins]
            if single:
                keys = level + np.arange(len(rows))[:, None] * width
                below = np.bincount(keys.ravel(), minlength=len(rows) * width).reshape(-1, width).cumsum(axis=1)
                by_run[place[rows]] = below[:, :-1]
            else:
                for a in np.unique(place[rows]).tolist():
                    of_run = place[rows] == a
                    keys = level[of_run] + runs * width
                    counts = np.bincount(keys.ravel(), minlength=len(numbers) * width).reshape(-1, width)
                    seen, sums = waiting.pop(a, (0, 0))
                    below = sums + counts.cumsum(axis=1)[:, :-1]
                    if seen + of_run.sum() < sizes[a]:
                        waiting[a] = seen + int(of_run.sum()), below
                        continue
                    below = below.astype(np.float64)
                    below[a] /= 2  # both ends of these pairs are of this run
                    by_run[a] = below.sum(axis=0)
                    own += np.outer(below[a], below[a])
                    between += below.T @ below - np.outer(below[a], below[a])
            done += len(rows)
            if report is not None:
                report(done, len(self.kept))
        if single:  # c_ab is 0 or 1, and below one level it is below all above
            total = by_run.sum(axis=0)
            between = np.minimum(total[:, None], total)
        return by_run, between / 2, own


@dataclass(frozen=True, eq=False)
class _Counts:
    """Pairs n(r_j) [J] within radii [J], those of each run [R, J], and sums of products, see `_Pairs._by_runs`."""

    radii: Array
    pairs: Indices
    by_run: Array
    between: Array
    own: Array

    def slope(self, low: Indices | int, high: Indices | int) -> Array:
        """log(n_high / n_low) / log(r_high / r_low) as weights [..., J] of log n."""
        units, log_r = np.eye(len(self.radii)), np.log(self.radii)
        return (units[high] - units[low]) / np.asarray(log_r[high] - log_r[low])[..., None]

    def local_slopes(self) -> Array:
        """The slopes between levels as weights of log n [J - 1, J]."""
        lower = np.arange(len(self.radii) - 1)
        return self.slope(lower, lower + 1)

    def standard_errors(self, weights: Array) -> Array:
        """Those of sums of log n, with weights [..., J] that sum to 0 (or of log n itself, while C is small)."""
        if len(self.by_run) < 2:
            return np.full(weights.shape[:-1], np.nan)
        relative = self.by_run / self.pairs
        relative = (relative - relative.mean(axis=0)) @ weights.T
        scaled = weights / self.pairs
        between = np.einsum("...j,jk,...k->...", scaled, self.between, scaled)
        own = np.einsum("...j,jk,...k->...", scaled, self.own, scaled)
        return np.sqrt(np.maximum(np.sum(relative**2, axis=0) - between, between + own))

    def scaling_range(self) -> tuple[int, int] | None:
        """The levels between which the local slopes agree, see `CorrelationDimension`."""
        n_levels = len(self.radii)
        if n_levels <= WINDOWS:
            return None
        local = self.local_slopes()
        log_n, log_r = np.log(self.pairs), np.log(self.radii)
        known = self.standard_errors(np.eye(n_levels))
        best, length = None, np.log(SPAN)
        for low in range(n_levels - WINDOWS):
            for high in range(low + WINDOWS, n_levels):
                if known[low] > KNOWN or log_r[high] - log_r[low] <= length:
                    continue
                d = self.slope(low, high)
                differences = local[low:high] - d
                errors = np.nan_to_num(self.standard_errors(differences))
                if (np.abs(differences @ log_n) <= TOLERANCE * (d @ log_n) + ERRORS * errors).all():
                    best, length = (low, high), log_r[high] - log_r[low]
        return best


def _edges(bins: Indices) -> Array:
    """The divergences at which bins begin."""
    return (bins.astype(np.int64) << SHIFT).view(np.float64)


def _ends(counts: _Counts, radii: tuple[float, float]) -> tuple[int, int]:
    if len(counts.radii) < 2 or counts.radii[0] == counts.radii[1] or counts.pairs[0] == 0:
        raise InputError(f"radii: {radii}; there are no pairs within r1, or r1 and r2 are the same to 1 %")
    return 0, 1


def _warnings(pairs: _Pairs, none: bool) -> tuple[str, ...]:
    told = []
    duplicates = pairs.matrix.shape[0] - len(pairs.kept)
    if none:
        told.append(
            f"no scaling range: over no factor of {SPAN:g} in distance and {2**WINDOWS} in pairs does the slope of the "
            f"correlation sum stay within {100 * TOLERANCE:g} % and its error"
        )
    if duplicates:
        told.append(f"{duplicates} points that repeat an earlier one were left out")
    if pairs.n_runs < 2:
        told.append("one run alone says nothing about the error")
    return tuple(told)
