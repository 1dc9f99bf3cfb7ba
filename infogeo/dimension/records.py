"""Records: a dimension against something that changes, and a study by every estimator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infogeo.core.points import Points
from infogeo.dimension.estimate import DimensionEstimate
from infogeo.dimension.rows import Array


@dataclass(frozen=True, eq=False)
class DimensionCurve:
    """Estimates of one kind while one thing changes.

    Attributes:
        name: what is estimated, for example "across runs".
        variable: what changes: "scale", "progress", "runs" or "samples".
        at: its values [J], ascending: distances sqrt(divergence), progress, numbers of runs, or of probe samples.
        estimates: one for each [J].
        limit: the value for infinitely many, extrapolated, with its standard error; None where that makes no sense.
    """

    name: str
    variable: str
    at: Array
    estimates: tuple[DimensionEstimate, ...]
    limit: tuple[float, float] | None = None

    @property
    def values(self) -> Array:
        """The dimensions [J]."""
        return np.array([estimate.value for estimate in self.estimates])

    def band(self, level: float = 0.95) -> tuple[Array, Array]:
        """The lower and upper ends of the intervals [J] each; NaN where there is no error."""
        ends = np.array([estimate.interval(level) for estimate in self.estimates]).reshape(-1, 2)
        return ends[:, 0], ends[:, 1]


@dataclass(frozen=True, eq=False)
class DimensionNull:
    """The dimension against scale of data sets under a null model, beside the data on the same points.

    Attributes:
        model: what was done to the data, in words.
        curves: of each replicate.
        data: of the data, on the points and samples that were compared.
        explained_stress: of the data [K], on the same.
        null_stress: of the replicates [R, K].
    """

    model: str
    curves: tuple[DimensionCurve, ...]
    data: DimensionCurve
    explained_stress: Array
    null_stress: Array


@dataclass(frozen=True, eq=False)
class DimensionStudy:
    """How many dimensions, by every estimator that applies.

    Attributes:
        points: the P points.
        divergence: its name; distances are roots of it.
        n_samples: N, the number of probe samples; 0 where it is not known.
        across: the dimension across runs, at most one neighbour per other run; None for points that are no runs.
        total: the dimension of all points: that across runs plus one along them, or that of the cloud.
        estimates: every estimate, these two first.
        curves: against scale, progress, number of runs and number of samples, those that there are.
        null: the same under a null model; None without one.
        notes: what was left out, and why.
    """

    points: Points
    divergence: str
    n_samples: int
    across: DimensionEstimate | None
    total: DimensionEstimate
    estimates: tuple[DimensionEstimate, ...]
    curves: tuple[DimensionCurve, ...]
    null: DimensionNull | None = None
    notes: tuple[str, ...] = ()
