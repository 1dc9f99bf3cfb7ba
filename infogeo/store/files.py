"""The front door of all files: each array of a file becomes a run, or a single checkpoint of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.checks import check_array, recognise
from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.store.formats import NamedArray, reader_of
from infogeo.store.formats.arrays import OneCheckpoint
from infogeo.store.naming import run_and_step
from infogeo.store.source import RunSource


def read_file(path: Path, name: str, kind: Kind | None) -> list[RunSource]:
    """The runs, or the single checkpoints, in one file or zarr array.

    Args:
        path: the file.
        name: its path without suffix, relative to the folder given: what runs are named after.
        kind: what its numbers are; None to go by what the file says, else by the typical row.

    Raises:
        InputError: not readable, truncated, pickled, or an array that is no prediction.
    """
    found = [_source(path, array, kind) for array in reader_of(path)(path, name)]
    if not found:
        raise InputError(f"{path}: holds no array; save predictions [T, N, C] in it")
    return found


def read_array(path: Path) -> NDArray[Any]:
    """The one array of a file, such as an .npy, or an .npz with a single key."""
    arrays = [found.array for found in reader_of(path)(path, path.stem)]
    if len(arrays) != 1:
        raise InputError(f"{path}: holds {len(arrays)} arrays, expected one")
    return np.asarray(arrays[0])


def _source(path: Path, found: NamedArray, kind: Kind | None) -> RunSource:
    where = str(path) if path.is_dir() or path.suffix.lower() == ".npy" else f"{path}, '{found.name}'"
    check_array(found.array, where)
    run, steps, array = found.name, found.steps, found.array
    single = array.ndim == 2
    if single:
        run, step = run_and_step(found.name)
        array, steps = OneCheckpoint(array), np.array([0 if step is None else step])
    return RunSource(
        run=run,
        steps=steps,
        array=array,
        kind=kind or found.kind or recognise(array),
        where=where,
        files=(path.name, f"{found.name}{path.suffix}"),
        root=found.root,
        step_from_name=single,
    )
