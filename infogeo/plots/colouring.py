"""Which colour a point has: the levels of a column, or its numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.plots import palette

FEW = 8
"""A column of numbers with at most this many distinct values is drawn as ordered groups."""

CONTINUOUS = ("step", "accuracy", "loss")
"""Columns that are numbers along a scale however few their values are."""

NO_VALUE = "(none)"


@dataclass(frozen=True, eq=False)
class Colouring:
    """One column of P points, ready to be drawn.

    Attributes:
        column: its name.
        levels: the names of the groups; empty for a column of numbers along a scale.
        codes: the group of each point [P].
        values: the numbers [P]; None for text.
        ordered: whether the groups have an order (they are numbers).
    """

    column: str
    levels: tuple[str, ...]
    codes: NDArray[np.int32]
    values: NDArray[np.float64] | None
    ordered: bool

    @property
    def continuous(self) -> bool:
        """Whether the points are coloured along a scale and not by group."""
        return not self.levels

    def colours(self, paper: str = "light") -> list[str]:
        """One colour per level, at most 24 distinct: from then on they repeat."""
        known = len(self.levels) - (NO_VALUE in self.levels)
        chosen = palette.ordered(known, paper) if self.ordered else palette.qualitative(min(known, 24), paper)
        colours = [chosen[i % len(chosen)] for i in range(known)]
        return colours + [palette.MISSING] * (len(self.levels) - known)


def column_of(points: Points, name: str) -> NDArray[np.generic]:
    """A column by name.

    Raises:
        InputError: there is no such column; the message names those there are.
    """
    if name not in points.columns:
        raise InputError(f"column '{name}' is not there; choose one of {', '.join(points.columns)}")
    return points.columns[name]


def colouring(points: Points, name: str) -> Colouring:
    """The groups or the numbers of a column of P points; text in order of appearance, numbers by size.

    Raises:
        InputError: there is no such column.
    """
    values = column_of(points, name)
    if values.dtype.kind in "iuf":
        numbers = values.astype(np.float64)
        known = np.isfinite(numbers)
        distinct = np.unique(numbers[known])
        if name in CONTINUOUS or len(distinct) > FEW or len(distinct) == 0:
            return Colouring(name, (), np.zeros(len(numbers), dtype=np.int32), numbers, True)
        codes = np.where(known, np.searchsorted(distinct, numbers), len(distinct))
        levels = [f"{value:g}" for value in distinct]
        if len(set(levels)) < len(levels):
            levels = [repr(float(value)) for value in distinct]
        return Colouring(name, (*levels, *[NO_VALUE] * (not known.all())), codes.astype(np.int32), numbers, True)
    texts = np.char.lower(values.astype(str)) if values.dtype.kind == "b" else values.astype(str)
    found, first, inverse = np.unique(texts, return_index=True, return_inverse=True)
    order = np.argsort(np.where(found == "", len(texts), first), kind="stable")
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    names = tuple(str(found[i]) or NO_VALUE for i in order)
    return Colouring(name, names, rank[inverse], None, False)
