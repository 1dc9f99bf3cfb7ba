"""Progress: how far along its way each checkpoint is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.checks import to_log_probs
from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.core.points import Points
from infogeo.core.predictions import Predictions, fingerprint
from infogeo.geometry.geodesic import Geodesic
from infogeo.geometry.progress import NEAR, ArcProgress, GeodesicProgress, Plane, nearest

NUMBERS_AT_ONCE = 2**20
"""Numbers of predictions that are looked at at a time."""
PUBLISHED = ArcProgress()
ROAD = "geodesic"
"""The run name of the points of a geodesic."""


@dataclass(frozen=True)
class AccuracyProgress:
    """The accuracy of a checkpoint: the share of samples whose most probable class is the true one."""

    unit: ClassVar[str] = ""


@dataclass(frozen=True)
class StepProgress:
    """step / the largest step of all runs: time, for comparison with progress in what is predicted."""

    unit: ClassVar[str] = ""


@dataclass(frozen=True, eq=False)
class Progress:
    """How far along its way each checkpoint is.

    Attributes:
        points: one row per checkpoint.
        values: progress [P], from 0 to 1.
        distance: how far each is from the geodesic where it is nearest [P], in the definition's `unit`; NaN for a
            progress that is not along a geodesic.
        definition: which progress.
    """

    points: Points
    values: NDArray[np.float64]
    distance: NDArray[np.float64]
    definition: GeodesicProgress | AccuracyProgress | StepProgress

    def setbacks(self) -> dict[str, float]:
        """The runs that go backwards, with the largest loss of progress from an earlier to a later checkpoint."""
        lost = {}
        for run in self.points.runs:
            values = self.values[self.points.of_run(run)]
            lost[run] = float(np.max(np.maximum.accumulate(values) - values))
        return {run: loss for run, loss in lost.items() if loss > 0}


def geodesic(
    predictions: Predictions,
    start: Predictions | ArrayLike | None = None,
    end: Predictions | ArrayLike | None = None,
) -> Geodesic:
    """The geodesic between two predictions, by default from ignorance to truth.

    Args:
        predictions: whose probe set and labels; its checkpoints do not matter.
        start: one point, or log-probabilities [N, C] in nats; by default ignorance, every class alike.
        end: the same; by default truth, certain of the labels.

    Raises:
        InputError: labels are not known and no end is given, or an end is not on the probe set.
    """
    if end is None and predictions.labels is None:
        raise InputError("labels: truth needs the true class of each sample; give labels, or an end point (end=)")
    references = predictions.references()
    first = references.log_probs[0:1][0] if start is None else _one(start, "start", predictions)
    last = references.log_probs[1:2][0] if end is None else _one(end, "end", predictions)
    return Geodesic.between(first, last)


def geodesic_points(predictions: Predictions, along: Geodesic, count: int = 100) -> Predictions:
    """Points of a geodesic, evenly spaced in t from 0 to 1, as checkpoints of a run `geodesic` for any map.

    Args:
        predictions: whose classes and labels they share.
        along: the geodesic, on the same probe set.
        count: how many, at least 2.
    """
    if count < 2:
        raise InputError(f"count: {count} points make no path; give at least 2")
    times = np.linspace(0, 1, count)
    log_probs = along.at(times)
    points = Points.of_runs([ROAD], [np.arange(count)]).with_columns(progress=times)
    return Predictions(
        log_probs=log_probs,
        points=points,
        label_space=predictions.label_space,
        labels=predictions.labels,
        fingerprints=tuple(fingerprint(row) for row in log_probs),
        coarse_graining=predictions.coarse_graining,
    )


def progress_of(
    predictions: Predictions,
    definition: GeodesicProgress | AccuracyProgress | StepProgress = PUBLISHED,
    along: Geodesic | None = None,
    report: Callable[[int, int], None] | None = None,
) -> Progress:
    """The progress of every checkpoint, from 0 to 1.

    Along a geodesic it is the parameter t of the nearest point, to 1e-6: `ArcProgress` is
    nearest in the mean angle, `BhattacharyyaProgress` in the mean divergence. The two differ: late in training, the
    second is smaller. Progress need not grow with the step.

    Args:
        predictions: P checkpoints; they are read once, block by block.
        definition: `ArcProgress()`, `BhattacharyyaProgress()`, `AccuracyProgress()` or `StepProgress()`.
        along: the geodesic; by default from ignorance to truth.
        report: called with (checkpoints done, checkpoints in all).

    Raises:
        InputError: labels are needed and not known, or the geodesic is on another probe set.
    """
    points, unknown = predictions.points, np.full(predictions.n_points, np.nan)
    if isinstance(definition, StepProgress):
        return Progress(points, points["step"] / max(int(points["step"].max()), 1), unknown, definition)
    if isinstance(definition, AccuracyProgress):
        return Progress(points, predictions.scores()[0], unknown, definition)
    road = geodesic(predictions) if along is None else along
    if road.start.shape != (predictions.n_samples, predictions.n_classes):
        raise InputError(
            f"along: the geodesic has shape {road.start.shape}, but predictions have N={predictions.n_samples}, "
            f"C={predictions.n_classes}"
        )
    if road.length == 0:
        raise InputError("along: the geodesic has no length, its two ends predict the same")
    values, distance = np.empty(predictions.n_points), np.empty(predictions.n_points)
    size = max(1, NUMBERS_AT_ONCE // (predictions.n_samples * predictions.n_classes))
    plane, near_ends = Plane.of(road), bool(road.angles.min() < NEAR)
    for start in range(0, predictions.n_points, size):
        stop = min(start + size, predictions.n_points)
        rows = slice(max(0, stop - size), stop)  # the last block is a whole one too: one shape, one compilation
        values[rows], *angles = nearest(definition, np.asarray(predictions.log_probs[rows]), plane, near_ends)
        distance[rows] = definition.distance(*map(np.asarray, angles))
        if report is not None:
            report(stop, predictions.n_points)
    return Progress(points, values, distance, definition)


def with_progress(predictions: Predictions, found: Progress) -> Predictions:
    """The same predictions with a column `progress` in their points."""
    return replace(predictions, points=predictions.points.with_columns(progress=found.values))


def _one(given: Predictions | ArrayLike, name: str, predictions: Predictions) -> NDArray[np.float32]:
    """The log-probabilities [N, C] of one prediction on the probe set."""
    expected = (predictions.n_samples, predictions.n_classes)
    if isinstance(given, Predictions):
        if given.n_points != 1:
            raise InputError(f"{name}: holds {given.n_points} checkpoints, expected one")
        given = given.log_probs[0:1][0]
    values = np.asarray(given)
    if values.shape != expected:
        raise InputError(f"{name}: has shape {values.shape}, expected {expected}: the same probe set")
    return to_log_probs(values[None], Kind.LOG_PROBABILITIES, name).values[0]
