"""The rows of a divergence matrix in parts, and single entries: from memory or from tiles on disk, never the whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from infogeo.core.linalg import row_blocks
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.tiled import TiledValues

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

ROWS = 128
"""Rows of a matrix in memory that are looked at at once."""


def row_parts(matrix: PairwiseMatrix) -> Iterator[tuple[Indices, Array]]:
    """(the rows' numbers [B], the rows [B, P]) until all P are given; those on disk by blocks of tiles."""
    values = matrix.values
    if isinstance(values, TiledValues):
        for block in values.blocks:
            yield block, values[block]
    else:
        for start, stop in row_blocks(len(values), ROWS):
            yield np.arange(start, stop), values[start:stop]


def entries(matrix: PairwiseMatrix, rows: Indices, columns: Indices) -> Array:
    """The divergences [M] between points rows [M] and columns [M], in one pass."""
    if not isinstance(matrix.values, TiledValues):
        return matrix.values[rows, columns]
    found = np.empty(len(rows))
    for numbers, part in row_parts(matrix):
        place = np.full(matrix.shape[0], -1)
        place[numbers] = np.arange(len(numbers))
        ours = np.flatnonzero(place[rows] >= 0)
        found[ours] = part[place[rows[ours]], columns[ours]]
    return found


def part_bytes(matrix: PairwiseMatrix) -> int:
    """How many bytes the largest of the `row_parts` takes."""
    values = matrix.values
    rows = max(map(len, values.blocks)) if isinstance(values, TiledValues) else min(ROWS, len(values))
    return 8 * rows * matrix.shape[1]
