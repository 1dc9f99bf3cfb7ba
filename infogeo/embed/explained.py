"""How much of the divergences themselves the first axes of a map explain: in the mean square, and in the mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infogeo.core.arguments import check_record
from infogeo.core.errors import InputError
from infogeo.core.linalg import SymmetricMatrix, row_blocks
from infogeo.embed.inpca import Embedding
from infogeo.pairwise.matrix import PairwiseMatrix

ROWS_AT_ONCE = 64
"""Of a block that is compared: what lies beside them stays in the caches."""


def explained_distance(embedding: Embedding) -> NDArray[np.float64]:
    """1 - ||D - D_k||_F / ||D||_F [K], with D_k,ij = sum_{a<=k} signature_a (x_ia - x_ja)^2, for k = 1..K.

    From b = diag(W), b_k,i = sum_{a<=k} signature_a x_ia^2 and the eigenvalues alone, without D: for W 1 = 0 the
    cross terms vanish, and

        ||D||_F^2       = 2 (sum b)^2         + 2 P ||b||^2       + 4 ||W||_F^2
        ||D - D_k||_F^2 = 2 (sum (b - b_k))^2 + 2 P ||b - b_k||^2 + 4 (||W||_F^2 - sum_{a<=k} lambda_a^2)

    With weights every sum over points is weighted, ||D||_w^2 = sum_ij w_i w_j D_ij^2, and A stands for W in the norms.

    It may fall with k where an axis is time-like: such an axis makes divergences smaller, and without the space-like
    ones that follow it may make the error larger. The explained stress never falls. What is left is the root of a
    difference of squares: it is right to 1e-8 where nearly everything is explained.

    Args:
        embedding: from `inpca`, all numbers of which it takes.

    Source: the identity is elementary; the quantity as in Mao et al., PNAS 121 (2024) e2310002121.
    """
    check_record("embedding", embedding, Embedding)
    size, weights = len(embedding.points), embedding.weights
    b = embedding.column_means - np.average(embedding.column_means, weights=weights) / 2
    missing = b[:, None] - np.cumsum(embedding.signature * embedding.coords**2, axis=1)
    sq_left = np.maximum(embedding.norm**2 - np.cumsum(np.square(embedding.eigenvalues)), 0.0)

    def sq_norm(b: NDArray[np.float64], sq_stress: NDArray[np.float64] | float) -> NDArray[np.float64]:
        mean, mean_square = (np.average(values, axis=0, weights=weights) for values in (b, b**2))
        return 2 * size**2 * (mean**2 + mean_square) + 4 * sq_stress

    return 1 - np.sqrt(sq_norm(missing, sq_left) / sq_norm(b, embedding.norm**2))


def explained_distance_l1(matrix: PairwiseMatrix, embedding: Embedding) -> NDArray[np.float64]:
    """1 - sum_ij |D_k,ij - D_ij| / sum_ij D_ij [K], for k = 1..K; see `explained_distance` for D_k.

    With weights the terms are weighted by w_i w_j. It may fall with k where an axis is time-like, and it is negative
    where a map is worse than no map at all (D_k = 0). One pass over D, by rows.

    Args:
        matrix: what the map was made from.
        embedding: the map.

    Raises:
        InputError: the matrix is of other points.

    Source: Mao et al., PNAS 121 (2024) e2310002121.
    """
    check_same_points(matrix, embedding)
    return l1_share(matrix.values, embedding.coords, embedding.signature, embedding.weights)


def l1_share(
    values: SymmetricMatrix,
    coords: NDArray[np.float64],
    signature: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """The same [K] for a matrix D [P, P] and any coordinates [P, K] of its points, for example projected ones."""
    size = len(coords)
    w = np.ones(size) if weights is None else weights
    error, total = np.zeros(len(signature)), 0.0
    for start, stop in row_blocks(size):
        block = values[start:stop]
        for first, last in row_blocks(stop - start, ROWS_AT_ONCE):
            rows, left = slice(start + first, start + last), -block[first:last]
            total -= float(w[rows] @ (left @ w))
            for axis, sign in enumerate(signature.tolist()):
                part = coords[rows, axis, None] - coords[:, axis]
                part *= part
                left = left + part if sign > 0 else left - part
                error[axis] += w[rows] @ (np.abs(left, out=part) @ w)
    return 1 - error / total


def check_same_points(matrix: PairwiseMatrix, embedding: Embedding) -> None:
    """A square matrix, or rectangular one from other points, to the points of a map in their order.

    Raises:
        InputError: it is of other points.
    """
    check_record("matrix", matrix, PairwiseMatrix)
    check_record("embedding", embedding, Embedding)
    own, points = matrix.points if matrix.columns is None else matrix.columns, embedding.points
    if len(own) != len(points) or any((own[name] != points[name]).any() for name in ("run", "step")):
        raise InputError("matrix: is not to the points of this map, in their order; give the one it was made from")
