"""The within-class shuffle: same confidence, same classes, but no shared structure from example to example."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.predictions import LogProbReader, Predictions
from infogeo.divergences.base import Divergence
from infogeo.embed.inpca import inpca
from infogeo.nulls.comparison import NullComparison
from infogeo.pairwise.run import pairwise_divergence


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


def shuffled_within_class(predictions: Predictions, seed: int) -> Predictions:
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


def explained_stress_null(
    predictions: Predictions,
    divergence: Divergence,
    statistic: NDArray[np.float64],
    *,
    replicates: int = 3,
    seed: int = 0,
    memory: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NullComparison:
    """The explained stress of data sets shuffled within their classes, beside that of the data.

    Args:
        predictions: P checkpoints with labels.
        divergence: which divergence.
        statistic: the explained stress of the data [K], from `inpca`.
        replicates: how many shuffled data sets; each costs as much as the map itself.
        seed: of the shuffles.
        memory: the bytes that the divergences may take; see `plan_pairwise`.
        progress: called with (replicates done, replicates in all).

    Raises:
        InputError: the labels are not known, classes are merged, or there is a single run, which a shuffle leaves
            as it is.
    """
    if len(predictions.points.runs) < 2:
        raise InputError("null: the within-class shuffle compares runs; there is only one")
    k = len(statistic)
    stresses = np.ones((replicates, k))
    for r in range(replicates):
        shuffled = shuffled_within_class(predictions, seed=seed + r)
        stress = inpca(pairwise_divergence(shuffled, divergence, memory=memory), k).explained_stress
        stresses[r, : len(stress)] = stress
        if progress is not None:
            progress(r + 1, replicates)
    return NullComparison(statistic, stresses, "examples permuted within their class, independently for each run", seed)
