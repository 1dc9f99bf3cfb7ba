"""Linear algebra of a doubly centred matrix, in float64: products, norm, and eigenpairs of largest |eigenvalue|."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

DENSE_UP_TO = 400
"""Below this many points, or when most of the spectrum is wanted, the whole spectrum is the faster way."""
ROWS = 512


@dataclass(frozen=True, eq=False)
class CentredMatrix:
    """W = -1/2 J D J with J = I - 1 1'/P, for a symmetric D [P, P]; W itself is never formed.

    W_ij = -1/2 (D_ij - d_i - d_j + m), where d = column means of D and m = their mean.
    """

    values: NDArray[np.float64]

    @property
    def column_means(self) -> NDArray[np.float64]:
        """d [P], the column means of D."""
        return self.values.mean(axis=0)

    def rows(self, start: int, stop: int) -> NDArray[np.float64]:
        """The rows start:stop of W."""
        means = self.column_means
        return -0.5 * (self.values[start:stop] - means[start:stop, None] - means + means.mean())

    def frobenius_norm(self) -> float:
        """||W||_F, summed over blocks of rows: exact without a spectrum."""
        size = len(self.values)
        means = self.column_means
        shift = means.mean() - means
        total = 0.0
        for start in range(0, size, ROWS):
            block = self.values[start : start + ROWS] + shift
            block -= means[start : start + ROWS, None]
            total += 0.25 * float(np.vdot(block, block))
        return float(np.sqrt(total))

    def product(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """W x for x [P] or [P, K]."""
        y = self.values @ (x - x.mean(axis=0))
        return -0.5 * (y - y.mean(axis=0))


class _Operator(LinearOperator):
    """W as SciPy's eigensolver wants it."""

    def __init__(self, matrix: CentredMatrix) -> None:
        super().__init__(np.dtype(np.float64), matrix.values.shape)
        self.matrix = matrix

    def _matvec(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.matrix.product(x)


class Eigenpairs(NamedTuple):
    """Eigenvalues [K] by descending |value|, vectors [P, K], the largest ||W u - lambda u||, and success."""

    values: NDArray[np.float64]
    vectors: NDArray[np.float64]
    residual: float
    converged: bool


def leading_eigenpairs(matrix: CentredMatrix, k: int) -> Eigenpairs:
    """The k eigenpairs of W that are largest in absolute value, both signs.

    Dense for small matrices; otherwise the implicitly restarted Lanczos method on products with D.
    """
    size = len(matrix.values)
    k = min(k, size)
    if size <= DENSE_UP_TO or k > size // 4:
        values, vectors = eigh(matrix.rows(0, size))
    else:
        start = np.random.default_rng(0).normal(size=size)
        operator = _Operator(matrix)
        try:
            values, vectors = eigsh(operator, k=k, which="LM", v0=start, ncv=min(size, max(2 * k + 1, 40)))
        except ArpackNoConvergence as error:
            values, vectors = error.eigenvalues, error.eigenvectors
    order = np.argsort(-np.abs(values), kind="stable")[:k]
    values, vectors = values[order], vectors[:, order]
    defect = matrix.product(vectors) - vectors * values
    residual = float(np.linalg.norm(defect, axis=0).max(initial=0.0))
    return Eigenpairs(values, vectors, residual, len(values) == k)
