"""HDF5: every dataset of numbers with two or three axes, read block by block."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from infogeo.core.errors import InputError
from infogeo.core.optional import require
from infogeo.store.formats.arrays import FAILURES, BlockReader, NamedArray, member, unreadable


def read_hdf5(path: Path, name: str) -> Iterator[NamedArray]:
    """The datasets [T, N, C] and [N, C] of a file by their path in it; the file is opened for each block anew.

    Raises:
        InputError: truncated, compressed in a way that nobody here knows, or without such a dataset.
    """
    h5py = require("h5py", extra="h5")
    found: dict[str, BlockReader] = {}

    def visit(key: str, entry: Any) -> None:
        if isinstance(entry, h5py.Dataset) and entry.dtype.kind in "fiub" and entry.ndim in (2, 3):
            _bring_filters(h5py, path, key, entry)
            found[key] = BlockReader(path, entry.shape, entry.dtype, _BlocksOf(h5py, path, key))

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except FAILURES as error:
        raise unreadable(path, error) from error
    if not found:
        raise InputError(f"{path}: holds no dataset [T, N, C] (one run of T checkpoints) or [N, C] of numbers")
    for key, array in found.items():
        yield NamedArray(member(name, key, len(found)), array)


class _BlocksOf:
    """Reads blocks of one dataset."""

    def __init__(self, h5py: ModuleType, path: Path, key: str) -> None:
        self._h5py, self._path, self._key = h5py, path, key

    def __call__(self, block: Any) -> Any:
        with self._h5py.File(self._path, "r") as file:
            return file[self._key][block]


def _bring_filters(h5py: ModuleType, path: Path, key: str, dataset: Any) -> None:
    """What decompresses a dataset: HDF5 itself, or the filters of hdf5plugin (LZ4, Zstandard, Blosc)."""
    settings = dataset.id.get_create_plist()
    filters = [settings.get_filter(i)[0] for i in range(settings.get_nfilters())]
    if all(map(h5py.h5z.filter_avail, filters)):
        return
    require("hdf5plugin", extra="h5")
    unknown = [code for code in filters if not h5py.h5z.filter_avail(code)]
    if unknown:
        raise InputError(
            f"{path}, '{key}': is compressed by HDF5 filter {unknown[0]}, which is not there; save it with gzip or LZ4"
        )
