"""PairwiseMatrix: divergences between points, in the role of squared distances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.arguments import check_record, told
from infogeo.core.errors import InputError
from infogeo.core.optional import require
from infogeo.core.points import Points
from infogeo.pairwise.tiled import TiledValues

GIVEN = "given"
"""The name of a divergence that is not known: of a bare matrix."""


@dataclass(frozen=True, eq=False)
class PairwiseMatrix:
    """Divergences [P, P] between points, or [P, Q] to other points, in nats (mean over samples).

    A divergence stands in the role of a *squared* distance. A square matrix is exactly symmetric with a diagonal
    of exact zeros.

    Attributes:
        values: float64 [P, P] or [P, Q]; a square matrix may lie on disk as tiles, see `TiledValues`.
        points: the points of the rows.
        columns: the points of the columns where they are others, else None.
        divergence: the name of the divergence.
        fisher_factor: divergence = fisher_factor * ds^2 for small distances; None where it is not known.
        n_samples: N, the number of probe samples averaged over; 0 where it is not known.
        floored: how many predictions were raised to the floor of log p.
        clipped: how many pairs rounded to just below zero and were set to zero.
    """

    values: NDArray[np.float64] | TiledValues
    points: Points
    columns: Points | None = None
    divergence: str = GIVEN
    fisher_factor: float | None = None
    n_samples: int = 0
    floored: int = 0
    clipped: int = 0

    @classmethod
    def from_array(
        cls,
        values: ArrayLike,
        points: Points | None = None,
        columns: Points | None = None,
        *,
        divergence: str = GIVEN,
        fisher_factor: float | None = None,
    ) -> PairwiseMatrix:
        """A matrix of divergences (squared distances) that you already have.

        Args:
            values: a symmetric [P, P] array with zeros on its diagonal and no negative entry; with `columns`, any
                [P, Q] array without negative entries.
            points: one row per point; by default every point is a run of its own, at step 0.
            columns: the points of the columns, where they are others than those of the rows.
            divergence: its name, for axis titles and provenance.
            fisher_factor: divergence = fisher_factor * ds^2 for small distances, where it is known.

        Raises:
            InputError: not square, not finite, not symmetric, a diagonal that is not zero, or a negative entry.
                Asymmetry and diagonals up to 1e-6 of the largest entry count as rounding and are removed.
        """
        given = np.asarray(values)
        if given.dtype.kind not in "fiub":
            wrong = told(values) if given.dtype == object else f"holds {given.dtype}"
            raise InputError(f"matrix: {wrong}, expected numbers")
        check_record("points", points, Points, optional=True)
        check_record("columns", columns, Points, optional=True)
        square = columns is None
        if given.ndim != 2 or 0 in given.shape or (square and (given.shape[0] != given.shape[1] or len(given) < 2)):
            expected = "[P, P] with P of at least 2" if square else "[P, Q]"
            raise InputError(f"matrix: has shape {given.shape}, expected {expected}")
        d = given.astype(np.float64)
        if not np.isfinite(d).all():
            i, j = np.argwhere(~np.isfinite(d))[0]
            raise InputError(f"matrix: entry ({i}, {j}) is {d[i, j]}; leave out points at infinite divergence")
        slack = 1e-6 * float(np.abs(d).max())
        if square:
            _refuse(np.abs(d - d.T) > slack, d, "differs from its mirror image; symmetrise it: (D + D.T) / 2")
            _refuse(np.diag(np.abs(np.diag(d)) > slack), d, "is on the diagonal and not zero: not a divergence")
        _refuse(d < -slack, d, "is negative: not a divergence (a kernel or similarity must be converted first)")
        d = np.maximum((d + d.T) / 2 if square else d, 0.0)
        if square:
            np.fill_diagonal(d, 0.0)
        points = points or Points.of_runs([f"point-{i}" for i in range(len(d))], [[0]] * len(d))
        for name, table, length in (("points", points, d.shape[0]), ("columns", columns, d.shape[1])):
            if table is not None and len(table) != length:
                raise InputError(f"{name}: {len(table)} rows for {length} points of a matrix {d.shape}")
        return cls(d, points, columns, divergence, fisher_factor)

    def __repr__(self) -> str:
        across = "" if self.columns is None else f" to {self.columns.counted()}"
        samples = f", N={self.n_samples} samples" if self.n_samples else ""
        return f"PairwiseMatrix({self.points.counted()}{across}, divergence {self.divergence}{samples})"

    @property
    def shape(self) -> tuple[int, int]:
        """(P, P) or (P, Q)."""
        return self.values.shape[0], self.values.shape[1]

    def to_numpy(self) -> NDArray[np.float64]:
        """A copy of the values, float64; a square one has an exact zero diagonal and is exactly symmetric."""
        return np.array(self.values)

    def take(self, rows: ArrayLike, columns: ArrayLike | None = None) -> PairwiseMatrix:
        """The divergences among some of the points, or between some rows and some columns, by indices or masks.

        A square matrix stays square when `columns` is left out. One that lies on disk is read.
        """
        other = self.points if self.columns is None else self.columns
        at = np.arange(len(self.points))[np.asarray(rows)]
        if columns is None:
            across = at if self.columns is None else np.arange(len(other))
        else:
            across = np.arange(len(other))[np.asarray(columns)]
        square = self.columns is None and columns is None
        return replace(
            self,
            values=self.values[at][:, across],
            points=self.points.take(at),
            columns=None if square else other.take(across),
        )

    def select(self, **wanted: Any) -> PairwiseMatrix:
        """The divergences among the points (rows) whose metadata are as wanted, see `Points.where`.

        `matrix.select(arch=["mlp", "conv"], step=lambda t: t > 100)`

        Raises:
            InputError: no such column, or no point left.
        """
        rows = self.points.where(**wanted)
        if not len(rows):
            raise InputError(f"select: no point has {', '.join(f'{name}={value}' for name, value in wanted.items())}")
        return self.take(rows)

    def join(self, other: PairwiseMatrix, between: PairwiseMatrix) -> PairwiseMatrix:
        """The square matrix of all points of two, given the divergences between them: rows of this, columns of other.

        Raises:
            InputError: one is not square, `between` does not fit, or they are of different divergences or probes.
        """
        if self.columns is not None or other.columns is not None:
            raise InputError("join: both matrices must be square; their rectangle is `between`")
        if between.shape != (len(self.points), len(other.points)):
            raise InputError(f"between: has shape {between.shape}, expected ({len(self.points)}, {len(other.points)})")
        for matrix in (other, between):
            for name in ("divergence", "n_samples"):
                if getattr(matrix, name) != getattr(self, name):
                    raise InputError(f"join: {name} {getattr(matrix, name)} is not {getattr(self, name)}")
        top = np.concatenate([self.values, between.values], axis=1)
        bottom = np.concatenate([np.asarray(between.values).T, other.values], axis=1)
        return replace(
            self,
            values=np.concatenate([top, bottom]),
            points=self.points.joined(other.points),
            floored=self.floored + other.floored,
            clipped=self.clipped + other.clipped + between.clipped,
        )

    def condensed(self) -> NDArray[np.float64]:
        """The entries above the diagonal, row by row [P (P - 1) / 2], as SciPy's clustering takes them.

        Raises:
            InputError: the matrix is rectangular.
        """
        if self.columns is not None:
            raise InputError("condensed: only a square matrix has this form")
        return self.to_numpy()[np.triu_indices(len(self.points), 1)]

    def to_pandas(self) -> Any:
        """A DataFrame with (run, step) of the points as index and columns (needs the extra `pandas`)."""
        pandas = require("pandas", extra="pandas")
        tables = (self.points, self.points if self.columns is None else self.columns)
        index, columns = (
            pandas.MultiIndex.from_arrays([table["run"], table["step"]], names=["run", "step"]) for table in tables
        )
        return pandas.DataFrame(self.to_numpy(), index=index, columns=columns)

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write as a zarr v3 group with points and facts; `PairwiseMatrix.load` reads it again bit for bit.

        Raises:
            InputError: `path` is taken and not to be overwritten, or cannot be written.
        """
        from infogeo.core.output import written_beside
        from infogeo.pairwise.storage import is_matrix, save_matrix

        with written_beside(Path(path), overwrite, is_matrix) as target:
            save_matrix(target, self)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> PairwiseMatrix:
        """Read what `save` wrote, or the `divergence.zarr` of a map.

        Raises:
            InputError: not there, or damaged.
        """
        from infogeo.pairwise.storage import load_matrix

        return load_matrix(Path(path))


def _refuse(wrong: NDArray[np.bool_], d: NDArray[np.float64], what: str) -> None:
    if wrong.any():
        i, j = np.argwhere(wrong)[0]
        raise InputError(f"matrix: entry ({i}, {j}) = {d[i, j]:.6g} {what}")
