"""Plain zarr arrays, of format 2 or 3, that are no store of ours: read block by block."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zarr

from infogeo.core.errors import InputError
from infogeo.store.formats.arrays import FAILURES, BlockReader, NamedArray, unreadable

FORMAT_2, FORMAT_3 = ".zarray", "zarr.json"


def is_zarr_array(path: Path) -> bool:
    """Whether a directory is a zarr array."""
    if (path / FORMAT_2).is_file():
        return True
    try:
        return _metadata(path / FORMAT_3).get("node_type") == "array"
    except (OSError, ValueError):
        return False


def read_zarr(path: Path, name: str) -> Iterator[NamedArray]:
    """The one array of a directory.

    Raises:
        InputError: damaged, or it needs pickle.
    """
    try:
        if _unpickles(path):
            raise InputError(f"{path}: needs pickle, which can run code and is never opened; save plain numbers")
        array = zarr.open_array(path, mode="r")
    except FAILURES as error:
        raise unreadable(path, error) from error
    yield NamedArray(name, BlockReader(path, array.shape, array.dtype, array.__getitem__))


def _unpickles(path: Path) -> bool:
    """Whether one of its codecs is pickle, which format 2 allows."""
    known = [_metadata(path / name) for name in (FORMAT_2, FORMAT_3) if (path / name).is_file()]
    described = [{key: value for key, value in content.items() if key != "attributes"} for content in known]
    return "pickle" in json.dumps(described).lower()


def _metadata(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}
