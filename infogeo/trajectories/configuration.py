"""Configurations: runs that agree in all factors, as those of different seeds, and the divergences between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.pairwise.matrix import PairwiseMatrix

NO_BLOCK = "block=False, in the shell --block none"
"""How to compare without a block, for messages."""


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


def block_codes(points: Points, factors: Sequence[str], block: str) -> NDArray[np.intp]:
    """Which level of a block each run has [R]: a column whose levels return in every configuration, usually a seed.

    Args:
        points: one row per run.
        factors: the columns that make a configuration.
        block: the column that is crossed with them.

    Raises:
        InputError: no such column, a run without a value in it, one level, a factor, or a configuration that lacks a
            level or has more runs of one level than of another.
    """
    if not isinstance(block, str):
        raise InputError(f"block: {block!r} is no name of a column; give one, or {NO_BLOCK}")
    if block in factors:
        raise InputError(f"block: '{block}' is a factor as well; it can be only one of the two")
    names, codes = levels(points, block, "block")
    if len(names) == 1:
        raise InputError(f"block: '{block}' has one level, {names[0]}; name a column with two or more, or {NO_BLOCK}")
    found = configurations(points, factors)
    counts = counts_in(found.codes, codes)
    uneven = np.flatnonzero(counts.min(axis=1) < counts.max(axis=1))
    if len(uneven):
        own = counts[uneven[0]]
        least, most = int(own.argmin()), int(own.argmax())
        raise InputError(
            f"block: configuration '{found.labels[uneven[0]]}' has {own[least]} run{'' if own[least] == 1 else 's'} of "
            f"{block} {names[least]} and {own[most]} of {block} {names[most]}; a block takes as many of each: leave "
            f"that configuration out, or {NO_BLOCK}"
        )
    return codes


def counts_in(codes: NDArray[np.intp], block: NDArray[np.intp]) -> NDArray[np.int64]:
    """How many runs each configuration has in each level of a block [K, B]."""
    counts = np.zeros((codes.max() + 1, block.max() + 1), dtype=np.int64)
    np.add.at(counts, (codes, block), 1)
    return counts


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


def configuration_matrix(matrix: PairwiseMatrix, factors: Sequence[str], block: str | None = None) -> PairwiseMatrix:
    """D_kl = mean of d_ij over runs i of configuration k and j of configuration l; D_kk = 0 [K, K].

    With a block, the mean is over pairs of runs of one level alone, as of one seed.

    The divergence stays in the role of a squared distance. The points of the result have the factors as columns,
    and beside them

        n_runs [K]   how many runs a configuration has
        within [K]   its mean d_ij over i < j (of one level of the block); NaN where there is no such pair

    Without a block, a mean between configurations contains what seeds differ by: compare it with `within`, not with
    zero.

    Args:
        matrix: divergences between runs [R, R], one row per run.
        factors: names of columns; runs that agree in all of them are one configuration.
        block: a column whose levels return in every configuration, see `block_codes`.

    Raises:
        InputError: the matrix is rectangular or has several points of a run, no such column, all runs agree, or the
            block is not crossed with the factors.

    Source: the pair distances by configuration of Mao et al., PNAS 121 (2024) e2310002121.
    """
    d = run_divergences(matrix)
    found = configurations(matrix.points, factors)
    if len(found) < 2:
        raise InputError(f"factors: all runs agree in {', '.join(found.factors)}; name a column in which they differ")
    member = (found.codes[:, None] == np.arange(len(found))).astype(np.float64)
    alike = np.ones(d.shape)
    if block is not None:
        codes = block_codes(matrix.points, found.factors, block)
        alike = (codes[:, None] == codes).astype(np.float64)
    sums, counts, n_runs = member.T @ ((d * alike) @ member), member.T @ (alike @ member), member.sum(axis=0)
    means = sums / counts
    means = (means + means.T) / 2
    np.fill_diagonal(means, 0.0)
    pairs = np.diag(counts) - n_runs
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
