"""A directory of finished tiles: what was computed before a kill, a full disk or new checkpoints is never lost.

- `plan.json`: the divergence, N, C, the samples per sum, and the points (run, step, fingerprint) of each block
- `tiles/KEY.npy`: a tile, float64; KEY hashes its row and column points. On the diagonal of a
  block with itself stand K(p, p), which are needed when the matrix grows
- `manifest.jsonl`: a line per finished tile, with the checksum of its file; a tile without a line does not exist
- `lock`: held by the process that works here
"""

from __future__ import annotations

import io
import json
import os
import socket
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, is_dataclass
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeo.core.durable import replace_file, to_disk
from infogeo.core.errors import InputError
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import MOST_SAMPLES, Divergence
from infogeo.pairwise.plan import Layout, blocks_of, sample_step, workers_of_this_machine
from infogeo.pairwise.tiled import TiledValues, put

FORMAT = 3
"""Raised when sums are made in another way, since K(p, p) and K(p, q) must come from one arithmetic, or keys are."""


class Tile(NamedTuple):
    """A finished tile: divergences between two blocks of points.

    Attributes:
        row, column: the blocks.
        values: float64; a tile of a block with itself is symmetric, with zeros on its diagonal.
        clipped: how many pairs rounded to just below zero.
        self_sums: K(p, p) of the block, where row and column are the same.
        deviations: of the divergences by each group of samples from these, see `SampleGroups`; None without groups.
    """

    row: int
    column: int
    values: NDArray[np.float64]
    clipped: int
    self_sums: NDArray[np.float64] | None
    deviations: NDArray[np.float16] | None = None


@dataclass
class TileDirectory:
    """The finished tiles of a square matrix, open for this process alone; made by `TileDirectory.opened`."""

    path: Path
    layout: Layout
    _keys: list[str]
    _recorded: dict[str, _Record]
    _lock: Lock = field(default_factory=Lock)
    _closed: bool = False

    @classmethod
    @contextmanager
    def opened(cls, path: Path, predictions: Predictions, divergence: Divergence) -> Iterator[TileDirectory]:
        """The tiles in `path` for these predictions, whose plan is followed; new points are added as new blocks.

        Raises:
            InputError: the directory belongs to something else, or holds points that have changed or are gone, or
                another process works in it.
        """
        points, facts = _identities(predictions), _facts(predictions, divergence)
        if path.exists() and not path.is_dir():
            raise InputError(f"{path}: is a file; tiles need a directory")
        if path.exists() and not (path / "plan.json").is_file() and not _is_unused(path):
            raise InputError(f"{path}: holds something else than tiles; choose another place")
        with _told(path):
            path.mkdir(parents=True, exist_ok=True)
        with _locked(path):
            layout = _followed(path, points, facts, predictions, divergence)
            blocks = [[points[i] for i in block.tolist()] for block in layout.blocks]
            plan = {"format": FORMAT, **facts, "sums of": layout.samples, "blocks": blocks}
            with _told(path):
                replace_file(path / "plan.json", json.dumps(plan).encode())
                (path / "tiles").mkdir(exist_ok=True)
            keys = [_digest(json.dumps(facts), json.dumps(block)) for block in blocks]
            tiles = cls(path, layout, keys, _records(path))
            try:
                yield tiles
            finally:
                tiles.close()

    def __contains__(self, at: tuple[int, int]) -> bool:
        return self._key(*at) in self._recorded

    def close(self) -> None:
        """Write no more: the directory is about to be another's."""
        with self._lock:
            self._closed = True

    def check(self, whole: NDArray[np.float64] | None = None) -> dict[int, NDArray[np.float64]]:
        """Read every tile that is recorded, and forget those that are not as they were written.

        Args:
            whole: a matrix [P, P] that takes the divergences.

        Returns:
            K(p, p) of each block whose tile with itself is finished.
        """
        count, blocks = len(self._keys), self.layout.blocks

        def checked(at: tuple[int, int]) -> NDArray[np.float64] | None:
            values = self._whole(*at)
            if values is None:
                return None
            own = np.diagonal(values).copy() if at[0] == at[1] else np.empty(0)
            if whole is not None:
                if len(own):
                    np.fill_diagonal(values, 0.0)
                put(whole, blocks[at[0]], blocks[at[1]], values, mirrored=True)
            return own

        places = [(i, j) for i in range(count) for j in range(i, count) if (i, j) in self]
        with ThreadPoolExecutor(workers_of_this_machine()) as pool:
            found = {at: own for at, own in zip(places, pool.map(checked, places), strict=True) if own is not None}
        self._recorded = {self._key(*at): self._recorded[self._key(*at)] for at in found}
        lines = "".join(json.dumps(record._asdict()) + "\n" for record in self._recorded.values())
        with _told(self.path):
            replace_file(self.path / "manifest.jsonl", lines.encode())
        return {i: own for (i, j), own in found.items() if i == j}

    def write(self, tile: Tile) -> None:
        """Keep a finished tile: aside, renamed, then recorded. Safe among threads.

        Raises:
            InputError: the disk is full or fails; what was finished before stays.
        """
        values = tile.values
        if tile.self_sums is not None:
            values = values.copy()
            np.fill_diagonal(values, tile.self_sums)
        key = self._key(tile.row, tile.column)
        with _told(self.path):
            checksum = _save(self._file(tile.row, tile.column), values)
            record = _Record(key, checksum, tile.clipped)
            with self._lock, (self.path / "manifest.jsonl").open("a", encoding="utf-8") as manifest:
                if self._closed:
                    return
                manifest.write(json.dumps(record._asdict()) + "\n")
                to_disk(manifest)
                self._recorded[key] = record

    def values(self) -> TiledValues:
        """The matrix."""
        count = len(self._keys)
        files = {(i, j): self._file(i, j) for i in range(count) for j in range(i, count)}
        return TiledValues(self.layout.blocks, files)

    @property
    def clipped(self) -> int:
        """Pairs that rounded to just below zero, in all tiles of the matrix."""
        return sum(record.clipped for record in self._recorded.values())

    def _key(self, i: int, j: int) -> str:
        return _digest(self._keys[i], self._keys[j])

    def _file(self, i: int, j: int) -> Path:
        return self.path / "tiles" / f"{self._key(i, j)}.npy"

    def _whole(self, i: int, j: int) -> NDArray[np.float64] | None:
        """A recorded tile as it was written, sums on a diagonal and all; None if it is not so any more."""
        with suppress(OSError, ValueError):
            content = self._file(i, j).read_bytes()
            if _checksum(content) == self._recorded[self._key(i, j)].checksum:
                return np.load(io.BytesIO(content), allow_pickle=False)
        return None


class _Record(NamedTuple):
    """A line of the manifest: a finished tile, the checksum of its file, and its clipped pairs."""

    tile: str
    checksum: str
    clipped: int


def recorded_tiles(path: Path) -> int:
    """How many tiles a directory has recorded as finished; whether they are whole is seen when it is opened."""
    manifest = path / "manifest.jsonl"
    return len(manifest.read_bytes().splitlines()) if manifest.is_file() else 0


def _is_unused(path: Path) -> bool:
    """Whether a directory is empty, or was left before a plan was written."""
    names = {entry.name for entry in path.iterdir()}
    return names <= {"lock", "plan.json.part", "tiles"} and not ("tiles" in names and any((path / "tiles").iterdir()))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """A disk that is full or fails is told in one line."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); finished tiles are kept there, run again to go on"
        ) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a directory; the system lets go of it when the process ends, however it ends."""
    if os.name != "posix":
        raise InputError(f"{path}: tiles on disk need the file locks of a POSIX system; leave the directory out")
    import fcntl  # the rest of the package does without it

    with _told(path):
        file = (path / "lock").open("a+", encoding="utf-8")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise InputError(f"{path}: is in use by {file.read().strip()}; wait, or choose another place") from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def _identities(predictions: Predictions) -> list[list[Any]]:
    """[run, step, fingerprint] of every point."""
    points, prints = predictions.points, predictions.fingerprints
    if len(prints) != len(points):
        raise InputError("predictions: have no fingerprints, so their tiles could not be told apart from others")
    found = [list(row) for row in zip(points["run"].tolist(), points["step"].tolist(), prints, strict=True)]
    seen: set[tuple[Any, Any]] = set()
    for run, step, _ in found:
        if type(step) is not int or (run, step) in seen:
            raise InputError(f"predictions: step {step} of run '{run}' is no whole number, or is there twice")
        seen.add((run, step))
    return found


def _facts(predictions: Predictions, divergence: Divergence) -> dict[str, Any]:
    """What must stay the same for tiles to be of one matrix, beside the points."""
    parameters = asdict(divergence) if is_dataclass(divergence) else {}
    return {
        "divergence": {"name": divergence.name, **parameters},
        "samples": predictions.n_samples,
        "classes": predictions.n_classes,
    }


def _followed(
    path: Path, points: list[list[Any]], facts: dict[str, Any], predictions: Predictions, divergence: Divergence
) -> Layout:
    """The layout recorded in a directory, with blocks of their own for points that are new; or that of a new one."""
    recorded = _recorded(path, facts, sample_step(divergence, predictions.n_classes))
    if recorded is None:
        return Layout.of(predictions, divergence)
    new = {(run, step): i for i, (run, step, _) in enumerate(points)}

    def position(run: str, step: int, fingerprint: str) -> int:
        i = new.pop((run, step), None)
        if i is None:
            raise InputError(f"{path}: holds step {step} of run '{run}', which the input lacks; give all its runs")
        if points[i][2] != fingerprint:
            raise InputError(
                f"{path}: step {step} of run '{run}' has changed since its tiles were computed; choose another place"
            )
        return i

    old = [np.array([position(*point) for point in block], dtype=np.intp) for block in recorded["blocks"]]
    added = np.array(list(new.values()), dtype=np.intp)
    added = blocks_of(added, divergence, predictions.n_classes) if new else ()
    return Layout((*old, *added), recorded["sums of"])


def _recorded(path: Path, facts: dict[str, Any], step: int) -> dict[str, Any] | None:
    """What plan.json says, where there is one and it is about the same matrix."""
    if not (path / "plan.json").is_file():
        return None
    try:
        recorded = json.loads((path / "plan.json").read_text(encoding="utf-8"))
        form = int(recorded["format"])
        if form == FORMAT:
            _check_form(recorded, facts, step)
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise InputError(f"{path}: its plan.json is damaged ({what}); choose another place") from error
    if form < FORMAT:
        raise InputError(f"{path}: its tiles were computed in another way by an older infogeo; choose another place")
    if form > FORMAT:
        raise InputError(f"{path}: was written by a newer infogeo (format {form}); update infogeo")
    for name, value in facts.items():
        if recorded[name] != value:
            raise InputError(f"{path}: is about {name} {recorded[name]}, not {value}; choose another place")
    return recorded


def _check_form(recorded: dict[str, Any], facts: dict[str, Any], step: int) -> None:
    """Raise KeyError or ValueError where plan.json is not what `TileDirectory.opened` writes."""
    for name in (*facts, "blocks", "sums of"):
        recorded[name]
    if type(recorded["sums of"]) is not int or recorded["sums of"] not in range(step, MOST_SAMPLES + 1, step):
        raise ValueError(f"sums of {recorded['sums of']!r} samples")
    blocks = recorded["blocks"]
    if not (isinstance(blocks, list) and blocks and all(isinstance(block, list) and block for block in blocks)):
        raise ValueError("its blocks are no lists of points")
    for point in (point for block in blocks for point in block):
        if not (isinstance(point, list) and [type(x) for x in point] == [str, int, str]):
            raise ValueError(f"{point!r} is no point")


def _records(path: Path) -> dict[str, _Record]:
    """The lines of the manifest by tile; one that was cut off counts for nothing."""
    manifest = path / "manifest.jsonl"
    records = {}
    for text in manifest.read_bytes().splitlines() if manifest.is_file() else ():
        with suppress(ValueError, KeyError, TypeError):
            line = json.loads(text)
            records[line["tile"]] = _Record(str(line["tile"]), str(line["checksum"]), int(line["clipped"]))
    return records


def _save(path: Path, values: NDArray[np.float64]) -> str:
    """Write an array as .npy, whole or not at all; its checksum."""
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    replace_file(path, buffer.getvalue())
    return _checksum(buffer.getvalue())


def _checksum(content: bytes) -> str:
    """Against damage, not against intent: CRC-32 reads a tile faster than the disk gives it."""
    return f"{zlib.crc32(content):08x}"


def _digest(*texts: str) -> str:
    return blake2b("\n".join(texts).encode(), digest_size=16).hexdigest()
