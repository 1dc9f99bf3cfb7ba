"""Linear algebra of a doubly centred matrix, in float64: products, norm, and eigenpairs of largest |eigenvalue|."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).tiny)

ROWS = 1024
"""Rows that are read at once."""
DENSE_UP_TO = 1000
"""Up to this many points A is formed: its whole spectrum takes a fraction of a second, whatever it looks like."""
OVERSAMPLING = 20
"""Columns of a block beyond the eigenpairs wanted: a pass over D carries k + 20."""
BASIS = 10
"""Blocks that the basis holds before it is cut back to its leading half."""
PASSES = 100
"""Passes over D before the search is given up."""
TOLERANCE = 1e-10
"""||A u - lambda u|| / |lambda| of a pair that has converged."""


class SymmetricMatrix(Protocol):
    """What a symmetric D [P, P] has to offer: a NumPy array does, and so does one whose tiles lie on disk."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(P, P)."""
        ...

    def __getitem__(self, rows: slice, /) -> Array:
        """The rows start:stop, [stop - start, P]."""
        ...

    def __matmul__(self, x: Array, /) -> Array:
        """D x for x [P, K]: one pass over D."""
        ...


@dataclass(frozen=True, eq=False)
class CentredMatrix:
    """W = -1/2 J D J' and A = S W S, for a symmetric D [P, P]; of both only blocks of rows are formed.

    J = I - 1 w'/P and S = diag(sqrt(w)), where the weights w [P] are at least 0 and sum to P; None stands for w = 1,
    at which A is W. In entries, W_ij = -1/2 (D_ij - d_i - d_j + m), where d = D w / P and m = w'd / P. A weight of 2
    does what a second copy of the point would do, but for the scale: A of P weights has P / N times the eigenvalues
    of the N copies.
    """

    values: SymmetricMatrix
    weights: Array | None = None

    @property
    def size(self) -> int:
        """P."""
        return self.values.shape[0]

    @cached_property
    def column_means(self) -> Array:
        """d [P], the column means of D: one pass, by rows, each of which is summed on its own in any storage."""
        blocks = (self.values[start:stop] for start, stop in row_blocks(self.size))
        return np.concatenate([np.average(block, axis=1, weights=self.weights) for block in blocks])

    def rows(self, start: int, stop: int) -> Array:
        """The rows start:stop of W."""
        means = self.column_means
        block = self.values[start:stop] - means
        block -= (means[start:stop] - np.average(means, weights=self.weights))[:, None]
        block *= -0.5
        return block

    def scaled_rows(self, start: int, stop: int) -> Array:
        """The rows start:stop of A."""
        block = self.rows(start, stop)
        if self.weights is not None:
            roots = np.sqrt(self.weights)
            block *= roots
            block *= roots[start:stop, None]
        return block

    def frobenius_norm(self) -> float:
        """||A||_F, summed over blocks of rows: exact without a spectrum."""
        return float(np.sqrt(sum(np.sum(np.square(self.scaled_rows(*block))) for block in row_blocks(self.size))))

    @property
    def rounding(self) -> float:
        """What rounding adds to A x for a unit x: sqrt(P) eps ||S D S|| / 2, for D >= 0.

        S D S has the eigenvalues of D S^2, and those are no larger than its largest row sum, P max d, where w > 0.
        """
        means = self.column_means if self.weights is None else self.column_means[self.weights > 0]
        largest_row_sum = self.size * float(np.abs(means).max())
        return 0.5 * np.sqrt(self.size) * EPS * largest_row_sum

    def product(self, x: Array) -> Array:
        """A x for x [P, K]: one pass over D."""
        if self.weights is None:
            return self._centred_product(x)
        roots = np.sqrt(self.weights)[:, None]
        return roots * self._centred_product(roots * x)

    def at_every_point(self, values: Array, vectors: Array) -> Array:
        """W S v / lambda [P, K] of eigenpairs A v = lambda v: v / sqrt(w), also where w is 0 or tiny; one pass."""
        if self.weights is None:
            return vectors
        return self._centred_product(np.sqrt(self.weights)[:, None] * vectors) / values

    def _centred_product(self, x: Array) -> Array:
        """W x."""
        mean = x.mean(axis=0)
        y = self.values @ (x - (mean if self.weights is None else self.weights[:, None] * mean))
        return -0.5 * (y - np.average(y, axis=0, weights=self.weights))


def row_blocks(size: int, rows: int = ROWS) -> Iterator[tuple[int, int]]:
    """(start, stop) of the blocks of rows in which a matrix of so many is read."""
    return ((start, min(start + rows, size)) for start in range(0, size, rows))


class Eigenpairs(NamedTuple):
    """Eigenpairs of A by descending |eigenvalue|; without weights A is W.

    Attributes:
        values: lambda [K].
        vectors: u [P, K], orthonormal.
        residual: the largest ||A u - lambda u||; a true eigenvalue lies within it of each value.
        converged: whether every pair is as good as `leading_eigenpairs` promises.
        passes: over D, beside the one for its column means.
    """

    values: Array
    vectors: Array
    residual: float
    converged: bool
    passes: int


def leading_eigenpairs(matrix: CentredMatrix, k: int, max_passes: int = PASSES) -> Eigenpairs:
    """The k eigenpairs A u = lambda u that are largest in absolute value, both signs.

    Dense for few points or most of the spectrum; otherwise block Lanczos. Each pass over D serves a block of k + 20
    columns, wider than k so that equal eigenvalues are found as often as they occur, and the last pass measures
    the residual r = ||A u - lambda u||. Beside D this takes up to 20 (k + 20) P numbers, half of them for a moment.

    A pair has converged when r <= 1e-10 |lambda|, or when r is no more than the rounding of a product. The eigenvalue
    is then off by r^2 / gap and its axis leans to others by r / gap, where gap is the distance to the next
    eigenvalue; a fitted row projects back to its coordinate within r / sqrt|lambda|. Pairs that have not converged
    within `max_passes` are the best of the space searched; the explained stress is right for them as they are.

    Source: Golub and Underwood, in Mathematical Software III (1977) 361; restart after Wu and Simon, SIAM J. Matrix
    Anal. Appl. 22 (2000) 602; rounding as in Higham and Mary, SIAM J. Sci. Comput. 41 (2019) A2815.
    """
    size = matrix.size
    k = min(k, size)
    dense = size <= DENSE_UP_TO or 8 * (k + OVERSAMPLING) > size
    if dense:
        (values, vectors), passes = _ordered(matrix.scaled_rows(0, size)), 1
        values, vectors = values[:k], vectors[:, :k]
    else:
        values, vectors, passes = _block_lanczos(matrix, k, max_passes - 1)
    residuals = np.linalg.norm(matrix.product(vectors) - vectors * values, axis=0)
    found = bool((residuals <= _bound(matrix, values) + matrix.rounding).all())  # measuring rounds as well
    return Eigenpairs(values, vectors, float(residuals.max()), dense or found, passes + 1)


def _bound(matrix: CentredMatrix, values: Array) -> Array:
    """The residual [K] below which a pair has converged."""
    return np.maximum(TOLERANCE * np.abs(values), matrix.rounding)


def _ordered(matrix: Array) -> tuple[Array, Array]:
    """All eigenpairs of a small symmetric matrix by descending |eigenvalue|."""
    values, vectors = np.linalg.eigh(matrix)
    order = np.argsort(-np.abs(values), kind="stable")
    return values[order], vectors[:, order]


def _block_lanczos(matrix: CentredMatrix, k: int, max_passes: int) -> tuple[Array, Array, int]:
    """Ritz values [k], Ritz vectors [P, k], and the passes that they took.

    With an orthonormal basis V and the next block Q, A V = V H + Q B: the Ritz pairs of H = V' A V have residuals
    ||B y||, y being the last block of an eigenvector of H. A basis that is full is cut back to its leading half
    of Ritz vectors, which keeps that relation.
    """
    width = k + OVERSAMPLING
    full = min(BASIS * width, matrix.size // 2)
    basis, projected, passes = np.empty((matrix.size, 0)), np.empty((0, 0)), 0
    block, _, _ = _split(np.random.default_rng(0).normal(size=(matrix.size, width)), basis)
    while True:
        basis = np.hstack([basis, block])
        block, inside, outside = _split(matrix.product(block), basis)
        projected = np.block([[projected, inside[:-width]], [inside[:-width].T, inside[-width:]]])
        values, vectors = _ordered((projected + projected.T) / 2)
        residuals = np.linalg.norm(outside @ vectors[-width:, :k], axis=0)
        passes += 1
        if passes >= max_passes or (residuals <= _bound(matrix, values[:k])).all():
            return values[:k], basis @ vectors[:, :k], passes
        if len(values) + width > full:
            basis, projected = basis @ vectors[:, : full // 2], np.diag(values[: full // 2])


def _split(images: Array, basis: Array) -> tuple[Array, Array, Array]:
    """Q, C, B of images = V C + Q B, with Q orthonormal and orthogonal to the basis V.

    A round takes V out and scales along the eigenvectors of the Gram matrix, which divides the condition by up to
    1 / sqrt(eps); the last one meets a Gram matrix near 1. Two rounds are usual. All are products of matrices, which
    use the cores of a machine as a tall QR decomposition does not.

    Source: Stathopoulos and Wu, SIAM J. Sci. Comput. 23 (2002) 2165.
    """
    inside, outside = np.zeros((basis.shape[1], images.shape[1])), np.eye(images.shape[1])
    for turn in range(6):
        overlap = basis.T @ images
        images = images - basis @ overlap
        squares, directions = np.linalg.eigh(images.T @ images)
        scale = np.sqrt(np.maximum(squares, max(EPS * squares[-1], TINY)))
        images = images @ (directions / scale)
        inside += overlap @ outside
        outside = (directions * scale).T @ outside
        if turn > 0 and squares[0] > 0.5:
            break
    return images, inside, outside
