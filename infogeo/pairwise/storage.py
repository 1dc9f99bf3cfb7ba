"""A divergence matrix on disk: a zarr v3 group of the values and the facts beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.pairwise.matrix import PairwiseMatrix

FACTS = ("divergence", "fisher_factor", "n_samples", "floored", "clipped")
SIDE = 512


def is_matrix(path: Path) -> bool:
    """Whether a directory holds a matrix of ours."""
    try:
        attributes = json.loads((path / "zarr.json").read_text(encoding="utf-8")).get("attributes", {})
    except (OSError, ValueError, AttributeError):
        return False
    return isinstance(attributes, dict) and {"facts", "points"} <= set(attributes)


def save_matrix(path: Path, matrix: PairwiseMatrix) -> None:
    """Write a matrix as `path`: array `values` [P, P] or [P, Q], points, columns and facts as attributes."""
    facts = {name: getattr(matrix, name) for name in FACTS}
    attributes: dict[str, Any] = {"facts": facts, "points": _plain(matrix.points)}
    if matrix.columns is not None:
        attributes["columns"] = _plain(matrix.columns)
    group = zarr.create_group(path, zarr_format=3, attributes=attributes)
    chunks = tuple(min(SIDE, size) for size in matrix.shape)
    values = group.create_array("values", shape=matrix.shape, dtype="f8", chunks=chunks, fill_value=np.nan)
    for start in range(0, matrix.shape[0], SIDE):
        values[start : start + SIDE] = matrix.values[start : start + SIDE]


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
        attributes: dict[str, Any] = dict(group.attrs)
        points, facts = _table(attributes["points"]), attributes["facts"]
        columns = _table(attributes["columns"]) if "columns" in attributes else None
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: is no divergence matrix, or is damaged ({error})") from error
    if not np.isfinite(values).all():
        raise InputError(f"{path}: is damaged, a tile is missing; make the map again")
    return PairwiseMatrix(values=values, points=points, columns=columns, **facts)


def _plain(points: Points) -> dict[str, Any]:
    return {name: column.tolist() for name, column in points.columns.items()}


def _table(columns: dict[str, Any]) -> Points:
    return Points({name: np.asarray(column) for name, column in columns.items()})
