"""Reading a store: committed checkpoints only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from infogeo.core.coarse import CoarseGraining
from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.core.labels import LabelSpace
from infogeo.store.chunks import PlainChunks
from infogeo.store.layout import FORMAT, store_attributes
from infogeo.store.source import ArrayReader, RunSource


@dataclass(frozen=True)
class StoreContent:
    """What a store holds: its runs, its classes, and labels where known."""

    runs: list[RunSource]
    label_space: LabelSpace
    labels: NDArray[np.int64] | None
    probe: str | None
    coarse_graining: CoarseGraining | None


def read_store(path: Path) -> StoreContent:
    """Open a store; the numbers are read later.

    Raises:
        InputError: a newer format, no committed checkpoint, or a damaged array.
    """
    attributes = store_attributes(path)
    if attributes is None:
        raise InputError(f"{path}: is no infogeo store")
    if attributes["format"] > FORMAT:
        raise InputError(f"{path}: was written by a newer infogeo (format {attributes['format']}); update infogeo")
    try:
        group = zarr.open_group(path, mode="r")
        runs = [_run(path, folder) for folder in sorted((path / "runs").glob("run-*"))]
        labels = np.asarray(_array(group, "labels")[...]) if "labels" in group else None
        coarse = _coarse_graining(group) if "kept_classes" in group else None
        if labels is not None and labels.min() < 0:
            raise ValueError("some of its labels are lost")
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: is a damaged store ({error})") from error
    runs = [run for run in runs if run.array.shape[0]]
    if not runs:
        raise InputError(f"{path}: holds no complete checkpoint")
    runs.sort(key=lambda run: run.run)
    return StoreContent(runs, LabelSpace(tuple(attributes["classes"])), labels, attributes.get("probe"), coarse)


def _run(path: Path, folder: Path) -> RunSource:
    group = zarr.open_group(folder, mode="r")
    prints = np.asarray(_array(group, "fingerprint")[...])
    length = int(np.cumprod(np.any(prints, axis=1)).sum())
    name = str(group.attrs["run"])
    metadata: Any = group.attrs.get("metadata", {})
    array = _array(group, "log_probs")
    return RunSource(
        run=name,
        steps=np.asarray(_array(group, "step")[:length]),
        array=_FirstCheckpoints(PlainChunks.of(array, folder / "log_probs") or array, length),
        kind=Kind.LOG_PROBABILITIES,
        where=f"{path}, run '{name}'",
        metadata=metadata,
        fingerprints=tuple(row.tobytes().hex() for row in prints[:length]),
    )


def _coarse_graining(group: zarr.Group) -> CoarseGraining:
    array = _array(group, "kept_classes")
    names: Any = array.attrs["merged_from"]
    return CoarseGraining(np.asarray(array[...]), LabelSpace(tuple(names)))


@dataclass(frozen=True)
class _FirstCheckpoints:
    """The committed checkpoints of an array that may hold more."""

    array: ArrayReader
    length: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.length, *self.array.shape[1:])

    def __getitem__(self, block: tuple[slice, slice], /) -> Any:
        checkpoints, samples = block
        start, stop, _ = checkpoints.indices(self.length)
        return self.array[start:stop, samples]


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    found = group[name]
    if not isinstance(found, zarr.Array):
        raise KeyError(f"'{name}' is no array")
    return found
