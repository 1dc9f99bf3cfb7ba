"""The plan of a divergence matrix: its tiles, what they cost, and what they need."""

from __future__ import annotations

from dataclasses import dataclass

from infogeo.core.errors import InputError
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import Divergence

TILE = 256
"""Points per side of a tile: its running products stay in a core's cache."""
SAMPLES = 192
"""Samples that are summed in float32 before the host goes on in float64."""
OPERAND_BYTES = 64 * 2**20
"""One operand of a tile, a block of points by a block of samples, stays below this."""
TILE_BUFFERS = 24
"""Arrays of the size of a tile that are alive at once: groups of coefficients of the parts in flight."""
COEFFICIENTS_PER_SECOND = 1.0e9
"""What two CPU cores reach at C = 10 (benchmarks/bench_pairwise.py); only the time shown to the user needs it."""


@dataclass(frozen=True)
class Plan:
    """How a divergence matrix is computed, and what that takes.

    Attributes:
        n_points: P (rows), n_columns: Q, n_samples: N, n_classes: C.
        tile: points per side of a tile; samples: per float32 sum.
        tiles: (row block, column block) of each tile, independent of each other.
        cached_blocks: how many encoded blocks of points are kept in memory.
        memory_bytes: what the computation needs at its peak, beside Python and JAX themselves.
        seconds: a rough expectation on two CPU cores.
    """

    n_points: int
    n_columns: int
    n_samples: int
    n_classes: int
    tile: int
    samples: int
    tiles: tuple[tuple[int, int], ...]
    cached_blocks: int
    memory_bytes: int
    seconds: float

    def block(self, index: int, size: int) -> slice:
        """The points of a block, out of `size`."""
        return slice(index * self.tile, min((index + 1) * self.tile, size))


def plan_pairwise(
    predictions: Predictions, divergence: Divergence, to: Predictions | None = None, memory: int | None = None
) -> Plan:
    """The plan for the divergences of P points among themselves, or to the Q points of `to`.

    Args:
        predictions: the points of the rows.
        divergence: which divergence.
        to: the points of the columns; by default the rows themselves, of which the upper triangle is computed.
        memory: the bytes that the computation may take; by default all encoded predictions are kept.

    Raises:
        InputError: the memory given is less than the matrix and two blocks of points.
    """
    p, n, c = predictions.n_points, predictions.n_samples, predictions.n_classes
    q = p if to is None else to.n_points
    features = divergence.features(c)
    tile = _tile_side(max(p, q), features)
    samples = _sample_block(n, max(16, OPERAND_BYTES // (4 * tile * features)))
    rows, columns = -(-p // tile), -(-q // tile)
    if to is None:  # the diagonal first: every other tile needs its points' sums with themselves
        tiles = [(i, i) for i in range(rows)] + [(i, j) for i in range(rows) for j in range(i + 1, columns)]
    else:
        tiles = [(i, j) for i in range(rows) for j in range(columns)]
    block_bytes = 4 * tile * n * features
    working = 8 * p * q + 4 * tile * n * c + 4 * tile * (2 * samples * features + TILE_BUFFERS * tile)
    wanted = rows + (0 if to is None else columns)
    cached = wanted if memory is None else min(wanted, (memory - working) // block_bytes)
    if cached < min(2, wanted):
        need = working + min(2, wanted) * block_bytes
        raise InputError(f"memory: {memory} bytes are not enough; this needs at least {need} ({need / 2**20:.1f}MB)")
    pairs = p * (p + 1) / 2 if to is None else p * q
    return Plan(
        n_points=p,
        n_columns=q,
        n_samples=n,
        n_classes=c,
        tile=tile,
        samples=samples,
        tiles=tuple(tiles),
        cached_blocks=cached,
        memory_bytes=working + cached * block_bytes,
        seconds=1.0 + pairs * n * max(1, c / 8) / COEFFICIENTS_PER_SECOND,
    )


def _sample_block(n_samples: int, most: int) -> int:
    """The multiple of 16 up to SAMPLES that fills up least, the largest of equals."""
    sizes = range(16, min(SAMPLES, most, -(-n_samples // 16) * 16) + 1, 16)
    return min(sizes, key=lambda size: (-(-n_samples // size) * size // 32, -size))


def _tile_side(points: int, features: int) -> int:
    """Balanced blocks of at most TILE points, a multiple of 16, whose smallest operand fits OPERAND_BYTES."""
    most = max(16, min(TILE, OPERAND_BYTES // (4 * 16 * features) // 16 * 16))
    blocks = -(-points // most)
    return -(-points // blocks // 16) * 16
