"""Maps of more points than a matrix can hold: fitted to landmarks, with all others placed by their divergences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infogeo.core.arguments import check_divergence, check_record, check_whole
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import Divergence
from infogeo.embed.inpca import Embedding, inpca
from infogeo.embed.references import Projection, oriented
from infogeo.embed.selections import Selection, SpreadByRun, check_enough
from infogeo.embed.view import view
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.plan import blocks_of
from infogeo.pairwise.run import pairwise_divergence

RECTANGLE_BYTES = 64 * 2**20
"""Divergences of a block of points to the landmarks take about this much memory at a time."""
HELD_OUT = 500
"""So many points that are no landmarks are drawn; all pairs of them show how good the map is."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """How well a map shows divergences between points that it was not fitted to.

    With D^(k)_ij = sum_{l <= k} signature_l (x_il - x_jl)^2 over all pairs of M points drawn at random:

    Attributes:
        rows: the M points, by their rows.
        explained: 1 - sum |D^(k) - D| / sum D, for k = 1..K. It may fall with k where an axis is time-like. NaN
            where the M points coincide.
        explained_frobenius: 1 - ||D^(k) - D||_F / ||D||_F, for k = 1..K; NaN as well.
    """

    rows: NDArray[np.intp]
    explained: NDArray[np.float64]
    explained_frobenius: NDArray[np.float64]

    @property
    def n_pairs(self) -> int:
        """Unordered pairs."""
        return len(self.rows) * (len(self.rows) - 1) // 2


@dataclass(frozen=True, eq=False)
class LandmarkMap:
    """P points on a map that was fitted to L of them, the landmarks.

    Attributes:
        points: all P.
        coords: their coordinates [P, K]; those of a landmark are what they are in `embedding`.
        landmarks: the rows [L] of the landmarks, ascending.
        embedding: of the landmarks, weighted where they are. Its explained stress is theirs alone.
        references: `ignorance` and, with labels, `truth`: projected, so they do not move the map.
        held_out: how well it shows divergences between points that are no landmarks.
    """

    points: Points
    coords: NDArray[np.float64]
    landmarks: NDArray[np.intp]
    embedding: Embedding
    references: Projection
    held_out: HeldOut

    @property
    def n_components(self) -> int:
        """K, the number of axes."""
        return self.embedding.n_components

    def sentence(self, k: int = 3) -> str:
        """In plain words, from the numbers at hand: what was fitted, and how well k axes show the others."""
        k = min(k, self.n_components)
        held, axes = self.held_out, "one axis explains" if k == 1 else f"the first {k} axes explain"
        return (
            f"The map was fitted to {len(self.landmarks)} of {len(self.points)} points; the others were placed by "
            f"their divergences to these. Between {len(held.rows)} points that it was not fitted to "
            f"({held.n_pairs} pairs), {axes} {100 * held.explained[k - 1]:.1f} % of the divergences "
            f"({100 * held.explained_frobenius[k - 1]:.1f} % in the Frobenius norm)."
        )


def embed_landmarks(
    predictions: Predictions,
    divergence: Divergence,
    landmarks: int | Selection = 1000,
    n_components: int = 10,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    memory: int | None = None,
) -> LandmarkMap:
    """InPCA of L landmarks, and all P points placed by their divergences to them (`Embedding.project`).

    The cost is P L + L^2 / 2 pairs instead of P^2 / 2. The rectangle of P x L divergences passes by in blocks of
    points, each read once; what stays is coords [P, K]. With labels the first axis points from ignorance to truth.

    On synthetic training (benchmarks/bench_landmarks.py) 1000 landmarks of 5000 points explain the divergences between
    the others as well as the map of all points does, within one point in a hundred by `SpreadByRun`, and two by
    `SpreadByDivergence`.

    Args:
        predictions: P checkpoints on one probe set, in memory or read lazily.
        divergence: which divergence, for example `Bhattacharyya()`.
        landmarks: L, for `SpreadByRun(L)`; or how they are chosen: `SpreadByRun(n)`, `SpreadByDivergence(n, seed)`.
        n_components: K, how many axes to return at most.
        seed: of the points on which the map is checked, see `HeldOut`: up to 500 that are no landmarks.
        progress: called with (points placed, points in all).
        memory: the bytes that the divergences may take; see `plan_pairwise`.

    Raises:
        InputError: fewer than two landmarks, fewer than two points left to check the map on, or the memory does not
            suffice.

    Source: de Silva and Tenenbaum, Sparse multidimensional scaling using landmark points, Stanford (2004), with the
        sign of each eigenvalue kept.
    """
    check_record("predictions", predictions, Predictions)
    check_divergence(divergence)
    check_whole("n_components", n_components)
    selection = SpreadByRun(int(landmarks)) if isinstance(landmarks, int | np.integer) else landmarks
    check_enough(selection.n, predictions.n_points)
    if selection.n > predictions.n_points - 2:
        raise InputError(
            f"landmarks: {selection.n} of {predictions.n_points} points leave no pair to check the map on; give fewer, "
            "or use embed_predictions"
        )
    rows, weights = selection.choose(predictions, divergence, memory)
    fitted = predictions.take(rows)
    embedding = inpca(pairwise_divergence(fitted, divergence, memory=memory), n_components, weights)
    references = predictions.references(truth=divergence.finite_at_certainty)
    to_references = pairwise_divergence(references, divergence, to=fitted, memory=memory)
    embedding, placed = oriented(embedding, references.points, to_references)
    coords = _placed(embedding, predictions, fitted, divergence, memory, progress or (lambda done, total: None))
    coords[rows] = embedding.coords
    others = np.setdiff1d(np.arange(predictions.n_points), rows, assume_unique=True)
    sample = np.sort(np.random.default_rng(seed).choice(others, min(HELD_OUT, len(others)), replace=False))
    matrix = pairwise_divergence(view(predictions, sample), divergence, memory=memory)
    return LandmarkMap(
        points=predictions.points,
        coords=coords,
        landmarks=rows,
        embedding=embedding,
        references=placed,
        held_out=held_out(sample, coords[sample], embedding.signature, matrix),
    )


def held_out(
    rows: NDArray[np.intp], coords: NDArray[np.float64], signature: NDArray[np.int64], matrix: PairwiseMatrix
) -> HeldOut:
    """What coordinates [M, K] explain of the divergences [M, M] between M points of a map, see `HeldOut`."""
    d = matrix.to_numpy()
    shown = np.cumsum(signature * np.square(coords[:, None] - coords), axis=2)
    left = d[:, :, None] - shown
    total, norm = (d.sum(), np.linalg.norm(d)) if d.any() else (np.nan, np.nan)
    return HeldOut(rows, 1 - np.abs(left).sum(axis=(0, 1)) / total, 1 - np.linalg.norm(left, axis=(0, 1)) / norm)


def _placed(
    embedding: Embedding,
    predictions: Predictions,
    fitted: Predictions,
    divergence: Divergence,
    memory: int | None,
    report: Callable[[int, int], None],
) -> NDArray[np.float64]:
    """The coordinates [P, K] of all points, block by block, landmarks included: blocks are read in one piece.

    The landmarks are the rows of a rectangle, which the engine holds while the points pass by as its columns.
    """
    n_points = predictions.n_points
    room = RECTANGLE_BYTES if memory is None else min(RECTANGLE_BYTES, memory // 8)
    most = max(1, room // (8 * fitted.n_points))
    width = len(blocks_of(np.arange(most), divergence, predictions.n_classes)[0])
    size = min(n_points, most // width * width)  # whole tiles
    coords = np.empty((n_points, embedding.n_components))
    for start in range(0, n_points, size):
        stop = min(start + size, n_points)
        rows = np.arange(max(0, stop - size), stop)  # the last block is a whole one too: one shape, one compilation
        block = pairwise_divergence(fitted, divergence, to=view(predictions, rows), memory=memory)
        coords[rows] = embedding.project(np.asarray(block.values).T)
        report(stop, n_points)
    return coords
