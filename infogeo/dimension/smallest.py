"""The smallest entries of every row of a matrix, and where they are."""

from __future__ import annotations

import numpy as np

from infogeo.dimension.rows import Array, Indices

PILES = 4
"""Piles of columns for each entry that is wanted, at least: two of the smallest are then rarely on one pile."""


def smallest(values: Array, count: int) -> tuple[Array, Indices]:
    """The smallest entries of each row [B, count], ascending, and their columns; of equal ones the first columns.

    Columns are put on piles by folding the rows in half, again and again. The count-th smallest of the minima of the
    piles is a bound that at least `count` entries of the row do not exceed, and hardly more: one comparison finds
    them, and only they are sorted. Both passes run at the speed of memory, which a partition of the rows does not.

    Args:
        values: [B, Q] without NaN.
        count: 1 to Q.
    """
    n_rows, n_columns = values.shape
    minima = values
    while minima.shape[1] >= 2 * PILES * count:
        half = minima.shape[1] // 2
        minima = np.minimum(minima[:, :half], minima[:, half : 2 * half])
    bounds = np.partition(minima, count - 1, axis=1)[:, count - 1, None]
    row, column = np.divmod(np.flatnonzero(values <= bounds), n_columns)
    counts = np.bincount(row, minlength=n_rows)
    place = np.arange(len(row)) - (np.cumsum(counts) - counts)[row]
    near = np.full((n_rows, counts.max(initial=count)), np.inf)
    near[row, place] = values[row, column]
    columns = np.zeros(near.shape, dtype=np.intp)
    columns[row, place] = column
    order = np.argsort(near, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(near, order, axis=1), np.take_along_axis(columns, order, axis=1)
