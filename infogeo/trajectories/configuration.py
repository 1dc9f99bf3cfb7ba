"""Configurations: runs that were trained alike but for their seed, and the divergences between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.pairwise.matrix import PairwiseMatrix


@dataclass(frozen=True, eq=False)
class Configurations:
    """The K distinct combinations of F factors among R runs, sorted factor by factor.

    Attributes:
        factors: the names of the columns [F].
        levels: the distinct values of each factor, sorted: F arrays [L_f].
        level_codes: which level of each factor a configuration has [K, F].
        codes: which configuration each run has [R].
    """

    factors: tuple[str, ...]
    levels: tuple[NDArray[Any], ...]
    level_codes: NDArray[np.intp]
    codes: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.level_codes)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """The value of each factor, one per configuration: {factor: [K]}."""
        pairs = zip(self.factors, self.levels, self.level_codes.T, strict=True)
        return {factor: values[codes] for factor, values, codes in pairs}

    @property
    def labels(self) -> list[str]:
        """The values of a configuration joined by " / " [K]."""
        columns = [values.tolist() for values in self.columns.values()]
        return [" / ".join(map(str, row)) for row in zip(*columns, strict=True)]


def levels(points: Points, column: str, argument: str = "factor") -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The distinct values of a column, sorted [L], and which of them each run has [R].

    Args:
        points: one row per run.
        column: its name.
        argument: what an error calls it.

    Raises:
        InputError: no such column, or a run without a value in it.
    """
    if column not in points.columns:
        raise InputError(f"{argument}: there is no column '{column}'; there are {', '.join(points.columns)}")
    values = points[column]
    if values.dtype.kind == "O":
        values = values.astype(str)
    missing = np.isnan(values) if values.dtype.kind == "f" else values == "" if values.dtype.kind == "U" else None
    if missing is not None and missing.any():
        run = points["run"][np.argmax(missing)]
        raise InputError(f"{argument}: run '{run}' has no value in column '{column}'; give it one, or leave it out")
    distinct, codes = np.unique(values, return_inverse=True)
    return distinct, codes


def configurations(points: Points, factors: Sequence[str]) -> Configurations:
    """Which runs agree in all factors.

    Args:
        points: one row per run.
        factors: names of columns, at least one.

    Raises:
        InputError: no factor, no such column, or a run without a value in it.
    """
    factors = (factors,) if isinstance(factors, str) else tuple(factors)
    if not factors:
        raise InputError("factors: none given; name at least one column")
    distinct, codes = zip(*(levels(points, factor, "factors") for factor in factors), strict=True)
    level_codes, of_run = np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)
    return Configurations(factors, distinct, level_codes, of_run.reshape(-1))


def run_divergences(matrix: PairwiseMatrix) -> NDArray[np.float64]:
    """The divergences between runs [R, R] of a matrix that has one row per run.

    Raises:
        InputError: the matrix is rectangular, or a run has several points (they are not independent).
    """
    if matrix.columns is not None:
        raise InputError(f"matrix: is a rectangle {matrix.shape}; give the square matrix among the runs")
    runs, counts = np.unique(matrix.points["run"], return_counts=True)
    if counts.max() > 1:
        raise InputError(
            f"matrix: run '{runs[counts.argmax()]}' has {counts.max()} points; give one row per run, with divergences "
            "between whole trajectories"
        )
    return matrix.to_numpy()


def configuration_matrix(matrix: PairwiseMatrix, factors: Sequence[str]) -> PairwiseMatrix:
    """D_kl = mean of d_ij over runs i of configuration k and j of configuration l; D_kk = 0 [K, K].

    The divergence stays in the role of a squared distance. The points of the result have the factors as columns,
    and beside them

        n_runs [K]   how many runs a configuration has
        within [K]   its mean d_ij over i < j, from seed to seed; NaN where there is a single run

    A mean between configurations contains what seeds differ by: compare it with `within`, not with zero.

    Args:
        matrix: divergences between runs [R, R], one row per run.
        factors: names of columns; runs that agree in all of them are one configuration.

    Raises:
        InputError: the matrix is rectangular or has several points of a run, no such column, or all runs agree.

    Source: the pair distances by configuration of Mao et al., PNAS 121 (2024) e2310002121.
    """
    d = run_divergences(matrix)
    found = configurations(matrix.points, factors)
    if len(found) < 2:
        raise InputError(f"factors: all runs agree in {', '.join(found.factors)}; name a column in which they differ")
    member = (found.codes[:, None] == np.arange(len(found))).astype(np.float64)
    sums, n_runs = member.T @ (d @ member), member.sum(axis=0)
    means = sums / np.outer(n_runs, n_runs)
    means = (means + means.T) / 2
    np.fill_diagonal(means, 0.0)
    pairs = n_runs * (n_runs - 1)
    within = np.where(pairs > 0, np.diag(sums) / np.maximum(pairs, 1), np.nan)
    columns = {name: values for name, values in found.columns.items() if name not in ("run", "step")}
    points = Points(
        {
            "run": np.asarray(found.labels),
            "step": np.zeros(len(found), dtype=np.int64),
            **columns,
            "n_runs": n_runs.astype(np.int64),
            "within": within,
        }
    )
    return replace(matrix, values=means, points=points)
