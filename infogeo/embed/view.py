"""Some checkpoints and some samples of predictions, read when they are needed: no copy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from infogeo.core.predictions import LogProbReader, Predictions


def view(predictions: Predictions, rows: NDArray[np.intp], samples: NDArray[np.intp] | None = None) -> Predictions:
    """The predictions of some checkpoints [Q], on some samples [M] or on all, in the order given.

    Unlike `Predictions.take` it copies nothing, and it counts the memory of what it looks at as its own.
    """
    labels = predictions.labels if samples is None or predictions.labels is None else predictions.labels[samples]
    return replace(
        predictions,
        log_probs=_View(predictions.log_probs, rows, samples),
        points=predictions.points.take(rows),
        labels=labels,
        probe=predictions.probe if samples is None else None,
        fingerprints=(),
    )


@dataclass(frozen=True)
class _View:
    """Log-probabilities [Q, M, C] of some rows and samples of others [P, N, C]."""

    log_probs: LogProbReader
    rows: NDArray[np.intp]
    samples: NDArray[np.intp] | None

    @property
    def shape(self) -> tuple[int, ...]:
        _, n_samples, n_classes = self.log_probs.shape
        return len(self.rows), n_samples if self.samples is None else len(self.samples), n_classes

    @property
    def nbytes(self) -> int:
        """The bytes in memory of what is looked at."""
        return int(getattr(self.log_probs, "nbytes", 0))

    def __getitem__(self, block: slice | tuple[slice, slice], /) -> NDArray[np.float32]:
        points, samples = block if isinstance(block, tuple) else (block, slice(None))
        wanted = self.rows[points]
        cuts = np.flatnonzero(np.diff(wanted) != 1) + 1
        parts = [self._read(part, samples) for part in np.split(wanted, cuts)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _read(self, rows: NDArray[np.intp], samples: slice) -> NDArray[np.float32]:
        """The samples of consecutive rows."""
        at = slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)
        if self.samples is None:
            return np.asarray(self.log_probs[at, samples])
        return np.asarray(self.log_probs[at])[:, self.samples[samples]]
