"""From predictions to divergences: encoded blocks of points, tile by tile, summed in float64."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import Divergence
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.plan import Plan, plan_pairwise
from infogeo.pairwise.tile import tile


def pairwise_divergence(
    predictions: Predictions,
    divergence: Divergence,
    *,
    to: Predictions | None = None,
    progress: Callable[[int, int], None] | None = None,
    memory: int | None = None,
) -> PairwiseMatrix:
    """Divergences between all checkpoints [P, P], or to those of `to` [P, Q], in nats (mean over samples).

    Float32 inside a block of samples, float64 across blocks. A square matrix is symmetric with a zero diagonal
    by construction. Values that round to just below zero are set to zero and counted.

    Args:
        predictions: P checkpoints on one probe set.
        divergence: which divergence, for example `Bhattacharyya()`.
        to: other checkpoints on the same probe set, for a rectangular matrix.
        progress: called with (tiles done, tiles in all).
        memory: the bytes that the computation may take; see `plan_pairwise`.

    Raises:
        InputError: the two sets disagree in samples or classes, or the memory does not suffice.
        ArithmeticError: a value below zero by more than rounding can explain.
    """
    if to is not None and to.log_probs.shape[1:] != predictions.log_probs.shape[1:]:
        raise InputError(
            f"to: predicts N={to.n_samples} samples and C={to.n_classes} classes, expected N={predictions.n_samples}, "
            f"C={predictions.n_classes}: the same probe set"
        )
    plan = plan_pairwise(predictions, divergence, to, memory)
    values = _all_tiles(plan, predictions, divergence, to, progress or (lambda done, total: None))
    values /= plan.n_samples
    lowest, bound = float(values.min()), 2 * divergence.rounding(plan.n_classes)
    if lowest < -bound:
        raise ArithmeticError(f"{divergence.name}: value {lowest:.3g} lies below the rounding bound -{bound:.3g}")
    clipped = int(np.count_nonzero(values < 0)) // (2 if to is None else 1)
    np.maximum(values, 0.0, out=values)
    return PairwiseMatrix(
        values=values,
        points=predictions.points,
        columns=None if to is None else to.points,
        divergence=divergence.name,
        fisher_factor=divergence.fisher_factor,
        n_samples=plan.n_samples,
        floored=predictions.floored + (0 if to is None else to.floored),
        clipped=clipped,
    )


def _all_tiles(
    plan: Plan,
    predictions: Predictions,
    divergence: Divergence,
    to: Predictions | None,
    progress: Callable[[int, int], None],
) -> NDArray[np.float64]:
    """The sums over samples [P, Q], each pair corrected by the sums of its points with themselves."""
    rows = _Encoded(predictions, divergence, plan)
    columns = rows if to is None else _Encoded(to, divergence, plan)
    values = np.empty((plan.n_points, plan.n_columns))
    for done, (i, j) in enumerate(plan.tiles):
        at, across = plan.block(i, plan.n_points), plan.block(j, plan.n_columns)
        sums = _tile_sums(divergence, rows.block(i), columns.block(j), plan.samples)
        if columns is rows and i == j:
            rows.diagonals[i] = np.diagonal(sums).copy()
        sums -= rows.self_sums(i)[:, None] / 2 + columns.self_sums(j) / 2
        part = sums[: at.stop - at.start, : across.stop - across.start]
        if columns is rows and i == j:
            upper = np.triu(part, 1)
            part = upper + upper.T
        values[at, across] = part
        if columns is rows:
            values[across, at] = part.T
        progress(done + 1, len(plan.tiles))
    return values


def _tile_sums(
    divergence: Divergence, a: NDArray[np.float32], b: NDArray[np.float32], samples: int
) -> NDArray[np.float64]:
    """Sums over all samples between two encoded blocks: float32 within a block of samples, float64 across."""
    total = np.zeros((len(a), len(b)))
    pending = None
    for start in range(0, a.shape[1], samples):
        at = slice(start, start + samples)
        part = tile(divergence, a[:, at], b[:, at])  # computed while the one before is added up
        if pending is not None:
            total += np.asarray(pending)
        pending = part
    return total + np.asarray(pending)


@dataclass
class _Encoded:
    """Encoded blocks of points [tile, N', F], padded to one shape; the most recently used ones are kept."""

    predictions: Predictions
    divergence: Divergence
    plan: Plan
    blocks: OrderedDict[int, NDArray[np.float32]] = field(default_factory=OrderedDict)
    diagonals: dict[int, NDArray[np.float64]] = field(default_factory=dict)

    def block(self, index: int) -> NDArray[np.float32]:
        """Block `index`, read and encoded unless it is kept."""
        if index in self.blocks:
            self.blocks.move_to_end(index)
            return self.blocks[index]
        while len(self.blocks) >= self.plan.cached_blocks:
            self.blocks.popitem(last=False)
        points = self.plan.block(index, self.predictions.n_points)
        encoded = self.divergence.encode(np.asarray(self.predictions.log_probs[points]))
        samples = -(-encoded.shape[1] // self.plan.samples) * self.plan.samples
        padded = np.zeros((self.plan.tile, samples, encoded.shape[2]), dtype=np.float32)
        padded[..., 0] = self.divergence.filler
        padded[: encoded.shape[0], : encoded.shape[1]] = encoded
        self.blocks[index] = padded
        return padded

    def self_sums(self, index: int) -> NDArray[np.float64]:
        """K(p, p) for each point of a block, by the same arithmetic as every other pair."""
        if index not in self.diagonals:
            block = self.block(index)
            sums = _tile_sums(self.divergence, block, block, self.plan.samples)
            self.diagonals[index] = np.diagonal(sums).copy()
        return self.diagonals[index]
