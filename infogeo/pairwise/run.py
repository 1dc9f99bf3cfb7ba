"""From predictions to divergences: encoded panels of points, tile by tile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle
from os import PathLike
from pathlib import Path

import jax
import numpy as np
from numpy.typing import NDArray

from infogeo.core.coarse import same_merging
from infogeo.core.errors import InputError
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import Divergence, Total
from infogeo.pairwise.directory import Tile, TileDirectory
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.panels import Device, Panels
from infogeo.pairwise.plan import Plan, plan_pairwise, side
from infogeo.pairwise.tile import Encoded, diagonal_tile, finished, tile
from infogeo.pairwise.tiled import TiledValues

Progress = Callable[[int, int], None]


def pairwise_divergence(
    predictions: Predictions,
    divergence: Divergence,
    *,
    to: Predictions | None = None,
    progress: Progress | None = None,
    memory: int | None = None,
    directory: str | PathLike[str] | None = None,
) -> PairwiseMatrix:
    """Divergences between all checkpoints [P, P], or to those of `to` [P, Q], in nats (mean over samples).

    Float32 inside a block of samples, twice that across blocks. A square matrix is symmetric with a zero diagonal
    by construction. Values that round to just below zero are set to zero and counted. Tiles of the matrix are
    spread over all local devices, and over the cores of a CPU.

    Args:
        predictions: P checkpoints on one probe set.
        divergence: which divergence, for example `Bhattacharyya()`.
        to: other checkpoints on the same probe set, for a rectangular matrix.
        progress: called with (tiles done, tiles in all).
        memory: the bytes that the computation may take; see `plan_pairwise`.
        directory: where tiles are kept as they are finished. A run that was killed goes on from there, with the
            same numbers as if it had not been; checkpoints that are new since then cost only their own pairs. With
            `memory` the matrix stays there, and is read when needed.

    Raises:
        InputError: the two sets disagree in samples, classes or merging, the memory does not suffice, or the directory
            holds other points or another divergence, or is in use.
        ArithmeticError: a value below zero by more than rounding can explain.
    """
    if to is not None and to.log_probs.shape[1:] != predictions.log_probs.shape[1:]:
        raise InputError(
            f"to: predicts N={to.n_samples} samples and C={to.n_classes} classes, expected N={predictions.n_samples}, "
            f"C={predictions.n_classes}: the same probe set"
        )
    if to is not None and not same_merging(predictions.coarse_graining, to.coarse_graining):
        raise InputError("to: has other classes merged; use merge_classes(to, keep=predictions.coarse_graining)")
    report = progress or (lambda done, total: None)
    if directory is not None:
        if to is not None:
            raise InputError("directory: keeps square matrices; leave it out for divergences to other points")
        return _on_disk(predictions, divergence, Path(directory), memory, report)
    plan = plan_pairwise(predictions, divergence, to, memory)
    values, clipped = np.empty(plan.shape[:2]), 0
    for done, made in enumerate(_Engine.of(plan, predictions, divergence, to).tiles(plan.tiles)):
        at, across = _span(plan.rows[made.row]), _span(plan.columns[made.column])
        values[at, across] = made.values
        if plan.square:
            values[across, at] = made.values.T
        clipped += made.clipped
        report(done + 1, len(plan.tiles))
    return _matrix(plan, predictions, divergence, to, values, clipped)


def _span(block: NDArray[np.intp]) -> slice:
    """A block of consecutive points as a slice."""
    return slice(int(block[0]), int(block[-1]) + 1)


def _on_disk(
    predictions: Predictions, divergence: Divergence, path: Path, memory: int | None, report: Progress
) -> PairwiseMatrix:
    """The square matrix whose tiles lie in a directory: those that are missing are computed first."""
    with TileDirectory.opened(path, predictions, divergence) as tiles, _kept_on_interrupt(path):
        plan = plan_pairwise(predictions, divergence, None, memory, layout=tiles.layout)
        missing = [at for at in plan.tiles if at not in tiles]
        done = len(plan.tiles) - len(missing)
        engine = _Engine.of(plan, predictions, divergence, None)
        engine.rows.self_sums.update(tiles.self_sums())
        for made in engine.tiles(missing):
            tiles.write(made)
            done += 1
            report(done, len(plan.tiles))
        values, clipped = tiles.values(), tiles.clipped
    if memory is None or 8 * len(predictions.points) ** 2 + plan.memory_bytes <= memory:
        values = np.asarray(values)
    return _matrix(plan, predictions, divergence, None, values, clipped)


@contextmanager
def _kept_on_interrupt(path: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; finished tiles are kept in {path}, run again to go on") from None


def _matrix(
    plan: Plan,
    predictions: Predictions,
    divergence: Divergence,
    to: Predictions | None,
    values: NDArray[np.float64] | TiledValues,
    clipped: int,
) -> PairwiseMatrix:
    return PairwiseMatrix(
        values=values,
        points=predictions.points,
        columns=None if to is None else to.points,
        divergence=divergence.name,
        fisher_factor=divergence.fisher_factor,
        n_samples=predictions.n_samples,
        floored=predictions.floored + (0 if to is None else to.floored),
        clipped=clipped,
    )


@dataclass
class _Engine:
    """Computes tiles, several at a time.

    Attributes:
        plan: the blocks.
        divergence: which divergence.
        rows, columns: where encoded panels come from, the same for a square matrix.
    """

    plan: Plan
    divergence: Divergence
    rows: Panels
    columns: Panels

    @classmethod
    def of(cls, plan: Plan, predictions: Predictions, divergence: Divergence, to: Predictions | None) -> _Engine:
        rows = Panels(predictions.log_probs, plan.rows, divergence, plan, plan.kept)
        if to is None:
            return cls(plan, divergence, rows, rows)
        rows.keep = plan.group * plan.ranges
        keep = max(1, plan.kept - rows.keep)
        return cls(plan, divergence, rows, Panels(to.log_probs, plan.columns, divergence, plan, keep))

    def tiles(self, wanted: Iterable[tuple[int, int]]) -> Iterator[Tile]:
        """Finished tiles, in the order wanted, a few computed ahead; local devices take turns."""
        waiting: deque[Future[Tile]] = deque()
        with ThreadPoolExecutor(self.plan.workers) as encoders, ThreadPoolExecutor(self.plan.workers) as pool:
            self.rows.encoders = self.columns.encoders = encoders
            for (i, j), device in zip(wanted, cycle(jax.local_devices()), strict=False):
                waiting.append(pool.submit(self._tile, i, j, device))
                if len(waiting) > self.plan.workers:
                    yield waiting.popleft().result()
            for tile_ in waiting:
                yield tile_.result()

    def _tile(self, i: int, j: int, device: Device) -> Tile:
        """d = (K(p, q) - K(p, p) / 2 - K(q, q) / 2) / N between two blocks."""
        own = self.columns is self.rows and i == j
        sums = self._upper_sums(self.rows, i, device) if own else self._sums(i, j, device)
        a, b = self._self_sums(self.rows, i, device), self._self_sums(self.columns, j, device)
        d = sums[: len(a), : len(b)]
        d -= a[:, None] / 2
        d -= b / 2
        d /= self.plan.shape[2]
        if own:
            d = np.triu(d, 1)
            d += d.T
        lowest, bound, clipped = float(d.min()), 2 * self.divergence.rounding(self.plan.shape[3]), 0
        if lowest < -bound:
            raise ArithmeticError(
                f"{self.divergence.name}: value {lowest:.3g} lies below the rounding bound -{bound:.3g}"
            )
        if lowest < 0:
            clipped = int(np.count_nonzero(d < 0)) // (2 if own else 1)
            np.maximum(d, 0.0, out=d)
        return Tile(i, j, d, clipped, a if own else None)

    def _self_sums(self, panels: Panels, block: int, device: Device) -> NDArray[np.float64]:
        """K(p, p) of a block, by the same arithmetic as every other pair."""
        if block not in panels.self_sums:
            self._upper_sums(panels, block, device)
        return panels.self_sums[block]

    def _upper_sums(self, panels: Panels, block: int, device: Device) -> NDArray[np.float64]:
        """K [side, side] of a block with itself, right on and above the diagonal."""
        height = side(panels.blocks[block])
        parts = self._parts(panels, block, device)
        sums = self._summed((height, height), device, (partial(diagonal_tile, self.divergence, a=x) for x in parts))
        panels.self_sums[block] = np.diagonal(sums)[: len(panels.blocks[block])].copy()
        return sums

    def _sums(self, i: int, j: int, device: Device) -> NDArray[np.float64]:
        """K [side, side] between a block of rows and a block of columns."""
        shape = side(self.plan.rows[i]), side(self.plan.columns[j])
        pairs = zip(self._parts(self.rows, i, device), self._parts(self.columns, j, device), strict=True)
        return self._summed(shape, device, (partial(tile, self.divergence, a=x, b=y) for x, y in pairs))

    def _summed(
        self, shape: tuple[int, int], device: Device, blocks: Iterable[Callable[..., Total]]
    ) -> NDArray[np.float64]:
        """K after all blocks, at most one of which waits on the device: parts of panels pile up otherwise."""
        total = jax.device_put(self.divergence.start(*shape), device)
        for block in blocks:
            before, total = total, block(total=total)
            jax.block_until_ready(before)
        large, small = finished(self.divergence, total)
        sums = np.multiply(small, self.divergence.unit, dtype=np.float64)
        sums += np.asarray(large)
        return sums

    def _parts(self, panels: Panels, block: int, device: Device) -> Iterator[Encoded]:
        return chain.from_iterable(panels.panel(block, r, device) for r in range(self.plan.ranges))
