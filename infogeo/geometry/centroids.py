"""Means of several predictions, sample by sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp, wrightomega

from infogeo.core.checks import LOG_FLOOR
from infogeo.core.errors import InputError

MOST_STEPS = 200
"""Of an iteration; the Bhattacharyya centroid gains a binary digit or more with each, the Jeffreys centroid doubles."""


class Mean(NamedTuple):
    """A mean of predictions.

    Attributes:
        log_p: natural logarithms [N, C], float64, rows that sum to one.
        residual: how far an iteration's condition is from being met, at worst over samples; 0 for closed forms.
    """

    log_p: NDArray[np.float64]
    residual: float


class MeanKind(Protocol):
    """A way to average M predictions."""

    def of(self, log_p: NDArray[np.float64]) -> Mean:
        """The mean of log-probabilities [M, N, C]."""
        ...


@dataclass(frozen=True)
class ArithmeticMean:
    """m = (1/M) sum_i p_i: what an ensemble predicts; the minimum of sum_i KL(p_i, m)."""

    def of(self, log_p: NDArray[np.float64]) -> Mean:
        """The mean of log-probabilities [M, N, C]."""
        return Mean(_normalised(_log_sum(log_p, 0)), 0.0)


@dataclass(frozen=True)
class GeometricMean:
    """m ~ prod_i p_i^(1/M): the mean of logits; the minimum of sum_i KL(m, p_i)."""

    def of(self, log_p: NDArray[np.float64]) -> Mean:
        """The mean of log-probabilities [M, N, C]."""
        return Mean(_normalised(log_p.mean(axis=0)), 0.0)


@dataclass(frozen=True)
class HarmonicMean:
    """m ~ 1 / sum_i (1 / p_i): a class needs every vote."""

    def of(self, log_p: NDArray[np.float64]) -> Mean:
        """The mean of log-probabilities [M, N, C]."""
        return Mean(_normalised(-_log_sum(-log_p, 0)), 0.0)


@dataclass(frozen=True)
class SquareRootMean:
    """m ~ (sum_i sqrt(p_i))^2: the mean on the sphere's chords; the minimum of the Hellinger divergences."""

    def of(self, log_p: NDArray[np.float64]) -> Mean:
        """The mean of log-probabilities [M, N, C]."""
        return Mean(_normalised(2 * _log_sum(log_p / 2, 0)), 0.0)


@dataclass(frozen=True)
class BhattacharyyaCentroid:
    """The minimum of sum_i -log sum_c sqrt(m p_i).

    With y = sqrt(m) and x_i = sqrt(p_i) it solves y = (1/M) sum_i x_i / <x_i, y>, the maximum of a concave function;
    steps half-way to the right-hand side converge, with a factor of 1/2 or better.
    """

    tolerance: float = 1e-12

    def of(self, log_p: NDArray[np.float64]) -> Mean:
        """The mean of log-probabilities [M, N, C]; the residual is the largest change of a component of y."""
        x = np.exp(log_p / 2)
        y = _unit(x.mean(axis=0))
        residual = np.inf
        for _ in range(MOST_STEPS):
            pulled = _unit((x / np.einsum("mnc,nc->mn", x, y)[..., None]).mean(axis=0))
            residual = float(np.abs(pulled - y).max())
            y = _unit(y + pulled)
            if residual <= self.tolerance:
                break
        return Mean(_normalised(2 * np.log(np.maximum(y, np.exp(LOG_FLOOR / 2)))), residual)


@dataclass(frozen=True)
class JeffreysCentroid:
    """The minimum of sum_i KL(p_i, m) + KL(m, p_i), the symmetric Kullback-Leibler divergence.

    With a the arithmetic and g the geometric mean, m_c = a_c / W(exp(1 + l) a_c / g_c) where W is Lambert's function
    and l makes m sum to one: the root of a convex function, by Newton's method from its left.

    Source: Nielsen, IEEE Signal Process. Lett. 20 (2013) 657.
    """

    tolerance: float = 1e-12

    def of(self, log_p: NDArray[np.float64]) -> Mean:
        """The mean of log-probabilities [M, N, C]; the residual is the largest |sum of m - 1|."""
        log_a = ArithmeticMean().of(log_p).log_p
        log_ratio = log_a - GeometricMean().of(log_p).log_p
        shift = -log_ratio.max(axis=1)  # here every W is at most 1, so that m is at least a: its sum is one or more
        excess = np.inf
        omega = np.ones_like(log_a)
        for _ in range(MOST_STEPS):
            omega = wrightomega(1 + shift[:, None] + log_ratio)
            m = np.exp(log_a) / omega
            excess = m.sum(axis=1) - 1
            if np.abs(excess).max() <= self.tolerance:
                break
            shift = shift + excess / (m / (1 + omega)).sum(axis=1)
        return Mean(_normalised(log_a - np.log(omega)), float(np.abs(excess).max()))


def mean_prediction(log_p: ArrayLike, kind: MeanKind | None = None) -> Mean:
    """The mean of M predictions [M, N, C], given as natural logarithms; by default arithmetic.

    Raises:
        InputError: another number of dimensions, or nothing to average.
    """
    values = np.asarray(log_p, dtype=np.float64)
    if values.ndim != 3 or not len(values):
        raise InputError(f"predictions: have shape {values.shape}, expected [M, N, C] with M of at least 1")
    return (kind or ArithmeticMean()).of(np.maximum(values, LOG_FLOOR))


def _normalised(log_m: NDArray[np.float64]) -> NDArray[np.float64]:
    return log_m - _log_sum(log_m, -1)[..., None]


def _log_sum(x: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    return np.asarray(logsumexp(x, axis=axis))


def _unit(y: NDArray[np.float64]) -> NDArray[np.float64]:
    return y / np.linalg.norm(y, axis=-1, keepdims=True)
