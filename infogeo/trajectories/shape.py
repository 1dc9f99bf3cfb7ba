"""The shape of a trajectory in the Fisher metric: length, speed, curvature, tortuosity, and where time is spent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from infogeo.core.points import Points
from infogeo.core.predictions import Predictions
from infogeo.geometry.steps import step_terms
from infogeo.geometry.turning import Turn, turn
from infogeo.trajectories.progress import Progress

NEAR = 0.1
"""Progress below this is near ignorance, and above one minus this near truth."""
NUMBERS_AT_ONCE = 2**22
"""Numbers of a run that are held at a time."""


@dataclass(frozen=True, eq=False)
class Shapes:
    """The shapes of R runs, and what they are made of at their P checkpoints.

    The Fisher length of a step is sqrt(mean over samples of (2 arccos BC)^2): from one certainty to another it is pi.

    Attributes:
        points: one row per checkpoint.
        travelled: Fisher length from the first checkpoint of the run to each [P].
        speed: Fisher length of the step to each checkpoint, per unit of `step` [P]; NaN at the first.
        curvature: turning angle at each checkpoint per Fisher length, 1 / length [P]; NaN at both ends. The length is
            the mean of the two steps there.
        runs: one row per run.
        length: Fisher length of the path [R], the sum of its steps: a lower bound of that of the path in between.
        coarse_length: the same with every second checkpoint alone [R]; a large difference says that checkpoints are
            too few to tell the length.
        direct: Fisher length of the geodesic from the first checkpoint to the last [R].
        near_ignorance, near_truth: share of the steps of training at which progress is below 0.1, above 0.9 [R],
            between checkpoints as at the checkpoint before; NaN without progress.
    """

    points: Points
    travelled: NDArray[np.float64]
    speed: NDArray[np.float64]
    curvature: NDArray[np.float64]
    runs: Points
    length: NDArray[np.float64]
    coarse_length: NDArray[np.float64]
    direct: NDArray[np.float64]
    near_ignorance: NDArray[np.float64]
    near_truth: NDArray[np.float64]

    @property
    def tortuosity(self) -> NDArray[np.float64]:
        """length / direct [R]: 1 for a geodesic, and more for a detour; infinite for a run that ends where it began."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.length / self.direct


def shapes(
    predictions: Predictions,
    progress: Progress | None = None,
    report: Callable[[int, int], None] | None = None,
) -> Shapes:
    """Length, speed, curvature and tortuosity of every run, in one pass over its checkpoints, in float64.

    Steps are taken in difference form, see `trajectory_steps`. Memory is 16 MB, or one sample of a run if that is more.

    Args:
        predictions: P checkpoints.
        progress: theirs, for the time spent near ignorance and truth.
        report: called with (runs done, runs in all).
    """
    points = predictions.points
    travelled, speed, curvature = (np.full(len(points), np.nan) for _ in range(3))
    rows = [points.of_run(run) for run in points.runs]
    found = np.empty((5, len(rows)))
    for r, own in enumerate(rows):
        steps, turns, coarse, direct = _walk(predictions, own)
        travelled[own] = np.concatenate([[0.0], np.cumsum(steps)])
        with np.errstate(divide="ignore", invalid="ignore"):
            speed[own[1:]] = steps / np.diff(points["step"][own])
            curvature[own[1:-1]] = turns / ((steps[:-1] + steps[1:]) / 2)
        near = (np.nan, np.nan) if progress is None else _time_near_ends(points["step"][own], progress.values[own])
        found[:, r] = steps.sum(), coarse, direct, *near
        if report is not None:
            report(r + 1, len(rows))
    return Shapes(points, travelled, speed, curvature, points.per_run(), *found)


def _walk(
    predictions: Predictions, rows: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
    """Fisher steps [T - 1] and turning angles [T - 2] of a run, its length by every second checkpoint, its chord."""
    count = len(rows)
    few = max(1, NUMBERS_AT_ONCE // (predictions.n_classes * count))
    steps, turns = np.zeros(count - 1), np.zeros((max(count - 2, 0), 3))
    pairs = [*zip(range(0, count, 2), range(2, count, 2), strict=False)]
    if count > 1 and count % 2 == 0:
        pairs.append((count - 2, count - 1))
    coarse, direct = np.zeros(len(pairs)), 0.0
    for first in range(0, predictions.n_samples, few):
        samples = slice(first, min(first + few, predictions.n_samples))
        log_p = [np.asarray(predictions.log_probs[row : row + 1, samples])[0] for row in rows.tolist()]
        steps += [step_terms(b, a).sq_fisher.sum() for a, b in pairwise(log_p)]
        coarse += [step_terms(log_p[j], log_p[i]).sq_fisher.sum() for i, j in pairs]
        direct += float(step_terms(log_p[-1], log_p[0]).sq_fisher.sum())
        if len(turns):
            turns += [turn(*log_p[i : i + 3]) for i in range(count - 2)]
    n = predictions.n_samples
    angles = np.array([Turn(*sums).angle for sums in turns.tolist()])
    return np.sqrt(steps / n), angles, float(np.sqrt(coarse / n).sum()), float(np.sqrt(direct / n))


def _time_near_ends(steps: NDArray[np.int64], progress: NDArray[np.float64]) -> tuple[float, float]:
    """The shares of the time of a run at which progress is near 0 and near 1."""
    times = np.diff(steps)
    if not times.sum():
        return float("nan"), float("nan")
    at = progress[:-1]
    return float(times[at < NEAR].sum() / times.sum()), float(times[at > 1 - NEAR].sum() / times.sum())
