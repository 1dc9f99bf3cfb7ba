"""PairwiseMatrix: divergences between points, in the role of squared distances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.pairwise.tiled import TiledValues


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
    divergence: str = "given"
    fisher_factor: float | None = None
    n_samples: int = 0
    floored: int = 0
    clipped: int = 0

    @classmethod
    def from_array(cls, values: ArrayLike, points: Points | None = None) -> PairwiseMatrix:
        """A matrix of divergences (squared distances) that you already have.

        Args:
            values: a symmetric [P, P] array with zeros on its diagonal and no negative entry.
            points: one row per point; by default every point is a run of its own, at step 0.

        Raises:
            InputError: not square, not finite, not symmetric, a diagonal that is not zero, or a negative entry.
                Asymmetry and diagonals up to 1e-6 of the largest entry count as rounding and are removed.
        """
        given = np.asarray(values)
        if given.dtype.kind not in "fiub":
            raise InputError(f"matrix: holds {given.dtype}, expected numbers")
        if given.ndim != 2 or given.shape[0] != given.shape[1] or len(given) < 2:
            raise InputError(f"matrix: has shape {given.shape}, expected [P, P] with P of at least 2")
        d = given.astype(np.float64)
        if not np.isfinite(d).all():
            i, j = np.argwhere(~np.isfinite(d))[0]
            raise InputError(f"matrix: entry ({i}, {j}) is {d[i, j]}; leave out points at infinite divergence")
        slack = 1e-6 * float(np.abs(d).max())
        _refuse(np.abs(d - d.T) > slack, d, "differs from its mirror image; symmetrise it: (D + D.T) / 2")
        _refuse(np.diag(np.abs(np.diag(d)) > slack), d, "is on the diagonal and not zero: not a divergence")
        _refuse(d < -slack, d, "is negative: not a divergence (a kernel or similarity must be converted first)")
        d = np.maximum((d + d.T) / 2, 0.0)
        np.fill_diagonal(d, 0.0)
        if points is None:
            points = Points.of_runs([f"point-{i}" for i in range(len(d))], [[0]] * len(d))
        if len(points) != len(d):
            raise InputError(f"points: {len(points)} rows for a matrix of {len(d)} points")
        return cls(values=d, points=points)

    @property
    def shape(self) -> tuple[int, int]:
        """(P, P) or (P, Q)."""
        return self.values.shape[0], self.values.shape[1]

    def to_numpy(self) -> NDArray[np.float64]:
        """A copy of the values, float64; a square one has an exact zero diagonal and is exactly symmetric."""
        return np.array(self.values)


def _refuse(wrong: NDArray[np.bool_], d: NDArray[np.float64], what: str) -> None:
    if wrong.any():
        i, j = np.argwhere(wrong)[0]
        raise InputError(f"matrix: entry ({i}, {j}) = {d[i, j]:.6g} {what}")
