"""Steps along trajectories: how far each checkpoint is from the one before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infogeo.core.arguments import check_record
from infogeo.core.points import Points
from infogeo.core.predictions import Predictions
from infogeo.geometry.steps import step_terms

STEP_NUMBERS = 2**20
"""Numbers of one checkpoint that are looked at in float64 at a time."""


@dataclass(frozen=True, eq=False)
class Steps:
    """For each point the step from the checkpoint before it in its run; NaN at the first checkpoint of a run.

    Attributes:
        points: one row per checkpoint.
        bhattacharyya: -log BC [P], a divergence (a squared distance) in nats, mean over samples.
        hellinger: 1 - BC [P], a divergence, mean over samples.
        fisher: the Fisher length [P], the root of the mean over samples of (2 arccos BC)^2: a distance, not squared.
    """

    points: Points
    bhattacharyya: NDArray[np.float64]
    hellinger: NDArray[np.float64]
    fisher: NDArray[np.float64]


def trajectory_steps(predictions: Predictions, progress: Callable[[int, int], None] | None = None) -> Steps:
    """The steps between consecutive checkpoints of every run, in the order of its `step` column.

    With BC_n = sum_c sqrt(p_n(c) q_n(c)): mean -log BC_n, mean 1 - BC_n, sqrt(mean (2 arccos BC_n)^2). A matrix of
    divergences is good to 1e-6, and late in training steps are far shorter: these come from differences, in float64,
    and are within 1e-6 relative of exact arithmetic on the same stored numbers, down to divergences of 1e-12 (far
    within and far down, see `infogeo.geometry.step_terms`). Short steps obey fisher^2 = 8 bhattacharyya =
    8 hellinger; the sum of `fisher` along a run is at most the Fisher length of its path, and tends to it as
    checkpoints get denser.

    The cost is linear in P; memory is a few blocks of 8 MB, or of one sample if its classes fill more.

    Args:
        predictions: P checkpoints on one probe set.
        progress: called with (checkpoints done, checkpoints in all).
    """
    check_record("predictions", predictions, Predictions)
    points, reader = predictions.points, predictions.log_probs
    sums = np.zeros((3, predictions.n_points))
    few = max(1, STEP_NUMBERS // predictions.n_classes)
    done = 0
    for run in points.runs:
        rows = points.of_run(run).tolist()
        sums[:, rows[0]] = np.nan
        for first in range(0, predictions.n_samples, few):
            samples = slice(first, min(first + few, predictions.n_samples))
            before = np.asarray(reader[rows[0] : rows[0] + 1, samples])[0]
            for row in rows[1:]:
                here = np.asarray(reader[row : row + 1, samples])[0]
                sums[:, row] += [term.sum() for term in step_terms(here, before)]
                before = here
        done += len(rows)
        if progress is not None:
            progress(done, predictions.n_points)
    bhattacharyya, hellinger, sq_fisher = sums / predictions.n_samples
    return Steps(points, bhattacharyya, hellinger, np.sqrt(sq_fisher))
