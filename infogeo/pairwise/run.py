"""From predictions to divergences: blocks of columns pass by blocks of rows that are held, tile by tile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from os import PathLike
from pathlib import Path

import jax
import numpy as np
from numpy.typing import NDArray

from infogeo.core.coarse import same_merging
from infogeo.core.errors import InputError
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import Divergence
from infogeo.pairwise.buffers import give_back_memory
from infogeo.pairwise.directory import Tile, TileDirectory
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.panels import Device, Panel, Panels
from infogeo.pairwise.plan import Plan, Strip, plan_pairwise
from infogeo.pairwise.tile import diagonal_tile, finished, tile
from infogeo.pairwise.tiled import TiledValues, span

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

    Float32 inside a block of samples, more precise across blocks. A square matrix is symmetric with a zero diagonal
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
        at, across = span(plan.rows[made.row]), span(plan.columns[made.column])
        values[at, across] = made.values
        if plan.square:
            values[across, at] = made.values.T
        clipped += made.clipped
        report(done + 1, len(plan.tiles))
    return _matrix(plan, predictions, divergence, to, values, clipped)


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


Held = dict[tuple[int, Device], Panel]
"""The panels that all strips of a group share, by block and device."""


@dataclass
class _Engine:
    """Computes the tiles of a plan, several strips at a time.

    Attributes:
        plan: the blocks.
        divergence: which divergence.
        rows, columns: where panels come from, the same for a square matrix.
    """

    plan: Plan
    divergence: Divergence
    rows: Panels
    columns: Panels

    @classmethod
    def of(cls, plan: Plan, predictions: Predictions, divergence: Divergence, to: Predictions | None) -> _Engine:
        rows = Panels(predictions.log_probs, plan.rows, divergence, plan)
        columns = rows if to is None else Panels(to.log_probs, plan.columns, divergence, plan)
        return cls(plan, divergence, rows, columns)

    def tiles(self, wanted: Collection[tuple[int, int]]) -> Iterator[Tile]:
        """The tiles that are wanted, in the order of the plan, a few strips ahead; local devices take turns."""
        wanted, devices, workers = set(wanted), cycle(jax.local_devices()), self.plan.workers
        with ThreadPoolExecutor(workers) as readers, ThreadPoolExecutor(workers) as pool:
            self.rows.readers = self.columns.readers = readers
            groups = self.plan.groups
            for blocks, strips in groups:
                held: Held = {
                    (i, device): self.rows.panel(i, device, held=True) for i in blocks for device in jax.local_devices()
                }
                waiting: deque[Future[list[Tile]]] = deque()
                for strip in strips:
                    missing = tuple(at[0] for at in strip.tiles if at in wanted)
                    if missing:
                        waiting.append(pool.submit(self._strip, Strip(strip.column, missing), held, next(devices)))
                    if len(waiting) > workers:
                        yield from waiting.popleft().result()
                while waiting:  # the next group needs the memory of this one
                    yield from waiting.popleft().result()
                held.clear()
                if len(groups) > 1:
                    self.rows.forget_buffers()
                    self.columns.forget_buffers()
                    give_back_memory()

    def _strip(self, strip: Strip, held: Held, device: Device) -> list[Tile]:
        """The tiles of a strip, while its columns pass by once."""
        j = strip.column
        on_diagonal = self.columns is self.rows and j in strip.rows
        rows = [i for i in strip.rows if not (on_diagonal and i == j)]
        own = on_diagonal or j not in self.columns.self_sums
        panels = [held.get((i, device)) or self.rows.panel(i, device) for i in rows]
        column = held.get((j, device)) if self.columns is self.rows else None
        sums = self._sums(column or self.columns.panel(j, device), panels, own=own)
        tiles = []
        if own:
            mine = sums.pop(0)
            self.columns.self_sums[j] = np.diagonal(mine)[: len(self.plan.columns[j])].copy()
            tiles = [self._tile(j, j, mine, device)] if on_diagonal else []
        return tiles + [self._tile(i, j, found, device) for i, found in zip(rows, sums, strict=True)]

    def _tile(self, i: int, j: int, sums: NDArray[np.float64], device: Device) -> Tile:
        """d = (K(p, q) - K(p, p) / 2 - K(q, q) / 2) / N between two blocks."""
        own = self.columns is self.rows and i == j
        a, b = self._self_sums(i, device), self.columns.self_sums[j]
        d = sums[: len(a), : len(b)]
        d -= a[:, None] / 2
        d -= b / 2
        d /= self.plan.shape[2]
        if own:
            d = np.triu(d, 1)
            d += d.T
        lowest, bound, clipped = float(d.min()), 2 * self.divergence.rounding(self.plan.shape[3]), 0
        if not lowest >= -bound:  # or not a number
            raise ArithmeticError(
                f"{self.divergence.name}: value {lowest:.3g} lies below the rounding bound -{bound:.3g}"
            )
        if lowest < 0:
            clipped = int(np.count_nonzero(d < 0)) // (2 if own else 1)
            np.maximum(d, 0.0, out=d)
        return Tile(i, j, d, clipped, a if own else None)

    def _self_sums(self, block: int, device: Device) -> NDArray[np.float64]:
        """K(p, p) of a block of rows, by the same arithmetic as every other pair."""
        if block not in self.rows.self_sums:
            (own,) = self._sums(self.rows.panel(block, device), [], own=True)
            self.rows.self_sums[block] = np.diagonal(own)[: len(self.plan.rows[block])].copy()
        return self.rows.self_sums[block]

    def _sums(self, column: Panel, rows: list[Panel], *, own: bool) -> list[NDArray[np.float64]]:
        """K of a block of columns with itself, right on and above the diagonal, and of blocks of rows with it.

        One float32 sum at a time: more would share the caches, and what is read for them piles up.
        """
        heights = [column.height] * own + [row.height for row in rows]
        totals = [jax.device_put(self.divergence.start(height, column.height), column.device) for height in heights]
        running = None
        for y, *xs in zip(column, *rows, strict=True):
            calls = [partial(diagonal_tile, a=y)] * own + [partial(tile, a=x, b=y) for x in xs]
            for k, call in enumerate(calls):
                jax.block_until_ready(running)
                running = totals[k] = call(self.divergence, totals[k])
        return [self._in_float64(*finished(self.divergence, total)) for total in totals]

    def _in_float64(self, large: jax.Array, small: jax.Array) -> NDArray[np.float64]:
        sums = np.multiply(small, self.divergence.unit, dtype=np.float64)
        sums += np.asarray(large)
        return sums
