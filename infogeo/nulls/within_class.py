"""The within-class shuffle: same confidence, same classes, but no shared structure from example to example."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.predictions import LogProbReader, Predictions
from infogeo.nulls.model import Seed


@dataclass(frozen=True)
class WithinClassShuffle:
    """One permutation of the examples for each run, within classes: p'_rt(n) = p_rt(pi_r(n)), class of pi_r(n) = of n.

    Keeps, for each checkpoint, accuracy, loss and the predictions of each class as a set; and, as one permutation
    serves all checkpoints of a run, every divergence within the run: its length, its shape, its learning curve.
    Loses what runs share example by example. So it tests one claim: that the runs agree on more than classes and
    learning curves, on which examples are easy, hard, or mistaken for what.

    A class of m examples leaves each example where it was with probability 1/m: the fewer there are, the less is lost.
    """

    name: ClassVar[str] = "within-class shuffle"
    words: ClassVar[str] = "the examples of each class shuffled, independently for each run"
    claim: ClassVar[str] = "the runs share structure example by example"
    needs_labels: ClassVar[bool] = True
    random: ClassVar[bool] = True

    def replicate(self, predictions: Predictions, seed: Seed) -> Predictions:
        """The predictions, shuffled.

        Raises:
            InputError: the labels are not known, classes are merged, there is a single run, or no two samples are of
                one class.
        """
        shuffled = shuffled_within_class(predictions, seed)
        if len(predictions.points.runs) < 2:
            raise InputError("null: the within-class shuffle compares runs; there is only one")
        if len(np.unique(np.asarray(predictions.labels))) == predictions.n_samples:
            raise InputError(
                "labels: no two samples are of one class, so there is nothing to shuffle; use more samples"
            )
        return shuffled


WITHIN_CLASS = WithinClassShuffle()
"""The null that is shown beside a stress by default."""


def shuffled_within_class(predictions: Predictions, seed: Seed) -> Predictions:
    """The same predictions with the examples of each class permuted, independently for each run.

    One permutation serves all checkpoints of a run. Accuracy, loss and every divergence within a run stay as
    they are; what runs share example by example is lost.

    Raises:
        InputError: the labels are not known, or classes are merged.
    """
    if predictions.labels is None:
        raise InputError("labels: the within-class shuffle needs the true class of each sample; give labels")
    if predictions.coarse_graining is not None:
        raise InputError("predictions: each sample keeps classes of its own; shuffle first, then merge")
    rng = np.random.default_rng(seed)
    runs, run_of = np.unique(predictions.points["run"], return_inverse=True)
    members = [np.flatnonzero(predictions.labels == c) for c in np.unique(predictions.labels)]
    permutations = np.empty((len(runs), predictions.n_samples), dtype=np.intp)
    for permutation in permutations:
        for samples in members:
            permutation[samples] = rng.permutation(samples)
    return replace(predictions, log_probs=_Permuted(predictions.log_probs, permutations, run_of), fingerprints=())


@dataclass(frozen=True)
class _Permuted:
    """Log-probabilities whose samples are permuted, by one permutation per run."""

    log_probs: LogProbReader
    permutations: NDArray[np.intp]  # [R, N]
    run_of: NDArray[np.intp]  # [P]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.log_probs.shape

    @property
    def nbytes(self) -> int:
        """The bytes in memory of what is permuted."""
        return int(getattr(self.log_probs, "nbytes", 0))

    def __getitem__(self, block: slice | tuple[slice, slice], /) -> NDArray[np.float32]:
        points, samples = block if isinstance(block, tuple) else (block, slice(None))
        permutations = self.permutations[self.run_of[points], samples]
        return np.take_along_axis(np.asarray(self.log_probs[points]), permutations[:, :, None], axis=1)
