"""From predictions to divergences: encoded blocks of points, tile by tile, summed in float64."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from infogeo.core.coarse import same_merging
from infogeo.core.errors import InputError
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import Divergence
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.plan import Plan, plan_pairwise
from infogeo.pairwise.tile import tile

CACHED_NUMBERS = 2**17
"""Numbers that are encoded at a time: their float64 intermediates stay in a core's cache."""

IN_FLIGHT = 6
"""Parts of tiles that are launched before the first is waited for."""


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
        InputError: the two sets disagree in samples, classes or merging, or the memory does not suffice.
        ArithmeticError: a value below zero by more than rounding can explain.
    """
    if to is not None and to.log_probs.shape[1:] != predictions.log_probs.shape[1:]:
        raise InputError(
            f"to: predicts N={to.n_samples} samples and C={to.n_classes} classes, expected N={predictions.n_samples}, "
            f"C={predictions.n_classes}: the same probe set"
        )
    if to is not None and not same_merging(predictions.coarse_graining, to.coarse_graining):
        raise InputError("to: has other classes merged; use merge_classes(to, keep=predictions.coarse_graining)")
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
    # a rectangle goes row by row: one block of rows, the rest for columns
    rows = _Encoded(predictions, divergence, plan, keep=plan.cached_blocks if to is None else 1)
    columns = rows if to is None else _Encoded(to, divergence, plan, keep=max(1, plan.cached_blocks - 1))
    values = np.empty((plan.n_points, plan.n_columns))
    for done, ((i, j), sums) in enumerate(_tile_sums(plan.tiles, divergence, rows, columns)):
        at, across = plan.block(i, plan.n_points), plan.block(j, plan.n_columns)
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
    tiles: Iterable[tuple[int, int]], divergence: Divergence, rows: _Encoded, columns: _Encoded
) -> Iterator[tuple[tuple[int, int], NDArray[np.float64]]]:
    """Each tile with its sums over all samples: float32 within a block of samples, float64 across."""
    launched = (
        (at, tile(divergence, a, b))
        for at in tiles
        for a, b in zip(rows.block(at[0]), columns.block(at[1]), strict=True)
    )
    for at, parts in groupby(_ahead(launched), key=itemgetter(0)):
        total = np.zeros((rows.plan.tile, rows.plan.tile))
        for _, part in parts:
            total += np.asarray(part)
        yield at, total


def _ahead(launched: Iterator[Any]) -> Iterator[Any]:
    """The same items, IN_FLIGHT of them launched ahead: the device works while the host encodes and adds up."""
    waiting: deque[Any] = deque()
    for item in launched:
        waiting.append(item)
        if len(waiting) > IN_FLIGHT:
            yield waiting.popleft()
    yield from waiting


@dataclass
class _Encoded:
    """Encoded blocks of points, padded to one shape; the most recently used ones are kept.

    A block is a list of arrays [samples, tile, F] on the device, one per block of samples.
    """

    predictions: Predictions
    divergence: Divergence
    plan: Plan
    keep: int
    blocks: OrderedDict[int, list[jax.Array]] = field(default_factory=OrderedDict)
    diagonals: dict[int, NDArray[np.float64]] = field(default_factory=dict)

    def block(self, index: int) -> list[jax.Array]:
        """Block `index`, read and encoded unless it is kept."""
        if index in self.blocks:
            self.blocks.move_to_end(index)
            return self.blocks[index]
        while len(self.blocks) >= self.keep:
            self.blocks.popitem(last=False)
        log_probs = np.asarray(self.predictions.log_probs[self.plan.block(index, self.predictions.n_points)])
        starts = range(0, log_probs.shape[1], self.plan.samples)
        with ThreadPoolExecutor() as pool:  # NumPy lets go of the interpreter while it computes
            self.blocks[index] = list(pool.map(lambda start: self._encode(log_probs, start), starts))
        return self.blocks[index]

    def self_sums(self, index: int) -> NDArray[np.float64]:
        """K(p, p) for each point of a block, by the same arithmetic as every other pair."""
        if index not in self.diagonals:
            _, sums = next(_tile_sums([(index, index)], self.divergence, self, self))
            self.diagonals[index] = np.diagonal(sums).copy()
        return self.diagonals[index]

    def _encode(self, log_probs: NDArray[np.float32], start: int) -> jax.Array:
        """One block of samples [samples, tile, F]; a few points at a time, which stay in the cache."""
        part = log_probs[:, start : start + self.plan.samples]
        features = self.divergence.features(part.shape[2])
        padded = np.zeros((self.plan.samples, self.plan.tile, features), dtype=np.float32)
        padded[..., 0] = self.divergence.filler
        few = max(1, CACHED_NUMBERS // (part.shape[1] * part.shape[2]))
        for first in range(0, len(part), few):
            encoded = self.divergence.encode(part[first : first + few])
            padded[: encoded.shape[1], first : first + len(encoded)] = encoded.swapaxes(0, 1)
        return jnp.asarray(padded)
