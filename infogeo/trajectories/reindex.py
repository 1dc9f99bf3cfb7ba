"""Reindexing: runs at equal progress, whatever the steps at which they were saved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.errors import InputError
from infogeo.core.predictions import LogProbReader, Predictions
from infogeo.geometry.geodesic import Geodesic
from infogeo.trajectories.progress import Progress

GRID = np.linspace(0, 1, 101)[1:]
"""Where trajectories are compared by default: 100 values of progress, evenly spaced (Mao et al. 2024)."""


@dataclass(frozen=True, eq=False)
class Crossing:
    """Where one run first reaches each value of a grid of progress.

    Between the checkpoints `before` and `after`, which follow each other, progress is taken to grow evenly along the
    geodesic that joins them.

    Attributes:
        before: row of the last checkpoint below each value [T].
        after: row of the first checkpoint at or above it [T].
        share: of the way from one to the other [T], from 0 to 1.
    """

    before: NDArray[np.intp]
    after: NDArray[np.intp]
    share: NDArray[np.float64]


def reached(progress: Progress) -> dict[str, tuple[float, float]]:
    """The progress of the first checkpoint and the largest progress of every run."""
    of_run = {run: progress.values[progress.points.of_run(run)] for run in progress.points.runs}
    return {run: (float(values[0]), float(values.max())) for run, values in of_run.items()}


def common_grid(progress: Progress, grid: ArrayLike = GRID) -> NDArray[np.float64]:
    """The values of a grid of progress that all runs pass: none starts after them, none ends before.

    Raises:
        InputError: there is none; the message names the runs that stand in the way.
    """
    ends = reached(progress)
    latest, furthest = max(ends, key=lambda run: ends[run][0]), min(ends, key=lambda run: ends[run][1])
    low, high = ends[latest][0], ends[furthest][1]
    values = np.asarray(grid, dtype=np.float64)
    chosen = values[(values >= low) & (values <= high)]
    if not len(chosen):
        raise InputError(
            f"progress: the runs share no value of it: '{latest}' starts at {low:.3f}, '{furthest}' does not get "
            f"beyond {high:.3f}; leave one of them out (in the shell --only), or give earlier and later checkpoints"
        )
    return chosen


def crossings(progress: Progress, grid: ArrayLike) -> dict[str, Crossing]:
    """For each run, where it first reaches each value of a grid of progress [T].

    Runs may go backwards: what counts is the first passage. A run that starts beyond a value is taken at its first
    checkpoint, and one that does not reach a value at the checkpoint of its largest progress; `common_grid` leaves
    such values out.
    """
    wanted = np.asarray(grid, dtype=np.float64)
    found = {}
    for run in progress.points.runs:
        rows = progress.points.of_run(run)
        values = progress.values[rows]
        so_far = np.maximum.accumulate(values)
        after = np.searchsorted(so_far, wanted, side="left")
        after = np.where(after == len(rows), int(values.argmax()), after)
        before = np.maximum(after - 1, 0)
        gap = values[after] - values[before]
        share = np.where(gap > 0, (wanted - values[before]) / np.where(gap > 0, gap, 1.0), 1.0)
        found[run] = Crossing(rows[before], rows[after], np.clip(share, 0.0, 1.0))
    return found


def reindexed(predictions: Predictions, progress: Progress, grid: ArrayLike = GRID) -> Predictions:
    """The predictions of every run at the same values of progress, by geodesic interpolation between checkpoints.

    With P_k and P_k+1 the checkpoints between which a run first reaches a value s,

        sqrt(P_s)_n = [sin((1 - a) G_n) sqrt(P_k)_n + sin(a G_n) sqrt(P_k+1)_n] / sin G_n,
        a = (s - s_k) / (s_k+1 - s_k),

    so that square roots go in, distributions come out, and rows sum to one. Nothing is computed before it is read: the
    result streams from the predictions, two checkpoints for each of its points.

    Args:
        predictions: P checkpoints.
        progress: theirs.
        grid: values of progress [T]; see `common_grid` for those that all runs pass.

    Returns:
        Predictions of R runs at T values each: `step` counts them, and the column `progress` tells them. Metadata that
        change along a run are left out.

    Raises:
        InputError: the progress is of other points, or the grid does not grow from 0 to 1.

    Source: Mao et al., PNAS 121 (2024) e2310002121, who repeat the last checkpoint where a run ends early.
    """
    values = np.atleast_1d(np.asarray(grid, dtype=np.float64))
    if len(progress.values) != predictions.n_points:
        raise InputError(f"progress: of {len(progress.values)} points, but predictions hold {predictions.n_points}")
    if values.ndim != 1 or not len(values) or values.min() < 0 or values.max() > 1 or np.any(np.diff(values) <= 0):
        raise InputError("grid: expected growing values of progress between 0 and 1")
    points, found = predictions.points, crossings(progress, values)
    runs = points.per_run().take(np.repeat(np.arange(len(found)), len(values)))
    table = runs.with_columns(step=np.tile(np.arange(len(values)), len(found)), progress=np.tile(values, len(found)))
    joined = Crossing(
        *(np.concatenate([getattr(c, name) for c in found.values()]) for name in ("before", "after", "share"))
    )
    return replace(predictions, log_probs=_Interpolated(predictions.log_probs, joined), points=table, fingerprints=())


@dataclass(frozen=True)
class _Interpolated:
    """Log-probabilities [P, N, C] between pairs of checkpoints, computed when they are read."""

    log_probs: LogProbReader
    at: Crossing

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.at.share), *self.log_probs.shape[1:])

    @property
    def nbytes(self) -> int:
        """The bytes in memory of what is interpolated."""
        return int(getattr(self.log_probs, "nbytes", 0))

    def __getitem__(self, block: slice | tuple[slice, slice], /) -> NDArray[np.float32]:
        points, samples = block if isinstance(block, tuple) else (block, slice(None))
        rows = range(len(self.at.share))[points]
        found = [self._point(row, samples) for row in rows]
        return np.stack(found) if found else np.empty((0, *self.log_probs[0:1, samples].shape[1:]), dtype=np.float32)

    def _point(self, row: int, samples: slice) -> NDArray[np.float32]:
        share = float(self.at.share[row])
        before, after = int(self.at.before[row]), int(self.at.after[row])
        if share in (0.0, 1.0):
            return self._checkpoint(after if share else before, samples)
        return Geodesic.between(self._checkpoint(before, samples), self._checkpoint(after, samples)).at(share)[0]

    def _checkpoint(self, row: int, samples: slice) -> Any:
        return np.asarray(self.log_probs[row : row + 1, samples])[0]
