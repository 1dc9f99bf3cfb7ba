"""Global dimensions from the spectrum of the centred divergences: participation ratio and stable rank."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from infogeo.core.errors import InputError
from infogeo.core.jackknife import jackknife
from infogeo.core.linalg import CentredMatrix, leading_eigenpairs
from infogeo.dimension.estimate import DimensionEstimate
from infogeo.dimension.neighbours import Candidates, check_matrix, run_numbers
from infogeo.dimension.rows import Array, Indices
from infogeo.pairwise.matrix import PairwiseMatrix

EXACT_UP_TO = 2000
"""Up to this many points the whole spectrum is computed."""
LEADING = 100
"""Eigenvalues that are computed of more points."""
JACKKNIFE_UP_TO = 1000
"""Points from which the standard error is computed, at most."""
GROUPS = 20
"""Groups of runs that are left out one after the other, at most."""
TOLD = 0.01
"""The share of negative eigenvalues from which on it is told."""
CLOSE = 1e-3
"""How far apart, relative to the upper one, bounds may be without being told."""


class Spectrum(NamedTuple):
    """Eigenvalues of W = -1/2 J D J, or what is known of them.

    Attributes:
        values: the leading ones, or all, by descending |value| [K].
        trace: the sum of all.
        norm: ||W||_F.
        n_rest: how many there are beside, that of the constant vector (0) not counted.
        converged: whether they are as exact as `leading_eigenpairs` promises.
    """

    values: Array
    trace: float
    norm: float
    n_rest: int = 0
    converged: bool = True

    def absolute_sum(self) -> tuple[float, float]:
        """Bounds on sum_i |lambda_i|.

        With T the trace, Q the sum of squares and n the number of the eigenvalues beyond K, none of which is larger
        than |lambda_K|: max(|T|, Q / |lambda_K|) <= sum |lambda| <= min(sqrt(n Q), n |lambda_K|) over these.
        """
        known = float(np.abs(self.values).sum())
        if not self.n_rest:
            return known, known
        last = float(np.abs(self.values[-1]))
        squares = max(self.norm**2 - float(np.square(self.values).sum()), 0.0)
        high = min(float(np.sqrt(self.n_rest * squares)), self.n_rest * last)
        low = min(max(abs(self.trace - float(self.values.sum())), squares / last), high)
        return known + low, known + high


class SpectralDimension(ABC):
    """A dimension from the spectrum of W: of all points at once, at no scale. Small and frozen."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The field's name."""

    @property
    @abstractmethod
    def leading(self) -> int:
        """How many eigenvalues it needs where there are too many points for all."""

    @abstractmethod
    def bounds(self, spectrum: Spectrum) -> tuple[float, float]:
        """The ends between which the dimension lies; the same where the spectrum is known as far as it is needed."""

    def estimate(
        self,
        matrix: PairwiseMatrix,
        candidates: Candidates | None = None,
        report: Callable[[int, int], None] | None = None,
    ) -> DimensionEstimate:
        """See `estimate_dimension`; there are no candidates for neighbours here, and none may be given."""
        check_matrix(matrix)
        if candidates is not None:
            raise InputError(f"candidates: {type(candidates).__name__}; {self.name} has no neighbours, leave them out")
        size = matrix.shape[0]
        centred = CentredMatrix(matrix.values)
        if not centred.column_means.any():
            raise InputError("matrix: all points are identical; a dimension needs points that differ")
        spectrum = _spectrum(centred, self.leading)
        low, high = self.bounds(spectrum)
        value = (low + high) / 2
        relative, degrees, told = _relative_error(matrix, self, report)
        return DimensionEstimate(
            estimator=self.name,
            value=value,
            standard_error=relative * value,
            scale=float("nan"),
            n_points=size,
            degrees=degrees,
            warnings=(*_warnings(spectrum, low, high, self.leading), *told),
        )


@dataclass(frozen=True)
class ParticipationRatio(SpectralDimension):
    """(sum_i |lambda_i|)^2 / sum_i lambda_i^2, of the eigenvalues of W = -1/2 J D J of either sign.

    Of d directions of equal variance it is d; directions of less count for less, and many small ones (noise) add up.
    Exact up to 2000 points. Of more, the sum of squares is exact and sum |lambda| lies between bounds, from the 100
    leading eigenvalues and the trace; the value is the middle, and a warning tells the ends. For W without negative
    eigenvalues the lower bound of the sum is exact.

    The standard error is by leaving out up to 20 groups of whole runs, from up to 1000 of the points. It is too large,
    by up to a half, where the eigenvalues that count are all equal: the ratio is at its largest there, and flat.

    Source: Gao et al., bioRxiv 214262 (2017), eq. 5, for covariances, which have no negative eigenvalues.
    """

    name = "participation ratio"  # type: ignore[assignment]
    leading = LEADING  # type: ignore[assignment]

    def bounds(self, spectrum: Spectrum) -> tuple[float, float]:
        """From those of sum |lambda|."""
        low, high = spectrum.absolute_sum()
        return (low / spectrum.norm) ** 2, (high / spectrum.norm) ** 2


@dataclass(frozen=True)
class StableRank(SpectralDimension):
    """||W||_F^2 / ||W||_2^2 = sum_i lambda_i^2 / lambda_1^2, of W = -1/2 J D J, lambda_1 being largest in |value|.

    No more than the participation ratio, and hardly moved by many small eigenvalues: it asks how far the first axis is
    from being all. The standard error is by leaving out up to 20 groups of whole runs, from up to 1000 of the points;
    it is too large, by up to a half, where the first eigenvalues are equal.

    Source: Rudelson and Vershynin, Journal of the ACM 54 (2007) 21.
    """

    name = "stable rank"  # type: ignore[assignment]
    leading = 1  # type: ignore[assignment]

    def bounds(self, spectrum: Spectrum) -> tuple[float, float]:
        """Exact, from the first eigenvalue."""
        value = float((spectrum.norm / spectrum.values[0]) ** 2)
        return value, value


def _spectrum(centred: CentredMatrix, leading: int) -> Spectrum:
    """All eigenvalues up to EXACT_UP_TO points, else the leading ones."""
    trace = 0.5 * float(centred.column_means.sum())  # of W_ii = d_i - m / 2
    if centred.size <= EXACT_UP_TO:
        values: Array = np.linalg.eigvalsh(centred.scaled_rows(0, centred.size)).astype(np.float64)
        values = values[np.argsort(-np.abs(values), kind="stable")]
        return Spectrum(values, trace, float(np.linalg.norm(values)))
    found = leading_eigenpairs(centred, leading)
    return Spectrum(found.values, trace, centred.frobenius_norm(), centred.size - 1 - leading, found.converged)


def _relative_error(
    matrix: PairwiseMatrix, method: SpectralDimension, report: Callable[[int, int], None] | None
) -> tuple[float, int, tuple[str, ...]]:
    """SE / value, its degrees of freedom, and what was done or could not be done.

    Runs are put into groups at random, seeded. Of more than JACKKNIFE_UP_TO points, each run keeps as many of its own,
    evenly in the order of the table; where that leaves more runs than so many, as many runs are drawn, and the error
    falls as 1 / sqrt(runs).
    """
    run = run_numbers(matrix.points)
    n_runs, rng = int(run.max()) + 1, np.random.default_rng(0)
    n_groups = min(GROUPS, n_runs)
    if n_groups < 2:
        return float("nan"), 0, ("one run alone says nothing about the error",)
    chosen = np.sort(rng.permutation(n_runs)[:JACKKNIFE_UP_TO])
    rows = _thinned(run, chosen, max(JACKKNIFE_UP_TO // len(chosen), 1))
    part = np.arange(len(run)) if len(rows) == len(run) else rows
    d = np.asarray(matrix.values if len(rows) == len(run) else matrix.values[part][:, part])
    group = np.empty(n_runs, dtype=np.intp)
    group[chosen] = rng.permutation(len(chosen)) % n_groups
    group = group[run[part]]
    values = []
    for g in range(-1, n_groups):  # -1: none is left out
        left = np.flatnonzero(group != g)
        inside = d if g < 0 else d[np.ix_(left, left)]
        if not inside.any():
            return float("nan"), 0, ("too few runs differ to tell the error",)
        values.append(np.mean(method.bounds(_spectrum(CentredMatrix(inside), 1))))
        if report is not None:
            report(g + 2, n_groups + 1)
    found = jackknife(values[0], values[1:], np.bincount(group))
    told = () if len(part) == len(run) else (f"the standard error is from {len(part)} of the {len(run)} points",)
    return float(found.standard_error / values[0] * np.sqrt(len(chosen) / n_runs)), n_groups - 1, told


def _thinned(run: Indices, chosen: Indices, quota: int) -> Indices:
    """At most so many points of each run chosen, evenly in the order of the table."""
    kept = []
    for number in chosen.tolist():
        own = np.flatnonzero(run == number)
        take = min(quota, len(own))
        kept.append(own[np.arange(take) * len(own) // take])
    return np.sort(np.concatenate(kept))


def _warnings(spectrum: Spectrum, low: float, high: float, leading: int) -> tuple[str, ...]:
    told = []
    if high - low > CLOSE * high:
        told.append(
            f"from {leading} eigenvalues, and the trace and norm of all: it lies between {low:.4g} and {high:.4g}"
        )
    if not spectrum.converged:
        told.append("the leading eigenvalues did not converge")
    least, most = spectrum.absolute_sum()
    negative = max(1 - spectrum.trace / least, 0.0) / 2  # sum |lambda| = trace + 2 times the sum over the negative ones
    if negative > TOLD:
        about = "" if least == most else "at least "
        told.append(f"negative eigenvalues are {about}{100 * negative:.0f} % of the sum of all |eigenvalues|")
    return tuple(told)
