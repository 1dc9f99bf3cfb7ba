"""The step shuffle: every sample's predictions along a run, without their common order in time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.predictions import LogProbReader, Predictions
from infogeo.nulls.model import Seed, derived


@dataclass(frozen=True)
class StepShuffle:
    """A permutation of the steps of each run, drawn anew for each sample: p'_rt(n) = p_r,pi_rn(t)(n).

    Keeps every sample's predictions along every run as a set: which samples are learned at all, how surely, and what
    they are mistaken for, and so all that runs share in this. Loses the common order in time: at one step of
    the result, some samples are at the beginning of training and others at its end. So it tests one claim: that
    samples move together along a run. Any run that learns passes; the number says how far the map is one of time.

    The table of what comes from where takes 4 bytes for each point and sample.
    """

    name: ClassVar[str] = "step shuffle"
    words: ClassVar[str] = "the steps of each run shuffled, independently for each sample"
    claim: ClassVar[str] = "samples move in one order along the runs"
    needs_labels: ClassVar[bool] = False
    random: ClassVar[bool] = True

    def replicate(self, predictions: Predictions, seed: Seed) -> Predictions:
        """The predictions, shuffled.

        Raises:
            InputError: no run has two checkpoints.
        """
        points = predictions.points
        rows = [points.of_run(run) for run in points.runs]
        if max(len(own) for own in rows) < 2:
            raise InputError("null: the step shuffle needs runs of at least two checkpoints; all have one")
        source = np.empty((predictions.n_points, predictions.n_samples), dtype=np.int32)
        for r, own in enumerate(rows):
            keys = np.random.default_rng(derived(seed, r)).random((predictions.n_samples, len(own)))
            source[own] = own[keys.argsort(axis=1).T]
        return replace(predictions, log_probs=_Reordered(predictions.log_probs, source), fingerprints=())


@dataclass(frozen=True)
class _Reordered:
    """Log-probabilities [P, N, C] where each sample of each point is that of some other point."""

    log_probs: LogProbReader
    source: NDArray[np.int32]  # [P, N]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.log_probs.shape

    @property
    def nbytes(self) -> int:
        """The bytes in memory of what is reordered, and of the table."""
        return self.source.nbytes + int(getattr(self.log_probs, "nbytes", 0))

    def __getitem__(self, block: slice | tuple[slice, slice], /) -> NDArray[np.float32]:
        points, samples = block if isinstance(block, tuple) else (block, slice(None))
        source = self.source[points, samples]
        found = np.empty((*source.shape, self.shape[2]), dtype=np.float32)
        for row in np.unique(source).tolist():
            place, sample = np.nonzero(source == row)
            found[place, sample] = np.asarray(self.log_probs[row : row + 1, samples])[0][sample]
        return found
