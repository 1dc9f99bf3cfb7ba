""".npy, which is mapped and not read, and .npz; never unpickling."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from infogeo.core.errors import InputError
from infogeo.store.formats.arrays import FAILURES, NamedArray, member, unreadable


def read_npy(path: Path, name: str) -> Iterator[NamedArray]:
    """The one array of an .npy file.

    Raises:
        InputError: truncated, or it needs pickle.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FAILURES as error:
        raise _refused(path, error) from error
    yield NamedArray(name, array)


def read_npz(path: Path, name: str) -> Iterator[NamedArray]:
    """Every array of an .npz file, one after the other.

    Raises:
        InputError: truncated, or it needs pickle.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as members:
            for key in members.files:
                yield NamedArray(member(name, key, len(members.files)), members[key])
    except (*FAILURES, zipfile.BadZipFile) as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: Exception) -> InputError:
    text = str(error).lower()
    if not isinstance(error, InputError) and ("object" in text or "pickle" in text):
        return InputError(
            f"{path}: needs pickle, which can run code and is never opened; save plain numbers: array.astype('float32')"
        )
    return unreadable(path, error)
