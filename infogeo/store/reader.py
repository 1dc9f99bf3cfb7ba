"""Reading a store: committed checkpoints only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.store.chunks import PlainChunks
from infogeo.store.root import Root, array_of, read_root
from infogeo.store.run_state import state_of_run
from infogeo.store.source import ArrayReader, RunSource


@dataclass(frozen=True)
class StoreContent:
    """What a store holds: its runs, and what they share."""

    runs: list[RunSource]
    root: Root


def read_store(path: Path) -> StoreContent:
    """Open a store; the numbers are read later.

    Raises:
        InputError: a newer format, no committed checkpoint, or a damaged array.
    """
    root = read_root(path)
    found = [_run(path, folder) for folder in sorted((path.absolute() / "runs").glob("run-*"))]
    runs = [run for run in found if run is not None]
    if not runs:
        raise InputError(f"{path}: holds no complete checkpoint")
    runs.sort(key=lambda run: run.run)
    return StoreContent(runs, root)


def _run(path: Path, folder: Path) -> RunSource | None:
    """The committed checkpoints of a run; None where there is none yet."""
    try:
        state = state_of_run(folder)
        if state is None or not state.steps:
            return None
        array = array_of(zarr.open_group(folder, mode="r"), "log_probs")
        name = str(state.attributes["run"])
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: is a damaged store ({folder.name}: {error}); write this run again") from error
    return RunSource(
        run=name,
        steps=np.asarray(state.steps, dtype=np.int64),
        array=_FirstCheckpoints(PlainChunks.of(array, folder / "log_probs") or array, len(state.steps)),
        kind=Kind.LOG_PROBABILITIES,
        where=f"{path}, run '{name}'",
        metadata=state.attributes.get("metadata", {}),
        fingerprints=tuple(row.tobytes().hex() for row in state.prints),
    )


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
