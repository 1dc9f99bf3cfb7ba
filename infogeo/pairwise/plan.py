"""The plan of a divergence matrix: its blocks and tiles, what they cost, and what they need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import jax
import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import FEW, Divergence

TILE, MANY_CLASSES_TILE, ACCELERATOR_TILE = 352, 512, 2048
"""Points per side of a tile: running products stay in a core's cache; matrix products pay; an accelerator is full."""
SAMPLES, MANY_CLASSES_SAMPLES = 192, 8
"""Samples that are summed in float32 before the sum goes on in twice its precision."""
OPERAND_BYTES = 128 * 2**20
"""One operand of a tile, a block of points by a block of samples, stays below this."""
TILE_BUFFERS = 56
"""Bytes per pair of a tile that are alive at once: running products, coefficients, sums and their remainders."""
ACCELERATOR_SHARE = 0.6
"""Of an accelerator's memory, for panels."""
OPERATIONS_PER_SECOND = {24: 45e9, 10**9: 25e9}
"""What two CPU cores reach up to so many classes (benchmarks/bench_pairwise.py); for the time shown to the user."""
BYTES_PER_SECOND = 0.5e9
"""What two CPU cores encode."""


@dataclass(frozen=True)
class Layout:
    """What the numbers of a square matrix depend on, bit for bit: the rest of a plan is free.

    Attributes:
        blocks: the points of each block.
        samples: per float32 sum, a multiple of `sample_step`.
    """

    blocks: tuple[NDArray[np.intp], ...]
    samples: int

    @classmethod
    def of(cls, predictions: Predictions, divergence: Divergence) -> Layout:
        """The layout of a new matrix."""
        n_classes = predictions.n_classes
        blocks = blocks_of(np.arange(predictions.n_points), divergence, n_classes)
        return cls(blocks, samples_of(predictions.n_samples, divergence, n_classes, side(blocks[0])))


@dataclass(frozen=True)
class Plan:
    """How a divergence matrix is computed, and what that takes.

    Attributes:
        shape: P (rows), Q (columns), N, C.
        rows: the points of each block of rows; columns: of each block of columns, the same for a square matrix.
        square: whether the columns are the rows, so that the upper triangle is enough.
        samples: per float32 sum, a multiple of `sample_step`.
        ranges: into how many ranges of samples a block is cut, where it does not fit as a whole.
        kept: how many encoded panels, a block of points by a range of samples, are kept in memory.
        workers: tiles that are computed at a time.
        memory_bytes: what the computation needs at its peak, beside Python and JAX themselves.
    """

    shape: tuple[int, int, int, int]
    rows: tuple[NDArray[np.intp], ...] = field(repr=False)
    columns: tuple[NDArray[np.intp], ...] = field(repr=False)
    square: bool
    samples: int
    ranges: int
    kept: int
    workers: int
    memory_bytes: int

    @property
    def tiles(self) -> list[tuple[int, int]]:
        """(row block, column block) of each tile, independent of each other, in the order that reads least.

        A group of row blocks is held while the columns pass by. In a square, the tiles on the diagonal come with
        the first group: every other tile needs the sums of its points with themselves.
        """
        return list(_order(len(self.rows), len(self.columns), self.square, self.group))

    @property
    def group(self) -> int:
        """Row blocks that are held while the columns pass by."""
        return max(1, self.kept // self.ranges - 1)

    @property
    def pairs(self) -> int:
        """Unordered pairs of points, or all pairs of a rectangle."""
        p, q, _, _ = self.shape
        return p * (p + 1) // 2 if self.square else p * q

    @property
    def operations(self) -> int:
        """Multiplications and additions: 2 C for each sample of a pair."""
        _, _, n, c = self.shape
        return 2 * c * n * self.pairs

    @property
    def bytes_read(self) -> int:
        """Log-probabilities that are read, again and again where memory is short."""
        p, q, n, c = self.shape
        points = p if self.square else p + q
        blocks = len(self.rows) + (0 if self.square else len(self.columns))
        again = 1.0
        if self.kept < blocks * self.ranges:
            again = _blocks_read(len(self.rows), len(self.columns), self.square, self.group) / blocks
        return int(4 * n * c * points * again)

    @property
    def seconds(self) -> float:
        """A rough expectation on two CPU cores."""
        rate = next(rate for most, rate in OPERATIONS_PER_SECOND.items() if self.shape[3] <= most)
        return 0.5 + self.operations / rate + self.bytes_read / BYTES_PER_SECOND

    def range_of(self, index: int) -> slice:
        """The samples of a range: whole sums of `samples`, but for the last."""
        n = self.shape[2]
        size = -(-n // self.samples // self.ranges) * self.samples
        return slice(min(index * size, n), min((index + 1) * size, n))


def plan_pairwise(
    predictions: Predictions,
    divergence: Divergence,
    to: Predictions | None = None,
    memory: int | None = None,
    *,
    layout: Layout | None = None,
) -> Plan:
    """The plan for the divergences of P points among themselves, or to the Q points of `to`.

    Args:
        predictions: the points of the rows.
        divergence: which divergence.
        to: the points of the columns; by default the rows themselves, of which the upper triangle is computed.
        memory: the bytes that the computation may take; by default all encoded predictions are kept.
        layout: of a square matrix that lies on disk, where it takes no memory.

    Raises:
        InputError: the memory given is less than the matrix and a few panels.
    """
    p, n, c = predictions.n_points, predictions.n_samples, predictions.n_classes
    q = p if to is None else to.n_points
    features = divergence.features(c)
    on_disk, layout = layout is not None, layout or Layout.of(predictions, divergence)
    rows, samples = layout.blocks, layout.samples
    columns = rows if to is None else blocks_of(np.arange(q), divergence, c)
    tile, workers = max(side(block) for block in (*rows, *columns)), workers_of_this_machine()
    working = workers * (3 * 4 * samples * features * tile + TILE_BUFFERS * tile**2) + (0 if on_disk else 8 * p * q)
    # a panel that is being encoded exists three times; each worker may hold two that are no longer kept
    panels, spare = len(rows) + (0 if to is None else len(columns)), 2 * workers + 3
    sample_bytes = 4 * tile * features
    kept, ranges = _panels(panels, sample_bytes, n, samples, spare, _room(memory, working))
    need = working + min(kept + spare, panels * ranges + 3) * sample_bytes * -(-n // ranges)
    if memory is not None and need > memory:
        where = "" if on_disk else ", or keep the matrix on disk (directory=, --tiles DIR)"
        raise InputError(f"memory: {memory} bytes are not enough; this needs at least {need}{where}")
    return Plan((p, q, n, c), rows, columns, to is None, samples, ranges, kept, workers, need)


def _room(memory: int | None, working: int) -> int | None:
    """The bytes left for panels: of the memory given, and of an accelerator's own."""
    limits = [] if memory is None else [memory - working]
    statistics = jax.local_devices()[0].memory_stats()
    if statistics and "bytes_limit" in statistics:
        limits.append(int(ACCELERATOR_SHARE * statistics["bytes_limit"]))
    return min(limits, default=None)


def _panels(blocks: int, sample_bytes: int, n: int, samples: int, spare: int, room: int | None) -> tuple[int, int]:
    """How many panels are kept, and into how many ranges of samples a block is cut."""
    if blocks == 1:  # for one tile, which uses every part once
        return 0, 1
    if room is None or room >= (blocks + 3) * sample_bytes * n:
        return blocks, 1
    least, ranges = min(blocks, 2) + spare, 1
    while room < least * sample_bytes * -(-n // ranges) and ranges * samples < n:
        ranges += 1
    fit = room // (sample_bytes * -(-n // ranges)) - spare
    return max(min(blocks, 2), min(fit, blocks * ranges)), ranges


def blocks_of(points: NDArray[np.intp], divergence: Divergence, n_classes: int) -> tuple[NDArray[np.intp], ...]:
    """Points in balanced blocks of at most a tile, fewer where one operand of a tile would exceed OPERAND_BYTES."""
    features, step = divergence.features(n_classes), sample_step(divergence, n_classes)
    tile = TILE if n_classes <= FEW else MANY_CLASSES_TILE
    if jax.default_backend() != "cpu":
        tile = ACCELERATOR_TILE
    most = max(16, min(tile, OPERAND_BYTES // (4 * step * features) // 16 * 16))
    blocks = -(-len(points) // most)
    size = -(-len(points) // blocks // 16) * 16
    return tuple(points[start : start + size] for start in range(0, len(points), size))


def sample_step(divergence: Divergence, n_classes: int) -> int:
    """What the samples of a float32 sum are a multiple of: `Divergence.block` takes so many at once, or a divisor."""
    return 16 if n_classes <= FEW and divergence.features(n_classes) <= 64 else 2


def samples_of(n_samples: int, divergence: Divergence, n_classes: int, tile: int) -> int:
    """Samples per float32 sum: up to SAMPLES, those that fill up least, the most of equals."""
    features, step = divergence.features(n_classes), sample_step(divergence, n_classes)
    fit = max(step, OPERAND_BYTES // (4 * tile * features))
    most = min(SAMPLES if n_classes <= FEW else MANY_CLASSES_SAMPLES, fit, -(-n_samples // step) * step)
    return min(range(step, most + 1, step), key=lambda size: (-(-n_samples // size) * size // 32, -size))


def side(block: NDArray[np.intp]) -> int:
    """The side of a tile for a block of points: the next multiple of 16, what a vector register holds."""
    return -(-len(block) // 16) * 16


def workers_of_this_machine() -> int:
    """Tiles at a time: one per core of a CPU, so that none waits for another; two per accelerator."""
    if jax.default_backend() == "cpu":
        return max(os.cpu_count() or 1, jax.local_device_count())
    return 2 * jax.local_device_count()


def _order(rows: int, columns: int, square: bool, group: int) -> Iterator[tuple[int, int]]:
    for first in range(0, rows, group):
        held = range(first, min(first + group, rows))
        for j in range(first if square else 0, columns):
            if square and first == 0:
                yield j, j
            yield from ((i, j) for i in held if not square or i < j)


def _blocks_read(rows: int, columns: int, square: bool, group: int) -> int:
    """How often a block is read in that order, where a group of rows and the passing column are kept."""
    groups = range(0, rows, group)
    return sum(columns - first if square else min(group, rows - first) + columns for first in groups)
