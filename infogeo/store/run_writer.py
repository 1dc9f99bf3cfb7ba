"""Writing one run, checkpoint by checkpoint: each is visible when its fingerprint stands, and not before.

A checkpoint is laid down in this order: its chunks, its step, its fingerprint. The last lies in a small file that is
replaced as a whole, so a process that is killed at any moment leaves every committed checkpoint and no half one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zarr
from numpy.typing import NDArray

from infogeo.core.durable import replace_file, to_disk
from infogeo.core.errors import InputError
from infogeo.core.predictions import fingerprint
from infogeo.store.layout import ROWS_PER_FILE, chunk_shape, rows_of, run_key
from infogeo.store.locks import locked, signature
from infogeo.store.root import array_of, make_array
from infogeo.store.run_state import RunState, checked_state, n_kept, refuse_unless_open

FIRST_ROWS = 64
"""Rows that the arrays of a new run have room for; there is room for twice as many whenever they are full."""
ARRAYS = ("log_probs", "step", "fingerprint")
"""In the order in which they grow."""


class Prepared(NamedTuple):
    """A checkpoint whose numbers lie on the disk, not yet committed."""

    place: int
    step: int
    fingerprint: bytes


class RunWriter:
    """One run of a store, held by this process; made by `RunWriter.opened`.

    Attributes:
        n_committed: how many checkpoints are committed.
        last_step: the step of the last of them, None where there is none.
    """

    def __init__(self, folder: Path, shape: tuple[int, int], dtype: np.dtype[Any], sync: bool) -> None:
        self._folder, self._shape, self._dtype, self._sync = folder, shape, dtype, sync
        self._chunk = chunk_shape(*shape)
        self._steps = np.zeros(ROWS_PER_FILE, dtype="<i8")
        self._prints = np.zeros((ROWS_PER_FILE, 16), dtype=np.uint8)
        self._rows, self._gaps = FIRST_ROWS, list[dict[str, Any]]()
        self._checksum = blake2b(digest_size=16)
        self.n_committed = 0
        self.last_step: int | None = None

    @classmethod
    @contextmanager
    def opened(
        cls,
        store: Path,
        name: str,
        shape: tuple[int, int],
        metadata: Mapping[str, Any],
        *,
        half: bool = False,
        resume: bool | int = False,
        overwrite: bool = False,
        sync: bool = True,
    ) -> Iterator[RunWriter]:
        """The run of that name, new or to be continued, in a store that is there.

        Args:
            store: the directory.
            name: of the run.
            shape: (N, C).
            metadata: {column: value}; of a run that goes on they replace values of the same name.
            half: log-probabilities are float16.
            resume: see `refuse_unless_open`.
            overwrite: whether a run that is there is replaced.
            sync: whether what is committed has reached the disk itself, for when the machine loses its power.

        Raises:
            InputError: the run is there and may not be continued or replaced, or another process writes it, or it
                holds other numbers than these.
        """
        folder, where = store / "runs" / run_key(name), f"{store}, run '{name}'"
        folder.mkdir(exist_ok=True)
        writer = cls(folder, shape, np.dtype("<f2" if half else "<f4"), sync)
        plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in metadata.items()}
        with locked(folder, where, lambda: _signed(folder)):
            found = None if overwrite else checked_state(where, folder)
            if found is None:
                writer._begin(name, plain)
            else:
                refuse_unless_open(where, found, resume)
                writer._continue(where, found, resume, plain)
            yield writer

    def prepare(self, place: int, step: int, log_probs: NDArray[Any]) -> Prepared:
        """Lay down the numbers [N, C] of a checkpoint; several threads may do so at once.

        Args:
            place: a number from `n_committed` on that no other checkpoint has.
            step: its step.
            log_probs: natural log-probabilities.

        Raises:
            OSError: the disk is full or fails.
        """
        values = np.ascontiguousarray(log_probs, dtype=self._dtype)
        part = self._chunk[1]
        for number, start in enumerate(range(0, len(values), part)):
            piece = values[start : start + part]
            if len(piece) < part:  # a chunk is whole, the last one too
                piece = np.concatenate([piece, np.full((part - len(piece), piece.shape[1]), np.nan, self._dtype)])
            with self._chunk_file(place, number).open("wb") as target:
                target.write(piece.data)
                if self._sync:
                    to_disk(target)
        return Prepared(place, step, bytes.fromhex(fingerprint(values)))

    def commit(self, checkpoint: Prepared) -> None:
        """Make a checkpoint visible, as the next one.

        Raises:
            OSError: the disk is full or fails; then it is not, and those before it stay.
        """
        row = self.n_committed
        if checkpoint.place != row:  # one before it was given up
            for number in range(-(-self._shape[0] // self._chunk[1])):
                os.rename(self._chunk_file(checkpoint.place, number), self._chunk_file(row, number))
        if row == self._rows:
            self._resize(max(FIRST_ROWS, 2 * row))
        file, at = divmod(row, ROWS_PER_FILE)
        if at == 0:
            self._steps[:], self._prints[:] = 0, 0
        self._steps[at] = checkpoint.step
        self._prints[at] = np.frombuffer(checkpoint.fingerprint, np.uint8)
        self._write_step(file, at)
        self._write_rows("fingerprint", f"c.{file}.0", self._prints)
        self._checksum.update(rows_of(self._steps[at : at + 1], self._prints[at : at + 1]))
        self.n_committed, self.last_step = row + 1, checkpoint.step

    def note_gap(self, step: int, reason: str) -> None:
        """Put down that a step was skipped, and why."""
        self._gaps.append({"step": step, "reason": reason})
        self._note(gaps=self._gaps)

    def finish(self) -> None:
        """Cut the arrays to what is committed, and mark the run as finished: from now on a checksum stands for it."""
        self._resize(self.n_committed)
        self._note(finished=True, checkpoints=self.n_committed, checksum=self._checksum.hexdigest(), recorder=None)

    def _begin(self, name: str, metadata: Mapping[str, Any]) -> None:
        """Make the arrays; that of fingerprints comes last and goes first, since without it there is no run."""
        (self._folder / "zarr.json").unlink(missing_ok=True)
        (self._folder / "fingerprint" / "zarr.json").unlink(missing_ok=True)
        for left in ("fingerprint", "step", "log_probs"):
            if (self._folder / left).exists():
                shutil.rmtree(self._folder / left)
        attributes = {"run": name, "metadata": dict(metadata), "finished": False, "recorder": signature()}
        group = zarr.create_group(self._folder, attributes=attributes, zarr_format=3)
        make_array(group, "log_probs", (FIRST_ROWS, *self._shape), self._dtype, self._chunk, np.nan)
        make_array(group, "step", (FIRST_ROWS,), "<i8", (ROWS_PER_FILE,), 0)
        make_array(group, "fingerprint", (FIRST_ROWS, 16), "u1", (ROWS_PER_FILE, 16), 0)

    def _continue(self, where: str, found: RunState, resume: bool | int, metadata: Mapping[str, Any]) -> None:
        """Take up a run after its last committed checkpoint, or after an earlier step."""
        if found.shape != self._shape or found.dtype != self._dtype:
            raise InputError(
                f"{where}: holds {found.dtype} of N={found.shape[0]}, C={found.shape[1]}, not {self._dtype} of "
                f"N={self._shape[0]}, C={self._shape[1]}; go on as it was begun, or give another name"
            )
        self._chunk = found.chunk
        kept = n_kept(found, resume)
        file, at = divmod(kept, ROWS_PER_FILE)
        start = file * ROWS_PER_FILE
        self._steps[:at], self._prints[:at] = found.steps[start:kept], found.prints[start:kept]
        self.n_committed, self.last_step = kept, found.steps[kept - 1] if kept else None
        self._checksum.update(rows_of(np.array(found.steps[:kept], dtype="<i8"), found.prints[:kept]))
        for left in self._files("fingerprint", file + 1):  # what is dropped stops being visible, the last first,
            left.unlink()
        if kept < len(found.steps):
            self._write_rows("fingerprint", f"c.{file}.0", self._prints)
        for left in self._files("log_probs", kept):  # before anything takes its place
            left.unlink()
        self._rows = found.rows
        last = -1 if self.last_step is None else self.last_step
        self._gaps = [gap for gap in found.attributes.get("gaps", []) if gap["step"] <= last]
        known = {**found.attributes.get("metadata", {}), **metadata}
        self._note(metadata=known, finished=False, gaps=self._gaps, recorder=signature())

    def _note(self, **attributes: Any) -> None:
        """Write attributes of the run's group; None takes one away."""
        group = zarr.open_group(self._folder, mode="r+")
        group.attrs.put({name: value for name, value in {**group.attrs, **attributes}.items() if value is not None})

    def _files(self, name: str, first: int) -> list[Path]:
        """The chunks of an array from a number on, the last first."""
        numbered = [(int(file.name.split(".")[1]), file) for file in (self._folder / name).glob("c.*")]
        return [file for number, file in sorted(numbered, reverse=True) if number >= first]

    def _chunk_file(self, place: int, number: int) -> Path:
        return self._folder / "log_probs" / f"c.{place}.{number}.0"

    def _write_step(self, file: int, at: int) -> None:
        """Write one step in its place: nobody reads it before its fingerprint stands."""
        if at == 0:
            self._write_rows("step", f"c.{file}", self._steps)
            return
        with (self._folder / "step" / f"c.{file}").open("r+b") as target:
            target.seek(self._steps[:at].nbytes)
            target.write(self._steps[at : at + 1].tobytes())
            if self._sync:
                to_disk(target)

    def _write_rows(self, name: str, chunk: str, values: NDArray[Any]) -> None:
        replace_file(self._folder / name / chunk, values.tobytes(), sync=self._sync)

    def _resize(self, rows: int) -> None:
        """Give the arrays so many rows."""
        group = zarr.open_group(self._folder, mode="r+")
        for name in ARRAYS if rows > self._rows else reversed(ARRAYS):
            array = array_of(group, name)
            array.resize((rows, *array.shape[1:]))
        self._rows = rows


def _signed(folder: Path) -> Mapping[str, Any]:
    """What a run says of its recorder."""
    try:
        found: Any = zarr.open_group(folder, mode="r").attrs.get("recorder", {})
    except (KeyError, OSError, ValueError):
        return {}
    return found
