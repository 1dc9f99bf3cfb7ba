"""The map of four points: ignorance, truth, and the mean predictions on the way out of the one and into the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.arguments import check_divergence, check_record
from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import Divergence
from infogeo.embed.explained import explained_distance_l1, l1_share
from infogeo.embed.inpca import Embedding, inpca
from infogeo.embed.references import Projection
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.run import pairwise_divergence

AXES = 3
"""Four points have no more."""
REACH = 3.0
"""Somewhere within so many widths of `near` and of `far` there must be a checkpoint."""


@dataclass(frozen=True, eq=False)
class FourPointMap:
    """The InPCA of four points, with all checkpoints projected on it.

    Attributes:
        embedding: the runs `ignorance`, `truth`, `near ignorance` and `near truth`; K axes, at most 3.
        placed: the checkpoints, projected [P, K].
        explained_distance: how much of the divergences of the checkpoints it explains [K], see
            `explained_distance_l1`; None without their matrix.
        of_fitted_map: the same of the map that is fitted to all of them, with as many axes [K].
    """

    embedding: Embedding
    placed: Projection
    explained_distance: NDArray[np.float64] | None = None
    of_fitted_map: NDArray[np.float64] | None = None

    def sentence(self) -> str:
        """In plain words: how much four points say about all."""
        if self.explained_distance is None or self.of_fitted_map is None:
            return "Give the matrix of the checkpoints to learn how much of it the map of four points explains."
        four, fitted = float(self.explained_distance[-1]), float(self.of_fitted_map[-1])
        axes = "one axis" if len(self.explained_distance) == 1 else f"{len(self.explained_distance)} axes"
        return (
            f"With {axes} the map of four points explains {100 * four:.1f} % of the divergences between "
            f"{len(self.placed.points)} checkpoints; the map fitted to all of them explains {100 * fitted:.1f} %."
        )


def four_point_map(
    predictions: Predictions,
    divergence: Divergence,
    progress: ArrayLike,
    *,
    near: float = 0.3,
    far: float = 0.7,
    width: float = 0.05,
    matrix: PairwiseMatrix | None = None,
) -> FourPointMap:
    """InPCA of ignorance, truth and two mean predictions m_l = sum_i w_i p_i / sum_i w_i, everything else projected.

        w_i = exp(-(s_i - l)^2 / (2 width^2))        l = near, far        s_i the progress of checkpoint i

    The line from ignorance to the first mean is the direction in which runs set out, that from the second mean to
    truth the one in which they arrive. Where so few points explain the divergences between all checkpoints about as
    well as a map fitted to these does, the map is a matter of where runs begin and end, and not of the fit.

    Args:
        predictions: P checkpoints with labels; read once for the means, and once for their divergences.
        divergence: one at which truth is at a finite distance, for example `Bhattacharyya()`.
        progress: s [P], from 0 at ignorance to 1 at truth, for example `progress_of(predictions).values`.
        near: l of the mean near ignorance.
        far: l of the mean near truth.
        width: how far in progress a checkpoint counts.
        matrix: the divergences between the checkpoints [P, P], to be compared with; one pass, and a map of its own.

    Raises:
        InputError: no labels, truth at infinite divergence, progress that is not [P] or not finite, a width that is
            not positive, no checkpoint near one of the two, or a matrix of other points.

    Source: Mao et al., PNAS 121 (2024) e2310002121.
    """
    check_record("predictions", predictions, Predictions)
    check_divergence(divergence)
    check_record("matrix", matrix, PairwiseMatrix, optional=True)
    if predictions.labels is None:
        raise InputError("labels: truth needs the true class of each sample; give labels")
    if not divergence.finite_at_certainty:
        raise InputError(f"divergence: truth is infinitely far in {divergence.name}; use Bhattacharyya()")
    if matrix is not None and matrix.shape != (predictions.n_points,) * 2:
        raise InputError(f"matrix: has shape {matrix.shape}, expected ({predictions.n_points}, {predictions.n_points})")
    four = _four_points(predictions, _weights(progress, predictions.n_points, (near, far), width))
    embedding = inpca(pairwise_divergence(four, divergence), AXES)
    rows = pairwise_divergence(predictions, divergence, to=four)
    if embedding.coords[1, 0] < embedding.coords[0, 0]:
        embedding = embedding.flipped(0)
    placed = Projection(predictions.points, embedding.project(rows))
    if matrix is None:
        return FourPointMap(embedding, placed)
    explained = l1_share(matrix.values, placed.coords, embedding.signature)
    fitted = explained_distance_l1(matrix, inpca(matrix, embedding.n_components))
    return FourPointMap(embedding, placed, explained, fitted)


def _weights(progress: ArrayLike, size: int, levels: tuple[float, float], width: float) -> NDArray[np.float64]:
    """w [2, P], rows that sum to one."""
    s = np.asarray(progress, dtype=np.float64)
    if s.shape != (size,) or not np.isfinite(s).all():
        raise InputError(f"progress: give one finite number for each of {size} checkpoints; it has shape {s.shape}")
    if not width > 0:
        raise InputError(f"width: {width}; give more than 0")
    away = np.abs(s - np.array(levels)[:, None])
    for level, nearest in zip(levels, away.argmin(axis=1), strict=True):
        if abs(s[nearest] - level) > REACH * width:
            raise InputError(
                f"progress: no checkpoint is within {REACH:g} widths ({width:g}) of {level:g}, the nearest is at "
                f"{s[nearest]:.3g}; choose near, far and width from where the checkpoints are"
            )
    w = np.exp(-(away**2) / (2 * width**2))
    return w / w.sum(axis=1, keepdims=True)


def _four_points(predictions: Predictions, weights: NDArray[np.float64]) -> Predictions:
    """Ignorance, truth and the two weighted means, summed over blocks of checkpoints in float64."""
    shape = (len(weights), predictions.n_samples, predictions.n_classes)
    means = np.zeros((len(weights), shape[1] * shape[2]))
    for rows, block in predictions.blocks():
        means += weights[:, rows] @ np.exp(block, dtype=np.float64).reshape(len(block), -1)
    averaged = Predictions.from_arrays(
        dict(zip(("near ignorance", "near truth"), means.reshape(shape), strict=True)), Kind.PROBABILITIES
    )
    ends = predictions.references()
    return replace(
        ends,
        log_probs=np.concatenate([ends.log_probs[0:2], averaged.log_probs[0:2]]),
        points=ends.points.joined(averaged.points),
        fingerprints=(*ends.fingerprints, *averaged.fingerprints),
        floored=averaged.floored,
    )
