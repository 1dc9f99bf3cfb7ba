"""What is committed of a run, and whether that is consistent."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.store.layout import rows_of
from infogeo.store.root import array_of

ATTEMPTS, PAUSE = 3, 0.05
"""What is read in the moment of a change may not fit together, and does so an instant later."""


@dataclass(frozen=True, eq=False)
class RunState:
    """What is committed of a run.

    Attributes:
        steps: of its checkpoints.
        prints: their fingerprints [T, 16].
        shape: (N, C).
        chunk: of the log-probabilities.
        dtype: of the log-probabilities.
        rows: that the arrays have room for.
        attributes: `run`, `metadata`, `finished`, `gaps`, `checkpoints`, `checksum`, `recorder`.
    """

    steps: tuple[int, ...]
    prints: NDArray[np.uint8]
    shape: tuple[int, int]
    chunk: tuple[int, int, int]
    dtype: np.dtype[Any]
    rows: int
    attributes: Mapping[str, Any]

    @property
    def finished(self) -> bool:
        """Whether its recorder was closed; runs from before there was this attribute are."""
        return _is_finished(self.attributes)

    @property
    def covered(self) -> bool:
        """Whether a checksum stands for its steps and fingerprints: of finished runs, but not of old ones."""
        return "checksum" in self.attributes


def state_of_run(folder: Path) -> RunState | None:
    """What is committed of the run in a folder; None where none was begun.

    Raises:
        KeyError, OSError, ValueError: it is damaged; what was committed is not all there, or not as it was.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return _state(folder)
        except (KeyError, OSError, ValueError):
            time.sleep(PAUSE)
    return _state(folder)


def checked_state(where: str, folder: Path) -> RunState | None:
    """As `state_of_run`, for who is to write there.

    Raises:
        InputError: it is damaged.
    """
    try:
        return state_of_run(folder)
    except (KeyError, OSError, ValueError) as error:
        raise InputError(f"{where}: is damaged ({error}); replace it with overwrite=True") from error


def _state(folder: Path) -> RunState | None:
    begun = (folder / "fingerprint" / "zarr.json").is_file()  # made last
    if not (folder / "zarr.json").is_file():
        if begun:
            raise ValueError("its zarr.json is lost")
        return None
    group = zarr.open_group(folder, mode="r")
    attributes = dict(group.attrs)  # before the arrays: those of a finished run do not change any more
    if not begun:
        if _is_finished(attributes) or any((folder / "log_probs").glob("c*")):
            raise ValueError("its array of fingerprints is lost")
        return None
    prints = np.asarray(array_of(group, "fingerprint")[...])  # before the steps, which are written before it
    values, steps = array_of(group, "log_probs"), array_of(group, "step")
    present = np.any(prints, axis=1)
    length = int(np.cumprod(present).sum())
    committed: Any = np.asarray(steps[:length])
    if present[length:].any():
        raise ValueError(f"fingerprint {length} is lost among others")
    if _is_finished(attributes):
        rows = max(len(prints), steps.shape[0], values.shape[0])
        if min(length, steps.shape[0], values.shape[0]) < rows:
            raise ValueError(f"of its {rows} checkpoints only {length} are there")
        _check_finished(committed, prints, attributes)
    elif (np.diff(committed) <= 0).any():
        raise ValueError("some of its steps are lost, the others do not grow")
    elif not length and np.asarray(steps[1:]).any() and not (folder / "fingerprint" / "c.0.0").exists():
        raise ValueError("its fingerprints are lost")
    n, c = values.shape[1:]
    return RunState(
        steps=tuple(committed.tolist()),
        prints=prints[:length],
        shape=(n, c),
        chunk=(1, values.chunks[1], c),
        dtype=values.dtype,
        rows=len(prints),
        attributes=attributes,
    )


def _check_finished(steps: NDArray[Any], prints: NDArray[np.uint8], attributes: Mapping[str, Any]) -> None:
    """Every checkpoint of a finished run is there as it was committed."""
    if len(np.unique(steps)) < len(steps):
        raise ValueError("some of its steps are lost, or there twice")
    if "checksum" not in attributes:
        return
    if attributes["checkpoints"] != len(steps):
        raise ValueError(f"it was finished with {attributes['checkpoints']} checkpoints, and has {len(steps)}")
    if attributes["checksum"] != blake2b(rows_of(steps, prints), digest_size=16).hexdigest():
        raise ValueError("its steps or fingerprints are not those that were written")


def _is_finished(attributes: Mapping[str, Any]) -> bool:
    return bool(attributes.get("finished", True))


def refuse_unless_open(where: str, found: RunState, resume: bool | int) -> None:
    """Refuse to write to a run that is finished, or is not to be continued.

    Args:
        where: its name.
        found: what is committed of it.
        resume: whether it goes on, after its last checkpoint; or a step, after which it goes on, and what came later
            is dropped.

    Raises:
        InputError: it may not be written to.
    """
    if found.finished:
        raise InputError(f"{where}: is finished; give this run another name, or replace that one with overwrite=True")
    if resume is False:
        last = f"after step {found.steps[-1]}" if found.steps else "before its first checkpoint"
        raise InputError(
            f"{where}: stopped {last}; go on with resume=True, replace it with overwrite=True, or give another name"
        )


def n_kept(found: RunState, resume: bool | int) -> int:
    """How many checkpoints stay when a run goes on."""
    return len(found.steps) if resume is True else sum(step <= resume for step in found.steps)
