"""What a map leaves out: which points and runs do not fit on it, and how one group looks on the map of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.arguments import check_record, check_whole
from infogeo.core.errors import InputError
from infogeo.core.linalg import CentredMatrix, row_blocks
from infogeo.core.points import Points
from infogeo.embed.explained import ROWS_AT_ONCE, check_same_points
from infogeo.embed.inpca import Embedding, inpca
from infogeo.pairwise.matrix import PairwiseMatrix

WORSE = 1.5
"""A run does not fit when its misfit is more than so many times that of the median run.

One odd run among R is in every row of the others as well: its misfit is about sqrt(R) times theirs, and not more.
"""
POORLY = 0.1
"""Runs whose misfit is below this fit well, whatever the others do."""
RIGHT = 5e-4
"""A misfit below this reads as 0.0 %: the map is right, and there is nothing to draw."""
MOST_NAMED = 5
"""Runs that a sentence names."""


class RunResiduals(NamedTuple):
    """Residuals of R runs, the worst misfit first.

    Attributes:
        runs: their names [R].
        misfit, bias, stress_left: as those of points [R], with sums over the points of the run.
    """

    runs: list[str]
    misfit: NDArray[np.float64]
    bias: NDArray[np.float64]
    stress_left: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Residuals:
    """How far the divergences of Q points to the P points of a map are from those on its first k axes.

    With r_ij = D_k,ij - D_ij, where D_k,ij = sum_{a<=k} signature_a (x_ia - x_ja)^2, and means over the points j of
    the map, weighted where the map is.

    Attributes:
        points: one row per point i.
        k: how many axes.
        sq_error: mean_j r_ij^2 [Q].
        sq_divergence: mean_j D_ij^2 [Q].
        mean_error: mean_j r_ij [Q].
        mean_divergence: mean_j D_ij [Q].
        sq_stress_left: sum_j (W_ij - W_k,ij)^2 [Q], where W_k,ij = sum_{a<=k} signature_a x_ia x_ja.
        sq_stress: sum_j W_ij^2 [Q].
    """

    points: Points
    k: int
    sq_error: NDArray[np.float64]
    sq_divergence: NDArray[np.float64]
    mean_error: NDArray[np.float64]
    mean_divergence: NDArray[np.float64]
    sq_stress_left: NDArray[np.float64]
    sq_stress: NDArray[np.float64]

    @property
    def misfit(self) -> NDArray[np.float64]:
        """sqrt(mean_j r_ij^2 / mean_j D_ij^2) [Q]: by how much of their size divergences are off; 0 is a fit."""
        return np.sqrt(_ratio(self.sq_error, self.sq_divergence))

    @property
    def bias(self) -> NDArray[np.float64]:
        """mean_j r_ij / mean_j D_ij [Q]: above 0 the map puts a point too far from the others, below 0 too near."""
        return _ratio(self.mean_error, self.mean_divergence)

    @property
    def stress_left(self) -> NDArray[np.float64]:
        """||W_i - W_k,i|| / ||W_i|| [Q], of rows: the part of the stress of a point that the axes do not explain."""
        return np.sqrt(_ratio(self.sq_stress_left, self.sq_stress))

    @property
    def right(self) -> bool:
        """Whether no point has a misfit of 0.05 % or more."""
        return bool(self.misfit.max() < RIGHT)

    def per_run(self) -> RunResiduals:
        """The same for whole runs, the worst misfit first."""
        runs = self.points.runs
        place = {run: i for i, run in enumerate(runs)}
        run_of = np.array([place[run] for run in self.points["run"]])

        def share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
            """Sums over the points of each run, divided."""
            of_part, of_whole = (np.bincount(run_of, sums).astype(np.float64) for sums in (part, whole))
            return _ratio(of_part, of_whole)

        misfit = np.sqrt(share(self.sq_error, self.sq_divergence))
        bias = share(self.mean_error, self.mean_divergence)
        stress_left = np.sqrt(share(self.sq_stress_left, self.sq_stress))
        order = np.argsort(-misfit, kind="stable")
        return RunResiduals([runs[i] for i in order], misfit[order], bias[order], stress_left[order])

    def sentence(self) -> str:
        """In plain words: how well the typical run fits, and which runs do not.

        A run does not fit where its misfit is above 10 % and more than 1.5 times that of the median run.
        """
        found = self.per_run()
        typical = float(np.median(found.misfit))
        axes = "one axis" if self.k == 1 else f"{self.k} axes"
        if self.right:
            return f"On {axes} the divergences of every run are right to {100 * RIGHT:.2f} % (root mean square)."
        opening = f"On {axes} the divergences of the typical run are off by {100 * typical:.1f} % (root mean square)"
        n_bad = int((found.misfit > max(WORSE * typical, POORLY)).sum())
        if not n_bad:
            return f"{opening}; no run fits much worse: {found.runs[0]} is worst, with {100 * found.misfit[0]:.1f} %."
        named = [
            f"{run} ({100 * misfit:.0f} %, on the map too {'far from' if bias > 0 else 'near to'} the others)"
            for run, misfit, bias, _ in zip(*(column[: min(n_bad, MOST_NAMED)] for column in found), strict=True)
        ]
        rest = f" and {n_bad - MOST_NAMED} more" if n_bad > MOST_NAMED else ""
        return f"{opening}. These do not fit: {', '.join(named)}{rest}."


def residuals(matrix: PairwiseMatrix, embedding: Embedding, k: int = 3) -> Residuals:
    """The residuals of every point on the first k axes of a map; one pass over D, by rows.

    Args:
        matrix: what the map was made from; or a rectangle [Q, P] from new points to those of the map, which are
            projected.
        embedding: the map.
        k: how many axes; no more than the map has are taken.

    Raises:
        InputError: the matrix is of other points, or k is below one.
    """
    check_whole("k", k)
    check_same_points(matrix, embedding)
    k = min(k, embedding.n_components)
    size = len(embedding.points)
    weights = np.ones(size) if embedding.weights is None else embedding.weights
    others = embedding.coords[:, :k]
    points = others if matrix.columns is None else embedding.project(matrix)[:, :k]
    products_with = (embedding.signature[:k] * others).T
    lengths, other_lengths = (np.sum(embedding.signature[:k] * x**2, axis=1) for x in (points, others))
    sums = np.empty((6, len(points)))
    for start, stop in row_blocks(len(points)):
        block = matrix.values[start:stop]
        for first, last in row_blocks(stop - start, ROWS_AT_ONCE):
            d, rows = block[first:last], slice(start + first, start + last)
            w, products = embedding.centred(d), points[rows] @ products_with
            error = lengths[rows, None] + other_lengths - 2 * products - d
            parts = error**2, d**2, error, d, (w - products) ** 2, w**2
            sums[:, rows] = [part @ weights for part in parts]
    sums[:4] /= size
    return Residuals(matrix.points, k, *sums)


@dataclass(frozen=True, eq=False)
class GroupStress:
    """How much of one group the map of another explains, with k = 1..K axes.

    Attributes:
        on_map: 1 - ||W - X_k S X_k'||_F / ||W||_F [K] of the group on the other's map; it may fall with k, and is below
            0 where the map is worse than none.
        on_own_map: its explained stress on a map of its own [K]: the most that k axes can do.
        of_fitted: the explained stress of the group that the map was fitted to [K].
    """

    on_map: NDArray[np.float64]
    on_own_map: NDArray[np.float64]
    of_fitted: NDArray[np.float64]

    def sentence(self) -> str:
        """In plain words, at the largest k."""
        k = len(self.on_map)
        other, own = float(self.on_map[-1]), float(self.on_own_map[-1])
        axes = "one axis" if k == 1 else f"{k} axes"
        return (
            f"With {axes} the map of the other group explains {100 * other:.1f} % of the stress of this one; a map of "
            f"its own explains {100 * own:.1f} %."
        )


def stress_of_group(matrix: PairwiseMatrix, *, fit: ArrayLike, on: ArrayLike, k: int = 3) -> GroupStress:
    """How much of the stress of one group the map of another explains: do they lie in the same few dimensions?

        chi_k = 1 - ||W - X_k S X_k'||_F / ||W||_F

    W is the centred matrix -1/2 J D J of the divergences within the group `on`, X [Q, k] are the coordinates of its
    points, projected on the map of the group `fit` and centred (their mean is where the group lies, of which W knows
    nothing), and S are the signatures of that map.

    Args:
        matrix: the divergences of all points, square.
        fit: rows of the points that make the map, indices or a mask, for example `points.where(arch="linear")`.
        on: rows of the points that are looked at.
        k: how many axes at most; there are fewer where one of the two maps has fewer.

    Raises:
        InputError: a group of fewer than two points, or one whose points coincide; k below one.

    Source: the question is that of Mao et al., PRE 113 (2026) 015306, fig. 1.
    """
    check_record("matrix", matrix, PairwiseMatrix)
    if matrix.columns is not None:
        raise InputError(f"matrix: is a rectangle {matrix.shape}; give the square matrix of all points")
    groups = {name: np.arange(len(matrix.points))[np.asarray(rows)] for name, rows in (("fit", fit), ("on", on))}
    for name, rows in groups.items():
        if rows.ndim != 1 or len(rows) < 2:
            raise InputError(f"{name}: names {rows.size} points; give at least two")
    fitted, looked_at = inpca(matrix.take(groups["fit"]), k), matrix.take(groups["on"])
    own = inpca(looked_at, k)
    k = min(fitted.n_components, own.n_components)
    x = fitted.project(matrix.take(groups["on"], groups["fit"]))[:, :k]
    x = x - x.mean(axis=0)
    sign = fitted.signature[:k]
    # ||W - X S X'||^2 = ||W||^2 - 2 sum_a s_a x_a'W x_a + sum_ab s_a s_b (x_a'x_b)^2
    shared = np.cumsum(sign * np.sum(x * CentredMatrix(looked_at.values).product(x), axis=0))
    squares = np.cumsum(np.cumsum(np.outer(sign, sign) * (x.T @ x) ** 2, axis=0), axis=1).diagonal()
    left = np.maximum(own.norm**2 - 2 * shared + squares, 0.0)
    return GroupStress(1 - np.sqrt(left) / own.norm, own.explained_stress[:k], fitted.explained_stress[:k])


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """part / whole; 0 for a point at zero divergence from all others, of which nothing is missing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
