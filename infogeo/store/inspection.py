"""What a store holds and how it is, from its small files; and whether every number is as it was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zarr
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.predictions import fingerprint
from infogeo.store.chunks import PlainChunks
from infogeo.store.locks import is_held
from infogeo.store.root import Root, array_of, read_root
from infogeo.store.run_state import state_of_run


@dataclass(frozen=True, eq=False)
class RunReport:
    """One run of a store.

    Attributes:
        run: its name.
        steps: of its committed checkpoints.
        precision: of its numbers, "float32" or "float16".
        n_bytes: that its files take.
        state: "finished"; "finished, no checksum" in stores from before there was one, where lost or changed steps
            and labels are not always seen; "recording" while a process holds it; "stopped" where it can go on; or
            "damaged".
        gaps: steps that were skipped as invalid.
        metadata: {column: value}.
        damage: what is wrong, "" for nothing.
    """

    run: str
    steps: tuple[int, ...] = ()
    precision: str = ""
    n_bytes: int = 0
    state: str = "damaged"
    gaps: tuple[int, ...] = ()
    metadata: Mapping[str, Any] | None = None
    damage: str = ""


@dataclass(frozen=True, eq=False)
class StoreReport:
    """What a store holds.

    Attributes:
        path: where.
        root: what its runs share.
        runs: by name.
    """

    path: Path
    root: Root
    runs: tuple[RunReport, ...]


class Damage(NamedTuple):
    """A checkpoint whose numbers are not those that were written."""

    run: str
    step: int
    reason: str


def inspect_store(path: Path) -> StoreReport:
    """What a store holds, without reading its numbers.

    Raises:
        InputError: no store, one of a newer format, or one whose own files are damaged; a damaged run is reported.
    """
    root = read_root(path)
    runs = [_inspected(folder, root) for folder in sorted((path / "runs").glob("run-*"))]
    return StoreReport(path, root, tuple(sorted((run for run in runs if run is not None), key=lambda run: run.run)))


def verify_store(path: Path, progress: Callable[[int, int], None] | None = None) -> list[Damage]:
    """Read every committed checkpoint and compare it with its fingerprint; those that are damaged.

    Args:
        path: the store.
        progress: called with (checkpoints read, checkpoints in all).
    """
    report, done, found = progress or (lambda done, total: None), 0, []
    runs = [(folder, state) for folder in sorted((path / "runs").glob("run-*")) if (state := _state(folder))]
    total = sum(len(state.steps) for _, state in runs)
    for folder, state in runs:
        name = str(state.attributes.get("run", folder.name))
        try:
            array = array_of(zarr.open_group(folder, mode="r"), "log_probs")
        except (OSError, KeyError, ValueError) as error:
            found += [Damage(name, step, f"cannot be read ({error})") for step in state.steps]
            continue
        reader: Any = PlainChunks.of(array, folder / "log_probs") or array
        for row, step in enumerate(state.steps):
            if reason := _damage(reader, row, state.prints[row]):
                found.append(Damage(name, step, reason))
            done += 1
            report(done, total)
    return found


def _state(folder: Path) -> Any:
    try:
        return state_of_run(folder)
    except (OSError, KeyError, ValueError):
        return None


def _damage(reader: Any, row: int, print_: NDArray[np.uint8]) -> str:
    try:
        values = np.asarray(reader[row : row + 1, :])[0]
    except (InputError, OSError, ValueError, RuntimeError) as error:
        return str(error)
    if fingerprint(values) == print_.tobytes().hex():
        return ""
    return "a chunk is lost" if np.isnan(values).any() else "its numbers are not those that were written"


def _inspected(folder: Path, root: Root) -> RunReport | None:
    """One run; None where nothing is committed, nor damaged."""
    try:
        state = state_of_run(folder)
    except (OSError, KeyError, ValueError) as error:
        return RunReport(folder.name.removeprefix("run-"), damage=str(error) or type(error).__name__)
    if state is None:
        return None
    finished = "finished" if state.covered and root.covered else "finished, no checksum"
    held = not state.finished and is_held(folder)
    return RunReport(
        run=str(state.attributes.get("run", folder.name)),
        steps=state.steps,
        precision=state.dtype.name,
        n_bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        state=finished if state.finished else "recording" if held else "stopped",
        gaps=tuple(gap["step"] for gap in state.attributes.get("gaps", [])),
        metadata=state.attributes.get("metadata", {}),
    )
