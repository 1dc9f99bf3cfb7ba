"""From predictions to divergences: blocks of columns pass by blocks of rows that are held, tile by tile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from os import PathLike
from pathlib import Path
from threading import Event
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from infogeo.core.arguments import check_divergence, check_record
from infogeo.core.coarse import same_merging
from infogeo.core.errors import InputError
from infogeo.core.predictions import Predictions
from infogeo.core.probe import check_same_samples
from infogeo.divergences.base import Divergence, Total
from infogeo.pairwise.buffers import give_back_memory
from infogeo.pairwise.directory import Tile, TileDirectory
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.panels import Device, Panel, Panels
from infogeo.pairwise.plan import Group, Plan, Strip, plan_pairwise
from infogeo.pairwise.tile import deviations, diagonal_tile, diagonals_of_groups, finished, tile
from infogeo.pairwise.tiled import TiledValues, put

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
    check_record("predictions", predictions, Predictions)
    check_record("to", to, Predictions, optional=True)
    check_divergence(divergence)
    if to is not None and to.log_probs.shape[1:] != predictions.log_probs.shape[1:]:
        raise InputError(
            f"to: predicts N={to.n_samples} samples and C={to.n_classes} classes, expected N={predictions.n_samples}, "
            f"C={predictions.n_classes}: the same probe set"
        )
    if to is not None:
        check_same_samples(predictions.probe, to.probe, "predictions", "to")
    if to is not None and not same_merging(predictions.coarse_graining, to.coarse_graining):
        raise InputError("to: has other classes merged; use merge_classes(to, keep=predictions.coarse_graining)")
    report = progress or (lambda done, total: None)
    if directory is not None:
        if to is not None:
            raise InputError("directory: keeps square matrices; leave it out for divergences to other points")
        return _on_disk(predictions, divergence, Path(directory), memory, report)
    plan = plan_pairwise(predictions, divergence, to, memory)
    return computed(plan, predictions, divergence, to=to, progress=report)


def computed(
    plan: Plan,
    predictions: Predictions,
    divergence: Divergence,
    groups: tuple[int, ...] = (),
    keep: Callable[[Tile], None] | None = None,
    progress: Progress | None = None,
    *,
    to: Predictions | None = None,
) -> PairwiseMatrix:
    """The matrix of a plan, in memory.

    Args:
        plan: of these predictions.
        predictions: the rows.
        divergence: which divergence.
        groups: how many float32 sums of the plan belong to each group of samples that is told apart.
        keep: is given every tile.
        progress: called with (tiles done, tiles in all).
        to: the columns, where they are others.
    """
    report = progress or (lambda done, total: None)
    values, clipped = np.empty(plan.shape[:2]), []

    def put_down(made: Tile) -> None:
        put(values, plan.rows[made.row], plan.columns[made.column], made.values, mirrored=plan.square)
        clipped.append(made.clipped)
        if keep is not None:
            keep(made)

    engine = _Engine.of(plan, predictions, divergence, to, groups)
    engine.compute(plan.tiles, put_down, lambda done: report(done, len(plan.tiles)))
    return _matrix(plan, predictions, divergence, to, values, sum(clipped))


def _on_disk(
    predictions: Predictions, divergence: Divergence, path: Path, memory: int | None, report: Progress
) -> PairwiseMatrix:
    """The square matrix whose tiles lie in a directory: those that are missing are computed first."""
    with TileDirectory.opened(path, predictions, divergence) as tiles, _kept_on_interrupt(path):
        plan = plan_pairwise(predictions, divergence, None, memory, layout=tiles.layout)
        size = len(predictions.points)
        whole = np.empty((size, size)) if memory is None or 8 * size**2 + plan.memory_bytes <= memory else None
        self_sums = tiles.check(whole)
        missing = [at for at in plan.tiles if at not in tiles]
        found = len(plan.tiles) - len(missing)

        def keep(made: Tile) -> None:
            tiles.write(made)
            if whole is not None:
                put(whole, plan.rows[made.row], plan.rows[made.column], made.values, mirrored=True)

        engine = _Engine.of(plan, predictions, divergence, None)
        engine.rows.know({i: own[None] for i, own in self_sums.items()})
        engine.compute(missing, keep, lambda done: report(found + done, len(plan.tiles)))
        values, clipped = tiles.values() if whole is None else whole, tiles.clipped
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


class Sums(NamedTuple):
    """K of two blocks of points [P, Q].

    Attributes:
        whole: of all samples, float64.
        groups: totals before the first group of samples and after each of them, filled up to the size of a tile.
    """

    whole: NDArray[np.float64]
    groups: tuple[Total, ...]


Held = dict[tuple[int, Device], Panel]
"""The panels that all strips of a group share, by block and device."""


@dataclass
class _Engine:
    """Computes the tiles of a plan, several strips at a time.

    Attributes:
        plan: the blocks.
        divergence: which divergence.
        rows, columns: where panels come from, the same for a square matrix.
        groups: how many float32 sums belong to each group of samples; empty where groups are not told apart.
    """

    plan: Plan
    divergence: Divergence
    rows: Panels
    columns: Panels
    groups: tuple[int, ...] = ()
    _stopped: Event = field(default_factory=Event)

    @classmethod
    def of(
        cls,
        plan: Plan,
        predictions: Predictions,
        divergence: Divergence,
        to: Predictions | None,
        groups: tuple[int, ...] = (),
    ) -> _Engine:
        rows = Panels(predictions.log_probs, plan.rows, divergence, plan)
        columns = rows if to is None else Panels(to.log_probs, plan.columns, divergence, plan)
        return cls(plan, divergence, rows, columns, groups)

    def compute(
        self, wanted: Collection[tuple[int, int]], keep: Callable[[Tile], None], report: Callable[[int], None]
    ) -> None:
        """Compute the tiles that are wanted, in the order of the plan; local devices take turns.

        Args:
            wanted: which tiles.
            keep: takes every tile when it is finished, in any order, in the thread that made it.
            report: called with the number of tiles that are kept, in this thread. What it raises, an interrupt
                included, stops the work at the next block of samples; tiles that are finished have been kept.
        """
        devices, workers = cycle(jax.local_devices()), self.plan.workers
        with ThreadPoolExecutor(workers) as readers, ThreadPoolExecutor(workers) as pool:
            self.rows.readers = self.columns.readers = readers
            waiting: deque[Future[int]] = deque()
            done = 0
            try:
                for group in self._groups(set(wanted)):
                    held = self._held(group, pool)
                    for strip in group.strips:
                        own = None if strip.column in self.columns.self_sums else Future()
                        if own is not None:
                            self.columns.self_sums[strip.column] = own
                        waiting.append(pool.submit(self._strip, strip, held, next(devices), own, keep))
                        if len(waiting) > workers:
                            done += waiting.popleft().result()
                            report(done)
                    while waiting:  # the next group needs the memory of this one
                        done += waiting.popleft().result()
                        report(done)
                    held.clear()
                    self._give_back_memory()
            except BaseException:
                self._stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _groups(self, wanted: set[tuple[int, int]]) -> Iterator[Group]:
        """What is left of the plan's groups when only some tiles are wanted."""
        for held, strips in self.plan.groups:
            left = [
                Strip(strip.column, rows)
                for strip in strips
                if (rows := tuple(i for i in strip.rows if (i, strip.column) in wanted))
            ]
            if left:
                yield Group(held, left)

    def _held(self, group: Group, pool: Executor) -> Held:
        """The panels that a group holds; in a rectangle, the sums of its rows with themselves are begun."""
        devices = jax.local_devices()
        held = {(i, device): self.rows.panel(i, device, held=True) for i in group.held for device in devices}
        if not self.plan.square:
            for i in {i for strip in group.strips for i in strip.rows}:
                panel = held.get((i, devices[0])) or self.rows.panel(i, devices[0])
                self.rows.self_sums[i] = pool.submit(self._own_sums, panel)
        return held

    def _strip(
        self,
        strip: Strip,
        held: Held,
        device: Device,
        own: Future[NDArray[np.float64]] | None,
        keep: Callable[[Tile], None],
    ) -> int:
        """Compute and keep the tiles of a strip, while its columns pass by once; how many there are.

        Where the sums of the columns with themselves are not known, they are made too, and `own` tells the other
        strips, which have all been started later.
        """
        j, square = strip.column, self.plan.square
        rows = [i for i in strip.rows if not (square and i == j)]
        try:
            panels = [held.get((i, device)) or self.rows.panel(i, device) for i in rows]
            column = (held.get((j, device)) if square else None) or self.columns.panel(j, device)
            sums = self._sums(column, panels, own=own is not None)
            if own is not None:
                mine = sums.pop(0)
                own.set_result(self._diagonal(mine, column))
                if square:
                    keep(self._tile(j, j, mine))
        except BaseException as error:
            if own is not None and not own.done():
                own.set_exception(error)
            raise
        for i, found in zip(rows, sums, strict=True):
            keep(self._tile(i, j, found))
        return len(strip.rows)

    def _tile(self, i: int, j: int, sums: Sums) -> Tile:
        """d = (K(p, q) - K(p, p) / 2 - K(q, q) / 2) / N between two blocks."""
        own = self.plan.square and i == j
        all_a, all_b = self.rows.self_sums[i].result(), self.columns.self_sums[j].result()
        a, b = all_a[0], all_b[0]
        d = sums.whole[: len(a), : len(b)]
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
        apart = self._deviations(own, sums.groups, (all_a[1:], all_b[1:]), d) if self.groups else None
        return Tile(i, j, d, clipped, a if own else None, apart)

    def _deviations(
        self,
        diagonal: bool,
        totals: tuple[Total, ...],
        own: tuple[NDArray[np.float64], NDArray[np.float64]],
        d: NDArray[np.float64],
    ) -> NDArray[np.float16]:
        """What each group of samples says apart from all, see `tile.deviations`; operands are filled up with zeros."""
        n, edges = self.plan.shape[2], np.cumsum((0, *self.groups)) * self.plan.samples
        sizes = np.diff(np.minimum(edges, n)).astype(np.float32)
        height, width = jax.tree.leaves(totals)[0].shape
        a, b = (
            np.pad(sides, ((0, 0), (0, size - sides.shape[1]))).astype(np.float32)
            for sides, size in zip(own, (height, width), strict=True)
        )
        whole = np.zeros((height, width), dtype=np.float32)
        whole[: d.shape[0], : d.shape[1]] = d
        made = deviations(
            self.divergence, diagonal, totals, (jnp.asarray(a), jnp.asarray(b)), jnp.asarray(sizes), jnp.asarray(whole)
        )
        return np.ascontiguousarray(np.asarray(made)[:, : d.shape[0], : d.shape[1]])

    def _own_sums(self, panel: Panel) -> NDArray[np.float64]:
        """K(p, p) of a block of points, by the same arithmetic as every other pair."""
        (own,) = self._sums(panel, [], own=True)
        return self._diagonal(own, panel)

    def _diagonal(self, sums: Sums, panel: Panel) -> NDArray[np.float64]:
        """K(p, p) [1 + R, P] of all samples, and of each group."""
        whole = np.diagonal(sums.whole)[None]
        if not sums.groups:
            return whole[:, : panel.n_points].copy()
        of_groups = np.asarray(diagonals_of_groups(self.divergence, sums.groups), dtype=np.float64)
        return np.concatenate([whole, of_groups])[:, : panel.n_points]

    def _sums(self, column: Panel, rows: list[Panel], *, own: bool) -> list[Sums]:
        """K of a block of columns with itself, right on and above the diagonal, and of blocks of rows with it.

        One float32 sum at a time: more would share the caches, and what is read for them piles up.
        """
        heights = [column.height] * own + [row.height for row in rows]
        starts = [jax.device_put(self.divergence.start(height, column.height), column.device) for height in heights]
        totals, groups = list(starts), [[start] if self.groups else [] for start in starts]
        closing = set(np.cumsum(self.groups).tolist())
        running = None
        for count, (y, *xs) in enumerate(zip(column, *rows, strict=True), start=1):
            calls = [partial(diagonal_tile, a=y)] * own + [partial(tile, a=x, b=y) for x in xs]
            for k, call in enumerate(calls):
                jax.block_until_ready(running)
                if self._stopped.is_set():
                    raise CancelledError
                running = totals[k] = call(self.divergence, totals[k])
                if count in closing:
                    groups[k].append(totals[k])
        return [
            Sums(self._in_float64(*finished(self.divergence, total)), tuple(made))
            for total, made in zip(totals, groups, strict=True)
        ]

    def _in_float64(self, large: jax.Array, small: jax.Array) -> NDArray[np.float64]:
        sums = np.multiply(small, self.divergence.unit, dtype=np.float64)
        sums += np.asarray(large)
        return sums

    def _give_back_memory(self) -> None:
        if len(self.plan.groups) > 1:
            self.rows.forget_buffers()
            self.columns.forget_buffers()
            give_back_memory()
