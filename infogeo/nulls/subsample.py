"""A part of the data on which a null costs little: the same checkpoints of every run, the same share of every class."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from infogeo.core.coarse import CoarseGraining
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.core.predictions import IN_MEMORY_BYTES, LogProbReader, Predictions
from infogeo.nulls.model import Seed, derived

PER_RUN = 5
"""Checkpoints that are left of a run at least: the ends, and what tells a bend from a straight road."""
PER_CLASS = 10
"""Samples that are left of a class at least, for a shuffle within classes to have something to exchange."""


@dataclass(frozen=True)
class Subsample:
    """At most so many checkpoints and samples, spread over runs, steps and classes.

    Every run that is taken gives as many checkpoints, at least 5 or all it has, evenly spread from its first to its
    last; where not all runs fit, they are drawn. Samples are drawn from every class in proportion; where classes are
    so many that less than 10 samples of each would fit, classes are drawn, and up to 10 samples of each. All draws
    follow the seed.

    Attributes:
        max_points: checkpoints at most, at least 10.
        max_samples: samples at most, at least 10.

    Raises:
        InputError: less than 10 of either.
    """

    max_points: int = 400
    max_samples: int = 1000

    def __post_init__(self) -> None:
        for name, least in (("max_points", 2 * PER_RUN), ("max_samples", PER_CLASS)):
            if getattr(self, name) < least:
                raise InputError(f"{name}: {getattr(self, name)}; give at least {least}")

    def of(self, predictions: Predictions, seed: Seed, memory: int | None = None) -> Predictions:
        """The part of the predictions; all of them where they are no more.

        It is held in memory where it is small (a quarter of `memory`, 1 GB without), and otherwise read when needed.
        """
        rows = self._points(predictions.points, np.random.default_rng(derived(seed, 0)))
        samples = self._samples(predictions, np.random.default_rng(derived(seed, 1)))
        if len(rows) == predictions.n_points and len(samples) == predictions.n_samples:
            return predictions
        part = _with_samples(predictions, samples).take(rows)
        if 4 * np.prod(part.log_probs.shape) > (IN_MEMORY_BYTES if memory is None else memory // 4):
            return part
        return replace(part, log_probs=part.log_probs[:])

    def _points(self, points: Points, rng: np.random.Generator) -> NDArray[np.intp]:
        """Rows of the checkpoints, ascending."""
        runs = [points.of_run(run) for run in points.runs]
        each = min(max(PER_RUN, self.max_points // len(runs)), max(len(own) for own in runs))
        wanted = min(len(runs), self.max_points // each)
        drawn = np.sort(rng.permutation(len(runs))[:wanted]).tolist()
        spread = [own[np.linspace(0, len(own) - 1, min(each, len(own))).round().astype(int)] for own in runs]
        return np.sort(np.concatenate([spread[r] for r in drawn]))

    def _samples(self, predictions: Predictions, rng: np.random.Generator) -> NDArray[np.intp]:
        """Numbers of the samples, ascending."""
        count = predictions.n_samples
        if count <= self.max_samples:
            return np.arange(count)
        labels = np.zeros(count, dtype=np.int64) if predictions.labels is None else predictions.labels
        order = rng.permutation(count)
        order = order[np.argsort(labels[order], kind="stable")]  # by class, at random within each
        classes, sizes = np.unique(labels, return_counts=True)
        if PER_CLASS * len(classes) > self.max_samples:
            rank = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            order = order[rank < PER_CLASS]
            drawn = rng.permutation(len(classes))
            fitting = np.cumsum(np.minimum(sizes, PER_CLASS)[drawn]) <= self.max_samples
            order = order[np.isin(labels[order], classes[drawn[fitting]])]
        wanted = min(self.max_samples, len(order))
        return np.sort(order[(np.arange(wanted) * 2 + 1) * len(order) // (2 * wanted)])


SMALL = Subsample()
"""What a null costs little on: seconds for twenty replicates with ten classes."""


def _with_samples(predictions: Predictions, samples: NDArray[np.intp]) -> Predictions:
    if len(samples) == predictions.n_samples:
        return predictions
    coarse = predictions.coarse_graining
    return replace(
        predictions,
        log_probs=_Samples(predictions.log_probs, samples),
        labels=None if predictions.labels is None else predictions.labels[samples],
        coarse_graining=None if coarse is None else CoarseGraining(coarse.kept[samples], coarse.classes),
        fingerprints=(),
        probe=None,
    )


@dataclass(frozen=True)
class _Samples:
    """Some of the samples of log-probabilities [P, N, C], read when needed."""

    log_probs: LogProbReader
    samples: NDArray[np.intp]  # [N], ascending

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.log_probs.shape[0], len(self.samples), self.log_probs.shape[2])

    @property
    def nbytes(self) -> int:
        """The bytes in memory of what they are taken from."""
        return int(getattr(self.log_probs, "nbytes", 0))

    def __getitem__(self, block: slice | tuple[slice, slice], /) -> NDArray[np.float32]:
        points, samples = block if isinstance(block, tuple) else (block, slice(None))
        wanted = self.samples[samples]
        found = np.empty((len(range(self.shape[0])[points]), len(wanted), self.shape[2]), dtype=np.float32)
        if len(wanted):
            span = slice(int(wanted[0]), int(wanted[-1]) + 1)
            for place, row in enumerate(range(self.shape[0])[points]):
                found[place] = np.asarray(self.log_probs[row : row + 1, span])[0, wanted - span.start]
        return found
