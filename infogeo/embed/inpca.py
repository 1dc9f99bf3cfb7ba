"""InPCA: the intensive embedding of a divergence matrix, signs and all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.arguments import check_record, check_whole, told
from infogeo.core.errors import InputError
from infogeo.core.linalg import CentredMatrix, leading_eigenpairs
from infogeo.core.points import Points
from infogeo.embed.stress import explained_stress, stress_line
from infogeo.embed.weights import PointWeights, point_weights
from infogeo.pairwise.matrix import PairwiseMatrix


@dataclass(frozen=True, eq=False)
class Embedding:
    """Coordinates of P points on K axes, ordered by |eigenvalue|.

    Between embedded points D_ij = sum_k signature_k (x_ik - x_jk)^2, exactly so with all components. An axis of
    signature -1 is time-like: separation along it makes the divergence smaller.

    Attributes:
        points: one row per point.
        coords: x [P, K] = U sqrt|Lambda|, in the square root of the divergence's unit; see `inpca` for weights.
        eigenvalues: Lambda [K] of W = -1/2 J D J, or of A = S W S with weights, by descending |value|.
        signature: the sign of each eigenvalue [K], +1 space-like, -1 time-like.
        explained_stress: [K], see `infogeo.embed.stress.explained_stress`.
        column_means: the (weighted) column means of D [P]; `project` needs them.
        norm: ||W||_F, or ||A||_F, of the whole spectrum.
        residual: the largest ||A u - lambda u|| of a pair; a true eigenvalue lies within it of each of these.
        converged: whether the eigensolver found all pairs asked for, as `leading_eigenpairs` promises.
        divergence: the name of the divergence that was embedded.
        weights: w [P], which sum to P; None where all points weigh the same.
    """

    points: Points
    coords: NDArray[np.float64]
    eigenvalues: NDArray[np.float64]
    signature: NDArray[np.int64]
    explained_stress: NDArray[np.float64]
    column_means: NDArray[np.float64]
    norm: float
    residual: float
    converged: bool
    divergence: str
    weights: NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        warning = "" if self.converged else "; the eigensolver did not converge"
        negative = int((self.signature < 0).sum())
        return (
            f"Embedding({self.points.counted()}, K={self.n_components} axes, {negative} of them time-like, "
            f"divergence {self.divergence})\n  {stress_line(self.explained_stress)}{warning}"
        )

    @property
    def n_components(self) -> int:
        """K, the number of axes."""
        return len(self.eigenvalues)

    @property
    def warning(self) -> str:
        """What must be known before the axes are read, where the eigensolver did not converge; empty where it did."""
        if self.converged:
            return ""
        return (
            f"The eigensolver did not converge: eigenvalues may be off by {self.residual / self.norm:.1g} of the norm "
            "of the matrix, and axes may be mixed with others, the last ones most. The explained stress is that of "
            "the axes as they are. Eigenvalues are nearly equal here; another number of components may converge."
        )

    def project(self, rows: PairwiseMatrix | ArrayLike) -> NDArray[np.float64]:
        """Coordinates [Q, K] of new points from their divergences to the fitted points; the map stays as it is.

        b = -1/2 (d - mean(d) - d_bar + mean(d_bar)) and x = b U / (signature sqrt|Lambda|), where d_bar are the
        column means of the fitted matrix. With weights the means are weighted, and each term of b U by its point.
        A fitted point's row of D gives its own coordinates.

        Args:
            rows: divergences [Q, P] (or [P] for one point) to the P fitted points, in their order.

        Raises:
            InputError: rows of another length, or not finite.

        Source: Gower (Biometrika 55, 1968, 582), with the sign of each eigenvalue kept.
        """
        given = np.asarray(rows.values if isinstance(rows, PairwiseMatrix) else rows)
        if given.dtype.kind not in "fiub":
            raise InputError(f"rows: {told(rows)}; give divergences [Q, P], as pairwise_divergence(new, d, to=fitted)")
        d = np.atleast_2d(given.astype(np.float64, copy=False))
        if d.ndim != 2 or d.shape[1] != len(self.points):
            raise InputError(
                f"rows: shape {d.shape}, expected [Q, {len(self.points)}]: divergences to each fitted point"
            )
        if not np.isfinite(d).all():
            raise InputError(f"rows: row {np.argwhere(~np.isfinite(d))[0][0]} is not finite; leave this point out")
        axes = self.coords / self.eigenvalues
        return self.centred(d) @ (axes if self.weights is None else self.weights[:, None] * axes)

    def centred(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """b = -1/2 (d - mean(d) - d_bar + mean(d_bar)) of rows d [Q, P] of divergences to the fitted points.

        For fitted points they are rows of W; means are weighted where the map is.
        """
        mean = np.average(rows, axis=1, weights=self.weights, keepdims=True)
        return -0.5 * (rows - mean - self.column_means + np.average(self.column_means, weights=self.weights))

    def flipped(self, axis: int) -> Embedding:
        """The same map with one axis mirrored."""
        signs = np.ones(self.n_components)
        signs[axis] = -1.0
        return replace(self, coords=self.coords * signs)


def inpca(matrix: PairwiseMatrix, n_components: int = 10, weights: PointWeights | ArrayLike | None = None) -> Embedding:
    """InPCA of a divergence matrix: W = -1/2 J D J = U Lambda U', coordinates x = U sqrt|Lambda|.

    J = I - 1 1'/P. Eigenpairs are ordered by |eigenvalue| and keep their sign; axes with
    |eigenvalue| <= P eps |first| are rounding and are not returned. The entry of an axis that is largest in
    absolute value is positive.

    With weights w, scaled to a sum of P, and S = diag(sqrt(w)):

        J = I - 1 w'/P,  W = -1/2 J D J',  A = S W S = V Lambda V',  x = S^-1 V sqrt|Lambda|

    and the explained stress is that of A. Whole weights give the map in which each point occurs so many times: the
    same coordinates and stress, and eigenvalues times P / sum(w). A point of weight 0 does not shape the map and is
    placed on it as by `project`.

    Args:
        matrix: a square divergence matrix [P, P]; the divergence plays the role of a squared distance.
        n_components: K, how many axes to return at most.
        weights: how much each point counts: `EqualRuns()`, `EqualGroups(column)`, `ByArcLength()`, numbers [P] of any
            scale, or None for all alike.

    Raises:
        InputError: the matrix is not square, all points coincide, n_components is below one, or weights that are
            negative, not finite, not [P], or zero but for one point.

    Source: Quinn et al., PNAS 116 (2019) 13762, eqs. 9-11; weights as in Abdi, Metric Multidimensional Scaling (2007).
    """
    check_record("matrix", matrix, PairwiseMatrix)
    if matrix.columns is not None:
        raise InputError("matrix: an embedding needs the divergences of one set of points; project the others")
    check_whole("n_components", n_components)
    centred = CentredMatrix(matrix.values, point_weights(matrix, weights))
    norm = centred.frobenius_norm()
    if norm == 0.0:
        raise InputError("matrix: all divergences are zero, the points coincide; a map needs points that differ")
    pairs = leading_eigenpairs(centred, n_components)
    keep = np.abs(pairs.values) > centred.size * np.finfo(np.float64).eps * np.abs(pairs.values).max()
    values = pairs.values[keep]
    axes = centred.at_every_point(values, pairs.vectors[:, keep])
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.sign(axes[largest, np.arange(len(values))])
    return Embedding(
        points=matrix.points,
        coords=axes * np.sqrt(np.abs(values)),
        eigenvalues=values,
        signature=np.sign(values).astype(np.int64),
        explained_stress=explained_stress(values, norm),
        column_means=centred.column_means,
        norm=norm,
        residual=pairs.residual,
        converged=pairs.converged,
        divergence=matrix.divergence,
        weights=centred.weights,
    )
