"""Dirichlet models: random predictions that are as confident as the data, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, logsumexp

from infogeo.core.checks import LOG_FLOOR
from infogeo.core.errors import InputError
from infogeo.core.predictions import Predictions
from infogeo.nulls.model import Seed, derived

CONCENTRATIONS = (1e-9, 1e9)
"""From predictions whose entropy is 0 to 1e-8 nats, to such that differ from uniform by 3e-5 of themselves."""
HALVINGS = 60
"""Of the interval of log concentrations, 41 wide: what is left is below the rounding of float64."""
DRAWN_AT_ONCE = 2**14
"""Numbers of one point that are drawn together; a block of samples costs whole portions."""


@dataclass(frozen=True)
class DirichletModels:
    """Every checkpoint replaced by independent draws for each sample, p'(n) ~ Dirichlet(a, ..., a).

    The concentration a of a checkpoint is that at which the expected entropy is the mean entropy of the checkpoint,

        E[H] = psi(C a + 1) - psi(a + 1),

    which grows with a from 0 to log C. (One class has the marginal Beta(a, (C - 1) a), for which
    E[-p log p] = (psi(C a + 1) - psi(a + 1)) / C; C of them add up.)

    Keeps the mean entropy of every checkpoint, in nats, and so the curve of confidence along each run. Loses all
    else: labels, samples, and that neighbouring checkpoints predict alike. So it tests the weakest claim: that there
    is anything beyond confidence.

    Source: the entropy: Nemenman, Shafee and Bialek, NIPS 14 (2002).
    """

    name: ClassVar[str] = "Dirichlet models"
    words: ClassVar[str] = "random predictions of the same mean entropy in place of each checkpoint"
    claim: ClassVar[str] = "the runs have more in common than their confidence"
    needs_labels: ClassVar[bool] = False
    random: ClassVar[bool] = True

    def replicate(self, predictions: Predictions, seed: Seed) -> Predictions:
        """Random predictions with the same points; the data are read once, for their entropies.

        Raises:
            InputError: classes are merged: the rest is not a class like the others.
        """
        if predictions.coarse_graining is not None:
            raise InputError("null: Dirichlet models treat all classes alike; do not merge classes")
        entropies = np.empty(predictions.n_points)
        for rows, block in predictions.blocks():
            log_p = block.astype(np.float64)
            entropies[rows] = -(np.exp(log_p) * log_p).sum(axis=2).mean(axis=1)
        drawn = _Drawn(predictions.log_probs.shape, concentrations(entropies, predictions.n_classes), seed)
        return replace(predictions, log_probs=drawn, fingerprints=(), floored=0, correction=0.0)


def concentrations(entropies: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    """The a [P] at which Dirichlet(a, ..., a) over C classes has these expected entropies [P], in nats.

    The root of psi(C a + 1) - psi(a + 1) = H, by bisection; entropies out of reach get the nearest concentration.
    """
    wanted = np.asarray(entropies, dtype=np.float64)
    low, high = (np.full(wanted.shape, np.log(end)) for end in CONCENTRATIONS)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        a = np.exp(middle)
        below = digamma(n_classes * a + 1) - digamma(a + 1) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.exp((low + high) / 2)


@dataclass(frozen=True)
class _Drawn:
    """Log-probabilities [P, N, C] that are drawn when they are read, each portion from a seed of its own."""

    shape: tuple[int, ...]
    concentration: NDArray[np.float64]  # [P]
    seed: Seed

    def __getitem__(self, block: slice | tuple[slice, slice], /) -> NDArray[np.float32]:
        points, samples = block if isinstance(block, tuple) else (block, slice(None))
        rows, (first, last, _) = range(self.shape[0])[points], samples.indices(self.shape[1])
        found = np.empty((len(rows), last - first, self.shape[2]), dtype=np.float32)
        size = max(1, DRAWN_AT_ONCE // self.shape[2])
        for place, row in enumerate(rows):
            for portion in range(first // size, -(-last // size)):
                start, stop = max(first, portion * size), min(last, (portion + 1) * size)
                drawn = self._portion(row, portion, min(size, self.shape[1] - portion * size))
                found[place, start - first : stop - first] = drawn[start - portion * size : stop - portion * size]
        return found

    def _portion(self, row: int, portion: int, size: int) -> NDArray[np.float64]:
        """log p [size, C], by normalised gamma variates: log G(a) = log G(a + 1) + log(U) / a does not underflow."""
        rng, a = np.random.default_rng(derived(self.seed, row, portion)), self.concentration[row]
        shape = (size, self.shape[2])
        log_gamma = np.log(rng.standard_gamma(a + 1, shape)) - rng.standard_exponential(shape) / a
        return np.maximum(log_gamma - logsumexp(log_gamma, axis=1, keepdims=True), LOG_FLOOR)
