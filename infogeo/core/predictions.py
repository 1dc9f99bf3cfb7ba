"""Predictions: what models say on one probe set, as log-probabilities [P, N, C]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.arguments import told
from infogeo.core.checks import LOG_FLOOR, check_array, check_same_probe, recognise, to_log_probs
from infogeo.core.coarse import CoarseGraining
from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.core.labels import LabelSpace
from infogeo.core.points import Points
from infogeo.core.probe import Probe

BLOCK_BYTES = 8 * 2**20
"""Predictions are read in blocks of points of about this many bytes."""
IN_MEMORY_BYTES = 2**30
"""Predictions up to this size are held in memory; larger ones are read again, block by block."""


class LogProbReader(Protocol):
    """Anything that gives log-probabilities by block: a NumPy array does, a file reader may."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(P, N, C)."""
        ...

    def __getitem__(self, block: slice | tuple[slice, slice], /) -> NDArray[np.float32]:
        """The float32 log-probabilities of a contiguous block of points, or of (points, samples)."""
        ...


@dataclass(frozen=True, eq=False)
class Predictions:
    """Log-probabilities [P, N, C] of P checkpoints on one probe set of N samples and C classes, in nats.

    Attributes:
        log_probs: the numbers, in memory or read lazily by point block; never below `LOG_FLOOR`.
        points: one row per checkpoint: run, step, metadata.
        label_space: the names of the classes.
        labels: the true class of each sample [N], where known.
        fingerprints: one short hash per checkpoint, of its log-probabilities.
        floored: how many entries lay below the floor and were raised to it.
        correction: the largest |sum - 1| of a row that was normalised away.
        coarse_graining: how classes were merged, where they were: see `merge_classes`.
        probe: how to know the samples again, where that is known.
        source: what was read, a line per file or store.
        notes: what a user should know about how this was read, a line each.
    """

    log_probs: LogProbReader
    points: Points
    label_space: LabelSpace
    labels: NDArray[np.int64] | None = None
    fingerprints: tuple[str, ...] = ()
    floored: int = 0
    correction: float = 0.0
    coarse_graining: CoarseGraining | None = None
    probe: Probe | None = None
    source: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_arrays(
        cls,
        runs: Mapping[str, ArrayLike],
        kind: Kind | str | None = None,
        *,
        labels: ArrayLike | None = None,
        steps: Mapping[str, ArrayLike] | ArrayLike | None = None,
        meta: Mapping[str, Mapping[str, Any]] | None = None,
        classes: Sequence[str] | None = None,
    ) -> Predictions:
        """Predictions of several runs that are in memory.

        Args:
            runs: {run name: array [T, N, C], or [N, C] for a single checkpoint}.
            kind: what the numbers are; by default told from the typical row of each array.
            labels: the true class of each sample [N], numbers or names.
            steps: the steps [T] of all runs, or {run: steps [T]}; by default 0, 1, ..., T-1.
            meta: {run: {column: value}}, for colouring and comparing.
            classes: the names of the C classes; by default '0', '1', ...

        Raises:
            InputError: anything that is no distribution, or runs that disagree in N or C.
        """
        if not isinstance(runs, Mapping):
            raise InputError(f"runs: {told(runs)}; give {{run name: array [T, N, C]}}")
        if not runs:
            raise InputError("runs: there is none; give {run name: array [T, N, C]}")
        parsed = Kind.parse(kind)
        arrays = {str(name): np.asarray(values) for name, values in runs.items()}
        for name, values in arrays.items():
            check_array(values, f"run '{name}'")
        stacked = {name: v[None] if v.ndim == 2 else v for name, v in arrays.items()}
        check_same_probe({name: v.shape[1:] for name, v in stacked.items()})
        _refuse_unknown(meta, stacked, "meta")
        if isinstance(steps, Mapping):
            _refuse_unknown(steps, stacked, "steps")
        checked = {name: to_log_probs(v, parsed or recognise(v), f"run '{name}'") for name, v in stacked.items()}
        log_probs = np.concatenate([c.values for c in checked.values()])
        space = LabelSpace(tuple(classes)) if classes is not None else LabelSpace.of_size(log_probs.shape[2])
        if len(space) != log_probs.shape[2]:
            raise InputError(f"classes: {len(space)} names for {log_probs.shape[2]} classes")
        return cls(
            log_probs=log_probs,
            points=Points.of_runs(
                list(stacked),
                [_steps_of(name, len(v), steps) for name, v in stacked.items()],
                [dict((meta or {}).get(name, {})) for name in stacked],
            ),
            label_space=space,
            labels=None if labels is None else space.encode(labels, log_probs.shape[1]),
            fingerprints=tuple(fingerprint(row) for row in log_probs),
            floored=sum(c.floored for c in checked.values()),
            correction=max(c.correction for c in checked.values()),
            source=("memory",),
        )

    def __repr__(self) -> str:
        labels = "not known" if self.labels is None else "known"
        place = "in memory" if isinstance(self.log_probs, np.ndarray) else "read when needed"
        return (
            f"Predictions({self.points.counted()}, N={self.n_samples} samples, C={self.n_classes} classes)\n"
            f"  labels {labels}; log-probabilities {place}"
        )

    @property
    def bytes_in_memory(self) -> int:
        """What the log-probabilities take of it: nothing where they are read lazily."""
        return int(getattr(self.log_probs, "nbytes", 0))

    @property
    def n_points(self) -> int:
        """P, the number of checkpoints."""
        return self.log_probs.shape[0]

    @property
    def n_samples(self) -> int:
        """N, the number of probe samples."""
        return self.log_probs.shape[1]

    @property
    def n_classes(self) -> int:
        """C, the number of classes."""
        return self.log_probs.shape[2]

    def take(self, rows: ArrayLike) -> Predictions:
        """The predictions of some checkpoints, by indices or a mask; what is read lazily stays so."""
        index = np.arange(self.n_points)[np.asarray(rows)]
        return replace(
            self,
            log_probs=self.log_probs[index] if isinstance(self.log_probs, np.ndarray) else _Rows(self.log_probs, index),
            points=self.points.take(index),
            fingerprints=tuple(self.fingerprints[i] for i in index.tolist()) if self.fingerprints else (),
        )

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """The log-probabilities in blocks of points, each with the slice of points that it holds."""
        size = max(1, BLOCK_BYTES // (4 * self.n_samples * self.n_classes))
        for start in range(0, self.n_points, size):
            rows = slice(start, min(start + size, self.n_points))
            yield rows, np.asarray(self.log_probs[rows])

    def with_labels(self, labels: ArrayLike) -> Predictions:
        """The same predictions with the true class of each sample [N], one of the classes before any merging."""
        if self.coarse_graining is not None:
            return replace(self, labels=self.coarse_graining.encode(labels))
        return replace(self, labels=self.label_space.encode(labels, self.n_samples))

    def references(self, truth: bool = True) -> Predictions:
        """Ignorance P0 (uniform over classes) and, where labels are known, truth P* (one-hot), as two points.

        Their run names are `ignorance` and `truth`. The zeros of truth are at the floor. `truth=False` leaves
        truth out, for divergences at which it is infinitely far away. Ignorance is uniform over the classes before
        any merging.
        """
        n, c = self.n_samples, self.n_classes
        uniform = np.full(c, -np.log(c)) if self.coarse_graining is None else self.coarse_graining.ignorance()
        rows = [np.tile(uniform.astype(np.float32), (n, 1))]
        if truth and self.labels is not None:
            certain = np.full((n, c), LOG_FLOOR, dtype=np.float32)
            certain[np.arange(n), self.labels] = 0.0
            rows.append(certain)
        names = ["ignorance", "truth"][: len(rows)]
        return Predictions(
            log_probs=np.stack(rows),
            points=Points.of_runs(names, [[0]] * len(rows)),
            label_space=self.label_space,
            labels=self.labels,
            fingerprints=tuple(fingerprint(row) for row in rows),
            coarse_graining=self.coarse_graining,
            probe=self.probe,
        )

    def scores(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Accuracy [P] and cross-entropy [P] (nats, mean over samples) against the labels.

        Where classes are merged, the kept ones alone compete: the accuracy is that before merging or above it.

        Raises:
            InputError: the labels are not known.
        """
        if self.labels is None:
            raise InputError("labels: accuracy and loss need the true classes; give labels")
        samples = np.arange(self.n_samples)
        competing = slice(None if self.coarse_graining is None else self.coarse_graining.n_kept)
        accuracy, loss = np.empty(self.n_points), np.empty(self.n_points)
        for rows, block in self.blocks():
            accuracy[rows] = (block[..., competing].argmax(axis=-1) == self.labels).mean(axis=-1)
            loss[rows] = -block[:, samples, self.labels].mean(axis=-1, dtype=np.float64)
        return accuracy, loss


@dataclass(frozen=True)
class _Rows:
    """Some of the log-probabilities [P, N, C] of a lazy reader."""

    log_probs: LogProbReader
    rows: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.log_probs.shape[1:])

    @property
    def nbytes(self) -> int:
        """The bytes in memory of what they are taken from."""
        return int(getattr(self.log_probs, "nbytes", 0))

    def __getitem__(self, block: slice | tuple[slice, slice], /) -> NDArray[np.float32]:
        points, samples = block if isinstance(block, tuple) else (block, slice(None))
        found = [np.asarray(self.log_probs[row : row + 1, samples]) for row in self.rows[points].tolist()]
        return np.concatenate(found) if found else np.asarray(self.log_probs[0:0, samples])


def fingerprint(log_probs: NDArray[np.float32]) -> str:
    """A short hash of the log-probabilities [N, C] of one checkpoint (128-bit BLAKE2b, in hexadecimal)."""
    values = np.ascontiguousarray(log_probs, dtype="<f4")
    return blake2b(values.data, digest_size=16).hexdigest()


def _steps_of(name: str, length: int, steps: Mapping[str, ArrayLike] | ArrayLike | None) -> NDArray[Any]:
    given = steps.get(name) if isinstance(steps, Mapping) else steps
    if given is None:
        return np.arange(length)
    values = np.atleast_1d(np.asarray(given))
    if values.shape != (length,):
        raise InputError(f"steps: {values.size} steps for run '{name}', which has {length} checkpoints")
    whole = values.astype(np.int64) if values.dtype.kind in "iuf" else None
    if whole is None or not np.array_equal(whole, values) or len(np.unique(whole)) < length:
        raise InputError(f"steps: those of run '{name}' must be whole numbers, each once")
    return whole


def _refuse_unknown(given: Mapping[str, Any] | None, runs: Mapping[str, Any], argument: str) -> None:
    for name in given or {}:
        if name not in runs:
            raise InputError(f"{argument}: there is no run '{name}'; runs are {', '.join(list(runs)[:5])}")
