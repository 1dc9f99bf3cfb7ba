"""Reading .npy and .npz files as they come from anybody's training script; never unpickling."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.checks import check_array, recognise
from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.store.naming import run_and_step
from infogeo.store.source import RunSource

SUFFIXES = (".npy", ".npz")


def read_file(path: Path, name: str, kind: Kind | None) -> list[RunSource]:
    """The runs, or the single checkpoints, in one file.

    Args:
        path: the file.
        name: its path without suffix, relative to the folder given: what runs are named after.
        kind: what its numbers are; None to tell by the typical row.

    Raises:
        InputError: not readable, truncated, pickled, or an array that is no prediction.
    """
    return [_source(path, member, array, kind) for member, array in _arrays(path, name)]


def read_array(path: Path) -> NDArray[Any]:
    """The one array of an .npy file, or of an .npz file with a single key."""
    arrays = [array for _, array in _arrays(path, path.stem)]
    if len(arrays) != 1:
        raise InputError(f"{path}: holds {len(arrays)} arrays, expected one")
    return np.asarray(arrays[0])


def _source(path: Path, name: str, array: NDArray[Any], kind: Kind | None) -> RunSource:
    where = str(path) if path.suffix.lower() == ".npy" else f"{path}, '{name}'"
    check_array(array, where)
    run, steps = name, None
    if array.ndim == 2:
        run, step = run_and_step(name)
        array, steps = array[None], np.array([0 if step is None else step])
    kind = kind or recognise(array)
    files = (path.name, f"{name}{path.suffix}")
    return RunSource(run=run, steps=steps, array=array, kind=kind, where=where, files=files)


def _arrays(path: Path, name: str) -> Iterator[tuple[str, NDArray[Any]]]:
    """(name, array) of everything in a file; an .npy is mapped, not read."""
    try:
        if path.suffix.lower() == ".npy":
            yield name, np.load(path, mmap_mode="r", allow_pickle=False)
            return
        with path.open("rb") as file, np.load(file, allow_pickle=False) as members:
            single = len(members.files) == 1
            for key in members.files:
                yield name if single else f"{name}/{key}", members[key]
    except InputError:
        raise
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    text = str(error)
    if "object" in text.lower() or "pickle" in text.lower():
        return "needs pickle, which can run code and is never opened; save plain numbers: array.astype('float32')"
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied"
    return f"is truncated or damaged ({text.splitlines()[0] if text else type(error).__name__}); write it again"
