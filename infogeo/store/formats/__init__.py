"""Files of predictions as people have them: one reader per format, none of which unpickles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infogeo.store.formats.arrays import NamedArray, Reader
from infogeo.store.formats.hdf5 import read_hdf5
from infogeo.store.formats.numpy_files import read_npy, read_npz
from infogeo.store.formats.safetensors import read_safetensors
from infogeo.store.formats.tables_long import is_long_csv, is_long_parquet, read_csv, read_parquet
from infogeo.store.formats.torch_files import read_torch
from infogeo.store.formats.zarr_arrays import is_zarr_array, read_zarr

__all__ = ["FORMATS", "READABLE", "Format", "NamedArray", "is_zarr_array", "reader_of"]


@dataclass(frozen=True)
class Format:
    """How files of one suffix are read.

    Attributes:
        read: (path, name of the file) -> its arrays, one after the other.
        is_ours: tells whether such a file in a folder is about predictions; others there are left alone.
        may_be_network: people keep the weights of networks in such files, beside their predictions.
    """

    read: Reader
    is_ours: Callable[[Path], bool] = Path.is_file
    may_be_network: bool = False


FORMATS = {
    ".npy": Format(read_npy),
    ".npz": Format(read_npz),
    ".h5": Format(read_hdf5),
    ".hdf5": Format(read_hdf5),
    ".safetensors": Format(read_safetensors, may_be_network=True),
    ".pt": Format(read_torch, may_be_network=True),
    ".pth": Format(read_torch, may_be_network=True),
    ".parquet": Format(read_parquet, is_ours=is_long_parquet),
    ".csv": Format(read_csv, is_ours=is_long_csv),
}
"""The one table of formats, by suffix; a zarr array is a directory and known by what is in it."""
READABLE = ", ".join(FORMATS)
"""The suffixes, for messages."""


def reader_of(path: Path) -> Reader:
    """The reader of a file, or of the directory of a zarr array."""
    return read_zarr if path.is_dir() else FORMATS[path.suffix.lower()].read
