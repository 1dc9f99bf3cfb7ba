"""Blocks: a column whose levels return in every configuration, usually a seed from which all of them begin alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.core.words import percent
from infogeo.trajectories.configuration import NO_BLOCK, block_codes, configurations, counts_in, levels

USUAL = "seed"
"""The column that is looked at first where no block is named."""


@dataclass(frozen=True)
class Block:
    """What runs of different configurations have in common, so that they are compared within one level of it.

    Attributes:
        column: its name.
        n_levels: how many levels return in every configuration.
        r_squared: SS_block / SS_total, its share of the spread.
        found: whether it was taken by default, not named.
    """

    column: str
    n_levels: int
    r_squared: float
    found: bool

    def sentence(self) -> str:
        """In plain words: what the block is, what it holds, and how to do without."""
        share = f"which holds {percent(self.r_squared)} of the spread"
        if not self.found:
            return f"Runs are compared within each of the {self.n_levels} levels of {self.column}, {share}."
        return (
            f"Every configuration has runs of the same {self.n_levels} levels of {self.column}, {share}: it is taken "
            "as a block, so runs are compared within one level. To take runs of one configuration as independent "
            f"repeats instead: {NO_BLOCK}."
        )


def find_block(points: Points, factors: Sequence[str]) -> tuple[str | None, str | None]:
    """The column that is a block without being named, and a sentence where `seed` nearly is one; None for neither.

    It is the column `seed`, or where there is none the only column in which the runs of each configuration all differ;
    either way all configurations have the same levels.

    Args:
        points: one row per run.
        factors: the columns that make a configuration.
    """
    if USUAL in points.metadata:
        if USUAL in factors:
            return None, None
        try:
            block_codes(points, factors, USUAL)
        except InputError as error:
            return None, _near_miss(points, factors, str(error))
        return USUAL, None
    codes = configurations(points, factors).codes
    found = []
    for name in points.metadata:
        own = None if name in factors else _codes(points, name)
        if own is not None and own.max() > 0 and (counts_in(codes, own) == 1).all():
            found.append(name)
    return (found[0] if len(found) == 1 else None), None


def whole_configurations(
    points: Points, columns: Sequence[str], block: NDArray[np.intp]
) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Which configuration each run belongs to [R], told apart as finely as the block allows, sorted by `columns`.

    Runs of one configuration agree in `columns`, and in each other column as long as every combination still has
    equal numbers of runs in all levels of the block. Those that tell more configurations apart are the second result.

    Args:
        points: one row per run.
        columns: at least one, whose combinations have equal numbers of runs in all levels.
        block: the level of each run [R].
    """
    codes, telling = _combined([levels(points, name)[1] for name in columns]), []
    for name in points.metadata:
        own = None if name in columns else _codes(points, name)
        if own is None:
            continue
        finer = _combined([codes, own])
        counts = counts_in(finer, block)
        if finer.max() > codes.max() and (counts == counts[:, :1]).all():
            codes = finer
            telling.append(name)
    return codes, tuple(telling)


def _codes(points: Points, column: str) -> NDArray[np.intp] | None:
    """Which value each run has [R]; None where a run has none."""
    try:
        return levels(points, column)[1]
    except InputError:
        return None


def _combined(codes: list[NDArray[np.intp]]) -> NDArray[np.intp]:
    return np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)[1].reshape(-1)


def _near_miss(points: Points, factors: Sequence[str], refusal: str) -> str | None:
    """That seeds are shared but not by all, where that is so."""
    own = _codes(points, USUAL)
    if own is None or own.max() == 0:
        return None
    shared = (counts_in(configurations(points, factors).codes, own) > 0).sum(axis=0) > 1
    if not shared.any():
        return None
    reason = refusal.partition(": ")[2].partition(";")[0]
    return (
        f"Configurations share seeds, but seed is not taken as a block, because {reason}: runs of one configuration "
        "count as independent repeats, which hides small effects."
    )
