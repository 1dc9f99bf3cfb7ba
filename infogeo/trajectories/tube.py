"""Tubes: how far the runs of a configuration spread around their mean, along progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.core.predictions import Predictions
from infogeo.geometry.centroids import MeanKind, mean_prediction
from infogeo.geometry.steps import step_terms
from infogeo.trajectories.configuration import configurations


@dataclass(frozen=True, eq=False)
class Tubes:
    """How far each run is from the mean of its configuration, at T values of progress.

    Attributes:
        runs: one row per run.
        configuration: which configuration each run belongs to [R].
        labels: the names of the configurations [K].
        grid: the values of progress [T].
        spread: Bhattacharyya divergence to the mean of the configuration [R, T], nats; NaN where a run is alone. The
            mean contains the run: with M runs the spread is about (M - 1) / M of that around the mean of very many.
    """

    runs: Points
    configuration: NDArray[np.intp]
    labels: list[str]
    grid: NDArray[np.float64]
    spread: NDArray[np.float64]

    @property
    def widths(self) -> NDArray[np.float64]:
        """The mean spread of each configuration [K, T]."""
        return np.stack([self.spread[self.configuration == k].mean(axis=0) for k in range(len(self.labels))])


def tubes(
    at_equal: Predictions,
    factors: Sequence[str],
    kind: MeanKind | None = None,
    report: Callable[[int, int], None] | None = None,
) -> Tubes:
    """The spread of runs around the mean trajectory of their configuration.

    Args:
        at_equal: R runs at the same T values of progress, from `reindexed`.
        factors: the columns that make a configuration; runs that agree in all of them belong to one.
        kind: of mean; by default arithmetic, as published.
        report: called with (values of progress done, all).

    Raises:
        InputError: runs of different lengths, or a factor that is no column.

    Source: Mao et al., PNAS 121 (2024) e2310002121.
    """
    points = at_equal.points
    rows = [points.of_run(run) for run in points.runs]
    if len({len(own) for own in rows}) != 1:
        raise InputError("runs: have different numbers of points; take them at equal progress with `reindexed`")
    table = np.stack(rows)
    runs = points.take(table[:, 0])
    found = configurations(runs, factors)
    spread = np.full(table.shape, np.nan)
    for t in range(table.shape[1]):
        for k in range(len(found)):
            members = np.flatnonzero(found.codes == k)
            if len(members) < 2:
                continue
            log_p = np.stack([np.asarray(at_equal.log_probs[row : row + 1])[0] for row in table[members, t].tolist()])
            mean = mean_prediction(log_p, kind).log_p.astype(np.float32)
            spread[members, t] = [step_terms(own, mean).bhattacharyya.mean() for own in log_p]
        if report is not None:
            report(t + 1, table.shape[1])
    return Tubes(runs, found.codes, found.labels, points["progress"][table[0]], spread)
