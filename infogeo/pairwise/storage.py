"""A divergence matrix on disk: a zarr v3 group of the values and the facts beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import zarr

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.pairwise.matrix import PairwiseMatrix

FACTS = ("divergence", "fisher_factor", "n_samples", "floored", "clipped")
SIDE = 512


def save_matrix(path: Path, matrix: PairwiseMatrix) -> None:
    """Write a square matrix as `path`: array `values` [P, P], points and facts as attributes."""
    facts = {name: getattr(matrix, name) for name in FACTS}
    points = {name: column.tolist() for name, column in matrix.points.columns.items()}
    group = zarr.create_group(path, zarr_format=3, attributes={"facts": facts, "points": points})
    size, _ = matrix.shape
    side = min(SIDE, size)
    values = group.create_array("values", shape=matrix.shape, dtype="f8", chunks=(side, side), fill_value=np.nan)
    for start in range(0, size, side):
        values[start : start + side] = matrix.values[start : start + side]


def load_matrix(path: Path) -> PairwiseMatrix:
    """Read what `save_matrix` wrote.

    Raises:
        InputError: not there, or damaged.
    """
    try:
        group = zarr.open_group(path, mode="r")
        array = group["values"]
        if not isinstance(array, zarr.Array):
            raise KeyError("values")
        values = np.asarray(array[...])
        columns, facts = group.attrs["points"], group.attrs["facts"]
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: is no divergence matrix, or is damaged ({error})") from error
    if not np.isfinite(values).all():
        raise InputError(f"{path}: is damaged, a tile is missing; make the map again")
    points = Points({name: np.asarray(column) for name, column in dict(columns).items()})  # pyright: ignore
    return PairwiseMatrix(values=values, points=points, **dict(facts))  # pyright: ignore
