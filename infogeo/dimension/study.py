"""dimension_study: the same question by every estimator, and against scale, progress, runs and samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.dimension.correlation import CorrelationDimension
from infogeo.dimension.estimate import DimensionEstimate
from infogeo.dimension.extrapolated import MOST_NEIGHBOURS, ScaleExtrapolation, resolved
from infogeo.dimension.gride import Gride
from infogeo.dimension.local import NEARER, estimate_locally
from infogeo.dimension.local_pca import local_pca
from infogeo.dimension.maximum_likelihood import MaximumLikelihood
from infogeo.dimension.neighbours import (
    AllPoints,
    EqualProgress,
    Neighbours,
    OtherRuns,
    check_matrix,
    default_candidates,
    nearest_neighbours,
)
from infogeo.dimension.records import DimensionCurve, DimensionNull, DimensionStudy
from infogeo.dimension.rows import Array
from infogeo.dimension.runs import few_runs, thinned, with_run
from infogeo.dimension.spectrum import ParticipationRatio, StableRank
from infogeo.dimension.stress import parallel_analysis, stress_dimension
from infogeo.dimension.two_nn import TwoNN
from infogeo.pairwise.matrix import PairwiseMatrix

Report = Callable[[int, int], None]
Stage = Callable[[str], AbstractContextManager[Report]]
"""Names a part of the work and gives a function (done, in all) for its progress."""

PROGRESS = "progress"
"""The column that a study against progress takes."""
PARTS = 8
"""Of the points by progress, and of the runs."""
LIKELIHOOD_NEIGHBOURS = 10
SETTLED = 0.1
"""Of a dimension, the most that its last step may change where a limit is taken."""
LEAST_RUNS = 12
"""From which the curve against the number of runs begins; it takes twice as many."""
STRESS_LEVEL = 0.9
NAMED = 3
"""Pairs of runs that a note names."""


def _unheard(done: int, total: int) -> None:
    """Progress that nobody asked for."""


class Mapped(Protocol):
    """What a study takes from an embedding."""

    @property
    def points(self) -> Points:
        """The points [P]."""
        ...

    @property
    def coords(self) -> NDArray[np.float64]:
        """Coordinates [P, K]."""
        ...

    @property
    def signature(self) -> NDArray[np.int64]:
        """+1 or -1 [K]."""
        ...

    @property
    def explained_stress(self) -> NDArray[np.float64]:
        """For k = 1..K."""
        ...


def dimension_study(
    matrix: PairwiseMatrix,
    *,
    embedding: Mapped | None = None,
    samples: Sequence[tuple[int, PairwiseMatrix]] = (),
    null: DimensionNull | None = None,
    seed: int = 0,
    stage: Stage | None = None,
) -> DimensionStudy:
    """How many dimensions the points have, by every estimator that applies, with what it depends on.

    Where runs have two points or more on average the local estimators take one neighbour per other run (`OtherRuns`):
    that is the dimension *across* runs, and the total is one more. For a cloud they take all points. An estimator for
    which there are too few points or runs is left out, and the notes say so.

    Args:
        matrix: the divergences [P, P], in memory or on disk.
        embedding: a map of the same points, for explained stress and local PCA.
        samples: the divergences of the same points by fewer probe samples, as (how many, matrix).
        null: the same under a null model, see `dimension_null`.
        seed: of the runs that are drawn, and of thinning.
        stage: told of each part of the work.

    Raises:
        InputError: a rectangular matrix, all points identical, one run alone, or fewer points than TwoNN takes.
    """
    check_matrix(matrix)
    _check_samples(matrix, samples)
    work = _Work(matrix, stage or _silent)
    found, curves = work.local()
    curves += work.against_progress() + work.against_runs(seed) + work.against_samples(samples)
    total = with_run(found[0]) if work.has_runs else found[0]
    estimates = [*found[:1], *([total] if work.has_runs else []), *found[1:]]
    estimates += work.whole(seed) + work.of_map(embedding, null)
    return DimensionStudy(
        points=matrix.points,
        divergence=matrix.divergence,
        n_samples=matrix.n_samples,
        across=found[0] if work.has_runs else None,
        total=total,
        estimates=tuple(estimates),
        curves=tuple(curves),
        null=null,
        notes=tuple(work.notes),
    )


def scale_curve(found: Neighbours, name: str) -> DimensionCurve:
    """Gride of orders 1, 2, 4, ...: the dimension against the distance, up to the nearer part of the candidates.

    Raises:
        InputError: too few points, or fewer than two candidates.
    """
    estimates: list[DimensionEstimate] = []
    order, failure = 1, f"one candidate for a neighbour ({found.among}); a dimension takes two"
    while 2 * order <= min(found.distances.shape[1], max(2, NEARER * found.n_candidates)):
        try:
            estimates.append(estimate_locally(found, Gride(order)))
        except InputError as error:
            failure = _reason(error)
        order *= 2
    if not estimates:
        raise InputError(f"matrix: {failure}")
    return DimensionCurve(name, "scale", np.array([estimate.scale for estimate in estimates]), tuple(estimates))


def best(found: Neighbours) -> DimensionEstimate:
    """The estimate that is recommended: extrapolated to scale zero, or TwoNN where there are too few candidates.

    NaN where there is no single number: what Gride says at one of the scales is not an answer then.
    """
    try:
        estimate = ScaleExtrapolation().from_neighbours(found)
    except InputError:
        return few_runs(estimate_locally(found, TwoNN()), found.members)
    return few_runs(_resolved(estimate, found), found.members)


def nearest_runs(found: Neighbours, points: Points) -> str:
    """The pairs of runs that are nearest to each other, a few of them in words.

    The distance of a pair is the mean over the points of both, and a pair counts where half of these have the other run
    among their neighbours.
    """
    names, size = points.runs, len(points.runs)
    known = np.isfinite(found.distances) & (found.runs != found.own_run[:, None])
    own = np.broadcast_to(found.own_run[:, None], known.shape)[known]
    other = found.runs[known]
    pairs = np.minimum(own, other) * size + np.maximum(own, other)
    keys, at, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    first, second = np.divmod(keys, size)
    members = np.bincount(found.own_run, minlength=size)
    enough = 2 * counts >= members[first] + members[second]
    apart = np.where(enough, np.bincount(at, found.distances[known]) / counts, np.inf)
    nearest = [pair for pair in np.argsort(apart, kind="stable")[:NAMED] if np.isfinite(apart[pair])]
    return ", ".join(f"{names[first[i]]} and {names[second[i]]} ({apart[i]:.2g})" for i in nearest)


def _resolved(estimate: DimensionEstimate, found: Neighbours) -> DimensionEstimate:
    """The estimate, with a warning where it is more than so many candidates can tell."""
    most = resolved(found.n_candidates)
    if not estimate.value > most:
        return estimate
    told = f"more than {found.n_candidates} candidates for neighbours can tell, about {most:.0f}: read it as many"
    return replace(estimate, warnings=(*estimate.warnings, told))


def _check_samples(matrix: PairwiseMatrix, samples: Sequence[tuple[int, PairwiseMatrix]]) -> None:
    """Matrices of the same points, by fewer samples."""
    if samples and not matrix.n_samples:
        raise InputError("samples: the matrix does not know how many samples it is of itself; set its n_samples")
    for count, other in samples:
        if not 0 < count < matrix.n_samples:
            raise InputError(f"samples: {count}; give fewer than the {matrix.n_samples} of the matrix")
        if other.shape != matrix.shape:
            raise InputError(f"samples: the matrix of {count} has shape {other.shape}, expected {matrix.shape}")


class _Work:
    """The parts of a study."""

    def __init__(self, matrix: PairwiseMatrix, stage: Stage) -> None:
        self.matrix, self.points, self.stage = matrix, matrix.points, stage
        self.candidates = default_candidates(self.points)
        self.has_runs = isinstance(self.candidates, OtherRuns)
        self.name = "across runs" if self.has_runs else "all points"
        self.notes: list[str] = []
        if not self.has_runs and len(self.points.runs) < len(self.points):
            self.notes.append("most runs have one checkpoint: all points count as a cloud, also those of one run")
        with stage("neighbours") as report:
            self.found = nearest_neighbours(matrix, MOST_NEIGHBOURS, self.candidates, report=report)
        self.first = best(self.found)

    def tried(self, *attempts: Callable[[], DimensionEstimate]) -> list[DimensionEstimate]:
        """The estimates that can be made; a note for each that cannot."""
        made = []
        for attempt in attempts:
            try:
                made.append(attempt())
            except InputError as error:
                self.notes.append(f"left out: {_reason(error)}")
        return made

    def curve(
        self,
        name: str,
        variable: str,
        at: Sequence[float],
        attempts: Sequence[Callable[[], DimensionEstimate]],
        report: Report = _unheard,
    ) -> list[DimensionCurve]:
        """The curve of the estimates that can be made, if any; one note for those that cannot."""
        places, estimates, failures = [], [], []
        for done, (place, attempt) in enumerate(zip(at, attempts, strict=True)):
            try:
                estimates.append(attempt())
                places.append(float(place))
            except InputError as error:
                failures.append(_reason(error))
            report(done + 1, len(attempts))
        if failures:
            self.notes.append(
                f"against {variable}, {len(failures)} of {len(attempts)} estimates are left out: {failures[0]}"
            )
        return [DimensionCurve(name, variable, np.array(places), tuple(estimates))] if places else []

    def local(self) -> tuple[list[DimensionEstimate], list[DimensionCurve]]:
        """The local estimates, the best one first, and the dimension against scale."""
        found, curves = self.found, [scale_curve(self.found, self.name)]
        if np.isnan(self.first.value):
            self.notes.append("no single number can be followed: the other curves are of Gride, at one order each")
            if nearest := nearest_runs(found, self.points):
                self.notes.append(f"nearest to each other, on average: {nearest}")
        others = self.tried(
            lambda: estimate_locally(found, TwoNN()),
            lambda: estimate_locally(found, MaximumLikelihood(LIKELIHOOD_NEIGHBOURS)),
        )
        if self.has_runs:
            with self.stage("neighbours among all points") as report:
                every = nearest_neighbours(self.matrix, MOST_NEIGHBOURS, AllPoints(), report=report)
            curves.append(scale_curve(every, "all points"))
        return [self.first, *(other for other in others if other.estimator != self.first.estimator)], curves

    def against_progress(self) -> list[DimensionCurve]:
        """The dimension across runs at equal progress, by parts of equally many points."""
        if not (self.has_runs and PROGRESS in self.points.columns):
            return []
        try:
            with self.stage("neighbours at equal progress") as report:
                found = nearest_neighbours(self.matrix, MOST_NEIGHBOURS, EqualProgress(PROGRESS), report=report)
        except InputError as error:
            self.notes.append(f"against progress, nothing can be told: {_reason(error)}")
            return []
        progress = self.points[PROGRESS][found.rows]
        parts = np.array_split(np.argsort(progress, kind="stable"), PARTS)
        return self.curve(
            "at equal progress",
            "progress",
            [float(np.median(progress[part])) for part in parts],
            [lambda part=part: self.followed(found.take(part), found.n_candidates) for part in parts],
        )

    def against_runs(self, seed: int) -> list[DimensionCurve]:
        """The dimension from fewer runs, or points of a cloud: a nested draw."""
        runs = np.array(self.points.runs)
        order = np.random.default_rng(seed).permutation(len(runs))
        if len(runs) < 2 * LEAST_RUNS:
            return []
        counts = np.unique(np.geomspace(LEAST_RUNS, len(runs), PARTS).astype(int)).tolist()
        chosen = [np.isin(self.points["run"], runs[order[:count]]) for count in counts]
        fewest = counts[0] - 1
        attempts = [lambda rows=rows: self.of_neighbours(self.matrix, fewest, rows) for rows in chosen]
        with self.stage("fewer runs" if self.has_runs else "fewer points") as report:
            return self.curve(self.name, "runs", counts, attempts, report)

    def against_samples(self, samples: Sequence[tuple[int, PairwiseMatrix]]) -> list[DimensionCurve]:
        """The dimension by fewer probe samples, and its limit for infinitely many."""
        if not samples:
            return []
        by_count = sorted([*samples, (self.matrix.n_samples, self.matrix)], key=lambda pair: pair[0])
        fewest = len(self.points.runs) - 1
        attempts = [lambda matrix=matrix: self.of_neighbours(matrix, fewest) for _, matrix in by_count]
        with self.stage("fewer samples") as report:
            found = self.curve(self.name, "samples", [count for count, _ in by_count], attempts, report)
        return [replace(curve, limit=limit_of(curve.at, curve.estimates)) for curve in found]

    def of_neighbours(
        self, matrix: PairwiseMatrix, fewest: int, rows: NDArray[np.bool_] | None = None
    ) -> DimensionEstimate:
        """The estimate that is followed, of a matrix, from some of its rows."""
        return self.followed(nearest_neighbours(matrix, MOST_NEIGHBOURS, self.candidates, rows), fewest)

    def followed(self, found: Neighbours, fewest: int) -> DimensionEstimate:
        """The best estimate; where it has no answer for all points, Gride of the largest order that a curve allows.

        Args:
            found: the neighbours.
            fewest: the least number of candidates along the curve.
        """
        if not np.isnan(self.first.value):
            return best(found)
        most = min(NEARER * fewest, MOST_NEIGHBOURS)
        return few_runs(estimate_locally(found, Gride(2 ** int(np.log2(max(most, 2) / 2)))), found.members)

    def whole(self, seed: int) -> list[DimensionEstimate]:
        """The estimates that look at all pairs, or at the spectrum."""
        made = []
        with self.stage("all pairs") as report:
            made += self.tried(lambda: CorrelationDimension().estimate(self.matrix, report=report))
        if self.has_runs:
            made += self.tried(lambda: self.of_thinned(seed))
        with self.stage("spectrum") as report:
            made += self.tried(
                lambda: ParticipationRatio().estimate(self.matrix, report=report),
                lambda: StableRank().estimate(self.matrix, report=report),
            )
        return made

    def of_thinned(self, seed: int) -> DimensionEstimate:
        """TwoNN of the checkpoints that are as far apart along runs as across them."""
        rows = thinned(self.matrix, seed=seed)
        found = estimate_locally(nearest_neighbours(self.matrix, 2, AllPoints(), rows), TwoNN())
        return replace(found, estimator=f"{found.estimator}, after thinning")

    def of_map(self, embedding: Mapped | None, null: DimensionNull | None) -> list[DimensionEstimate]:
        """The estimates from a map, and beside a null."""
        made = []
        if embedding is not None:
            made += self.tried(
                lambda: stress_dimension(embedding.explained_stress, STRESS_LEVEL), lambda: self.of_coords(embedding)
            )
        if null is not None:
            stress = null.explained_stress
            made += self.tried(lambda: stress_dimension(stress, STRESS_LEVEL, null=null.null_stress))
            if len(null.null_stress) > 1:  # a null without chance has a single replicate, and no quantile
                made += self.tried(lambda: parallel_analysis(stress, null.null_stress))
        return made

    def of_coords(self, embedding: Mapped) -> DimensionEstimate:
        """Local PCA of the points that differ: repeated ones differ in a map by rounding."""
        rows = self.found.rows
        found = local_pca(embedding.coords[rows], embedding.points.take(rows), signature=embedding.signature)
        return replace(found, excluded=found.excluded + len(self.points) - len(rows))


def _reason(error: InputError) -> str:
    """What is wrong, without the argument's name: it is our own here."""
    return str(error).removeprefix("matrix: ")


def limit_of(counts: Array, estimates: Sequence[DimensionEstimate]) -> tuple[float, float] | None:
    """The dimension for infinitely many samples, with its standard error: a line in 1 / N, weighted by 1 / SE^2.

    The estimates are of the same points, so their errors are one: that of the largest N, together with half of the
    distance to the limit, in squares. None where the last step still changes the dimension by more than a tenth, or by
    more than half of the standard error, whichever is more: then nothing is known about the limit.
    """
    values = np.array([estimate.value for estimate in estimates])
    errors = np.array([estimate.standard_error for estimate in estimates])
    if len(values) < 2 or not np.isfinite(errors).all() or not errors.all():
        return None
    if abs(values[-1] - values[-2]) > max(SETTLED * abs(values[-1]), errors[-1] / 2):
        return None
    limit = float(np.polynomial.polynomial.polyfit(1 / counts, values, 1, w=1 / errors)[0])
    return limit, float(np.hypot(errors[-1], (limit - values[-1]) / 2))


@contextmanager
def _silent(_: str) -> Iterator[Report]:
    yield _unheard
