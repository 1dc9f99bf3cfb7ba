"""The plan of a divergence matrix: its blocks and tiles, what they cost, and what they need."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from infogeo.core.arguments import check_divergence, check_record
from infogeo.core.errors import InputError
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import FEW, Divergence

TILE, MANY_CLASSES_TILE, ACCELERATOR_TILE = 352, 512, 2048
"""Points per side of a tile: running products stay in a core's cache; matrix products pay; an accelerator is full."""
SAMPLES, MANY_CLASSES_SAMPLES = 192, 8
"""Samples that are summed in float32 before the sum goes on in twice its precision."""
OPERAND_BYTES = 128 * 2**20
"""One operand of a tile, a block of points by a block of samples, stays below this."""
TILE_BUFFERS, TOTAL_BYTES = 80, 40
"""Bytes per pair of a tile: those alive while it is computed; and from its total to its divergences on disk."""
RECTANGLE_STRIP = 8
"""Tiles of a strip of a rectangle whose rows are all held."""
TILE_OPERANDS = 3
"""Copies of its operands that a tile may take."""
WINDOW_BYTES, STREAM = 8 * 2**20, 6
"""Predictions are read in windows of about this size: one in use, one ahead, as they are, copied and encoded."""
ACCELERATOR_SHARE = 0.6
"""Of an accelerator's memory, for predictions."""
OPERATIONS_PER_SECOND = {FEW: 60e9, 10**9: 80e9}
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


class Strip(NamedTuple):
    """Tiles of one block of columns, which passes by once for all of them; the diagonal one comes first, if any."""

    column: int
    rows: tuple[int, ...]

    @property
    def tiles(self) -> list[tuple[int, int]]:
        """(row block, column block) of each."""
        return [(row, self.column) for row in self.rows]


class Group(NamedTuple):
    """Blocks of rows that are held together, and the strips of tiles in them."""

    held: range
    strips: list[Strip]


@dataclass(frozen=True)
class Plan:
    """How a divergence matrix is computed, and what that takes.

    Attributes:
        shape: P (rows), Q (columns), N, C.
        rows: the points of each block of rows; columns: of each block of columns, the same for a square matrix.
        square: whether the columns are the rows, so that the upper triangle is enough.
        samples: per float32 sum, a multiple of `sample_step`.
        window: samples that are read at a time, a multiple of `samples`.
        held: how many blocks of rows are held while the columns pass by; 0 where not even one fits.
        workers: strips that are computed at a time.
        memory_bytes: what the computation needs at its peak, beside Python and JAX themselves; predictions that are
            in memory and the matrix included, unless it lies on disk.
    """

    shape: tuple[int, int, int, int]
    rows: tuple[NDArray[np.intp], ...] = field(repr=False)
    columns: tuple[NDArray[np.intp], ...] = field(repr=False)
    square: bool
    samples: int
    window: int
    held: int
    workers: int
    memory_bytes: int

    @property
    def groups(self) -> list[Group]:
        """All tiles, which are independent of each other, in the order that reads least.

        In a square, the tiles on the diagonal come with the first group: every other tile needs the sums of its points
        with themselves.
        """
        groups = []
        for first in range(0, len(self.rows), max(1, self.held)):
            held = range(first, min(first + max(1, self.held), len(self.rows)))
            strips = []
            for j in range(first if self.square else 0, len(self.columns)):
                rows = [i for i in held if not self.square or i < j]
                if self.square and first == 0:
                    rows.insert(0, j)
                size = _strip_length(self.held, len(self.rows), self.square) + (
                    self.held < len(self.rows)
                )  # and the diagonal
                strips += [Strip(j, tuple(rows[start : start + size])) for start in range(0, len(rows), size)]
            groups.append(Group(held if self.held else range(0), strips))
        return groups

    @property
    def tiles(self) -> list[tuple[int, int]]:
        """(row block, column block) of each tile, in the order of computation."""
        return [tile for _, strips in self.groups for strip in strips for tile in strip.tiles]

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
        _, _, n, c = self.shape
        points = 0 if self.square or self.held else self.shape[0]  # for their sums with themselves
        for held, strips in self.groups:
            points += sum(len(self.rows[i]) for i in held)
            for column, rows in strips:
                streamed = [] if held else [i for i in rows if not (self.square and i == column)]
                points += sum(len(self.rows[i]) for i in streamed)
                points += 0 if self.square and column in held else len(self.columns[column])
        return 4 * n * c * points

    @property
    def seconds(self) -> float:
        """A rough expectation on two CPU cores."""
        rate = next(rate for most, rate in OPERATIONS_PER_SECOND.items() if self.shape[3] <= most)
        return 0.5 + self.operations / rate + self.bytes_read / BYTES_PER_SECOND


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
        memory: the bytes that the computation may take, predictions that are in memory included; by default all
            rows are held.
        layout: of a square matrix that lies on disk, where it takes no memory.

    Raises:
        InputError: the memory given is less than the matrix and a few blocks.
    """
    check_record("predictions", predictions, Predictions)
    check_divergence(divergence)
    p, n, c = predictions.n_points, predictions.n_samples, predictions.n_classes
    q = p if to is None else to.n_points
    on_disk, layout = layout is not None, layout or Layout.of(predictions, divergence)
    rows, samples = layout.blocks, layout.samples
    columns = rows if to is None else blocks_of(np.arange(q), divergence, c)
    height, width = (max(side(block) for block in blocks) for blocks in (rows, columns))
    row_part, part = (4 * samples * _row_length(divergence, c) * points for points in (height, width))
    parts, workers = -(-n // samples), workers_of_this_machine()
    alone = to is None and len(rows) == 1  # one tile, which uses everything once
    device_memory = _device_memory()

    def predictions_held(held: int, window: int) -> int:
        streamed = part if held or alone else part + row_part  # columns, and rows where none are held
        return copies * held * row_part * parts + workers * STREAM * window * streamed

    def needed(held: int, window: int) -> int:
        tiles = TILE_BUFFERS + TOTAL_BYTES * (_strip_length(held, len(rows), to is None) + 1)
        working = workers * (TILE_OPERANDS * (row_part + part) + tiles * max(height, width) ** 2)
        return in_memory + working + predictions_held(held, window) + (0 if on_disk else 8 * p * q)

    in_memory = predictions.bytes_in_memory + (0 if to is None else to.bytes_in_memory)
    copies = jax.local_device_count() if device_memory is None else 1
    lazy = not all(isinstance(x.log_probs, np.ndarray) for x in (predictions, to or predictions))
    large = max(1, min(parts, WINDOW_BYTES // part)) if lazy else 1  # what is in memory comes in small pieces, soon
    choices = [(held, window) for window in (large, 1) for held in range(0 if alone else len(rows), -1, -1)]
    for held, window in choices:
        fits = device_memory is None or predictions_held(held, window) <= device_memory or (held, window) == (0, 1)
        if fits and (memory is None or needed(held, window) <= memory):
            read = window * samples
            return Plan((p, q, n, c), rows, columns, to is None, samples, read, held, workers, needed(held, window))
    least = min(needed(*choice) for choice in choices)
    message = f"memory: {memory} bytes are not enough; this needs at least {least}, {-(-least // 2**20)} MB"
    if in_memory:
        message += f", {in_memory / 2**20:.0f} MB of it for predictions that are in memory"
    if not on_disk:
        message += ", less with the matrix on disk (--tiles DIR, in Python directory=)"
    raise InputError(message)


def _strip_length(held: int, blocks: int, square: bool) -> int:
    """Tiles of a strip: all rows that are held.

    Where all are, it is one, whose total stays in the cache: a square's columns are held as well. A rectangle's are
    read again for every strip, so there it is a few.
    """
    if held < blocks:
        return max(1, held)
    return 1 if square else min(held, RECTANGLE_STRIP)


def _device_memory() -> int | None:
    """The bytes for predictions on an accelerator; None on a CPU, whose memory is the machine's."""
    statistics = jax.local_devices()[0].memory_stats()
    return int(ACCELERATOR_SHARE * statistics["bytes_limit"]) if statistics and "bytes_limit" in statistics else None


def blocks_of(points: NDArray[np.intp], divergence: Divergence, n_classes: int) -> tuple[NDArray[np.intp], ...]:
    """Points in balanced blocks of at most a tile, fewer where one operand of a tile would exceed OPERAND_BYTES."""
    length, step = _row_length(divergence, n_classes), sample_step(divergence, n_classes)
    tile = TILE if n_classes <= FEW else MANY_CLASSES_TILE
    if jax.default_backend() != "cpu":
        tile = ACCELERATOR_TILE
    most = max(16, min(tile, OPERAND_BYTES // (4 * step * length) // 16 * 16))
    blocks = -(-len(points) // most)
    size = -(-len(points) // blocks // 16) * 16
    return tuple(points[start : start + size] for start in range(0, len(points), size))


def sample_step(divergence: Divergence, n_classes: int) -> int:
    """What the samples of a float32 sum are a multiple of: `Divergence.block` takes so many at once, or a divisor."""
    return 16 if n_classes <= FEW and divergence.features(n_classes) <= 64 else 2


def _row_length(divergence: Divergence, n_classes: int) -> int:
    """The numbers that stand for one sample of one point: an encoded row, or its raw log-probabilities."""
    return divergence.features(n_classes) if n_classes <= FEW else n_classes


def samples_of(n_samples: int, divergence: Divergence, n_classes: int, tile: int) -> int:
    """Samples per float32 sum: up to SAMPLES, those that fill up least, the most of equals."""
    length, step = _row_length(divergence, n_classes), sample_step(divergence, n_classes)
    fit = max(step, OPERAND_BYTES // (4 * tile * length))
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
