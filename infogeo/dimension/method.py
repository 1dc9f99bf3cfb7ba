"""estimate_dimension: one door to every estimator that takes a divergence matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from infogeo.core.arguments import told
from infogeo.core.errors import InputError
from infogeo.dimension.estimate import DimensionEstimate
from infogeo.dimension.extrapolated import ScaleExtrapolation
from infogeo.dimension.neighbours import Candidates, check_matrix
from infogeo.dimension.runs import few_runs
from infogeo.pairwise.matrix import PairwiseMatrix

METHODS = (
    "ScaleExtrapolation(), TwoNN(), MaximumLikelihood(20), Gride(2), CorrelationDimension(), ParticipationRatio() or "
    "StableRank()"
)
CANDIDATES = "AllPoints(), OtherRuns() or EqualProgress('progress')"


class DimensionMethod(Protocol):
    """An estimator with its parameters: small and frozen."""

    @property
    def name(self) -> str:
        """The field's name with its parameters."""
        ...

    def estimate(
        self,
        matrix: PairwiseMatrix,
        candidates: Candidates | None = None,
        report: Callable[[int, int], None] | None = None,
    ) -> DimensionEstimate:
        """See `estimate_dimension`."""
        ...


def estimate_dimension(
    matrix: PairwiseMatrix,
    method: DimensionMethod | None = None,
    candidates: Candidates | None = None,
    report: Callable[[int, int], None] | None = None,
) -> DimensionEstimate:
    """How many dimensions the points of a divergence matrix have, by one estimator.

    Local estimators look at distances, the roots of the divergences: ratios of the divergences themselves give half
    the dimension. The matrix may lie on disk; it is read by rows of tiles, a few at once.

    Args:
        matrix: square, of P points.
        method: `ScaleExtrapolation()`, which is the default, `TwoNN()`, `MaximumLikelihood(k)`, `Gride(n)`,
            `CorrelationDimension()`, `ParticipationRatio()` or `StableRank()`.
        candidates: what counts as a neighbour: `OtherRuns()`, one per other run, which gives the dimension *across*
            runs; `EqualProgress(column)`, the same at equal progress; or `AllPoints()`. By default one per other run
            where runs have two points or more on average, else all points.
        report: called with (points done, points in all).

    Raises:
        InputError: a rectangular matrix, all points identical, or fewer points or runs than the estimator takes.
    """
    check_matrix(matrix)
    chosen = ScaleExtrapolation() if method is None else method
    if isinstance(chosen, type) or not hasattr(chosen, "estimate"):
        raise InputError(f"method: {told(chosen)}; give one of {METHODS}")
    if isinstance(candidates, type) or not (candidates is None or hasattr(candidates, "among")):
        raise InputError(f"candidates: {told(candidates)}; give one of {CANDIDATES}")
    members = "runs" if len(matrix.points.runs) < matrix.shape[0] else "points"
    return few_runs(chosen.estimate(matrix, candidates, report), members)
