""".safetensors: every tensor is an array, mapped and not read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from infogeo.core.errors import InputError
from infogeo.core.optional import require
from infogeo.store.formats.arrays import FAILURES, NamedArray, member, unreadable

DTYPES: dict[str, Any] = {
    **{f"F{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
    **{f"{sign.upper()}{bits}": f"<{sign}{bits // 8}" for sign in "iu" for bits in (8, 16, 32, 64)},
    "BF16": ml_dtypes.bfloat16,
    "BOOL": "?",
}


def read_safetensors(path: Path, name: str) -> Iterator[NamedArray]:
    """The tensors of a file by their names.

    The package checks the header (sizes, offsets, the length of the file); the numbers are then mapped where the
    header says that they lie.

    Raises:
        InputError: truncated, or numbers of a type that predictions are not.
    """
    package = require("safetensors", extra="safetensors")
    try:
        with package.safe_open(path, framework="numpy"), path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
    except (*FAILURES, package.SafetensorError) as error:
        raise unreadable(path, error) from error
    tensors = {key: entry for key, entry in header.items() if key != "__metadata__"}
    if not tensors:
        raise InputError(f"{path}: holds no tensor; save arrays [T, N, C] (one run of T checkpoints) or [N, C]")
    for key, entry in sorted(tensors.items()):
        shape, start = tuple(entry["shape"]), 8 + length + entry["data_offsets"][0]
        if entry["dtype"] not in DTYPES:
            raise InputError(f"{path}, '{key}': holds {entry['dtype']}, expected floats or integers")
        dtype = np.dtype(DTYPES[entry["dtype"]])
        empty = 0 in shape  # of which there is nothing to map
        array = np.zeros(shape, dtype) if empty else np.memmap(path, dtype, mode="r", offset=start, shape=shape)
        yield NamedArray(member(name, key, len(tensors)), array)
