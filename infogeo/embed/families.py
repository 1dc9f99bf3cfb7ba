"""Exponential families: models with natural parameters and expected statistics, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.core.predictions import Predictions

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ExponentialFamily:
    """P models p(x | theta) = h(x) exp(sum_i eta_i(theta) t_i(x) - A(theta)) of one family with n statistics t_i.

    Their symmetric Kullback-Leibler divergence is sum_i (eta_i - eta_i') (<t_i> - <t_i>'), in nats.

    Attributes:
        natural: eta [P, n], the natural parameters; float64.
        expected: <t> [P, n], the expectations of the statistics under each model; float64.
        points: one row per model; by default every model is a run of its own, at step 0.

    Raises:
        InputError: not tables of one shape [P, n], an entry that is not finite, or points of another length.
    """

    natural: Array
    expected: Array
    points: Points | None = None

    def __post_init__(self) -> None:
        natural, expected = _table("natural", self.natural), _table("expected", self.expected)
        if natural.shape != expected.shape:
            raise InputError(
                f"expected: shape {expected.shape}, but natural has {natural.shape}: one expectation per parameter"
            )
        if self.points is not None and len(self.points) != len(natural):
            raise InputError(f"points: {len(self.points)} rows for {len(natural)} models")
        object.__setattr__(self, "natural", natural)
        object.__setattr__(self, "expected", expected)

    def __len__(self) -> int:
        return len(self.natural)


def bernoulli_family(probabilities: ArrayLike, points: Points | None = None) -> ExponentialFamily:
    """n independent coins: eta_i = log(p_i / (1 - p_i)), <t_i> = p_i, so D = sum_i (p_i - q_i)(logit p_i - logit q_i).

    Args:
        probabilities: p [P, n], each between 0 and 1 and neither of them.
        points: one row per model.

    Raises:
        InputError: a probability that is not inside (0, 1): the divergence from it is infinite.
    """
    p = _table("probabilities", probabilities)
    _inside("probabilities", p, (p > 0) & (p < 1), "between 0 and 1 and neither of them")
    return ExponentialFamily(np.log(p) - np.log1p(-p), p, points)


def categorical_family(predictions: Predictions) -> ExponentialFamily:
    """Softmax predictions as N independent dice: eta_nc = log p_nc - log p_nC, <t_nc> = p_nc / N for c = 1..C-1.

    n = N (C - 1). The statistic t_nc is 1/N where sample n is of class c, else 0, so that the divergence is the mean
    over samples, D = (1/N) sum_n sum_c (p_nc - q_nc)(log p_nc - log q_nc): that of `SymmetricKL`. Rows are
    normalised in float64. The tables take 16 P N (C - 1) bytes.

    Args:
        predictions: P checkpoints on one probe set; the floor log p >= -174 is in them already.

    Raises:
        InputError: a class without any probability at all.
    """
    shape = (predictions.n_points, predictions.n_samples * (predictions.n_classes - 1))
    natural, expected = np.empty(shape), np.empty(shape)
    for rows, block in predictions.blocks():
        log_p = block.astype(np.float64)
        log_p = log_p - np.asarray(logsumexp(log_p, axis=-1, keepdims=True))
        natural[rows] = (log_p[..., :-1] - log_p[..., -1:]).reshape(len(log_p), -1)
        expected[rows] = np.exp(log_p[..., :-1]).reshape(len(log_p), -1) / predictions.n_samples
    return ExponentialFamily(natural, expected, predictions.points)


def poisson_family(rates: ArrayLike, points: Points | None = None) -> ExponentialFamily:
    """n independent counts: eta_i = log r_i, <t_i> = r_i, so D = sum_i (r_i - r_i')(log r_i - log r_i').

    Args:
        rates: the expected counts r [P, n], above zero.
        points: one row per model.

    Raises:
        InputError: a rate that is not above zero.
    """
    rate = _table("rates", rates)
    _inside("rates", rate, rate > 0, "above 0")
    return ExponentialFamily(np.log(rate), rate, points)


def gaussian_family(
    mean: ArrayLike, variance: ArrayLike, points: Points | None = None, reference: ArrayLike | None = None
) -> ExponentialFamily:
    """n independent Gaussians, both parts vary: eta = (m / s^2, -1 / (2 s^2)), <t> = (m, m^2 + s^2), m = mu - mu_0.

    mu is the mean, s^2 the variance; 2n pairs: the n of the first kind, then the n of the second. Counting from a
    reference mu_0 leaves every divergence as it is and keeps m^2 small where means lie far from zero; what the two
    kinds say one by one, and so the boosts of `iskl`, depends on it.

    Args:
        mean: mu [P, n].
        variance: s^2 [P, n], above zero.
        points: one row per model.
        reference: mu_0 [n]; by default the mean of mu over the models. New members of a family that is embedded need
            the reference of that family.

    Raises:
        InputError: tables of different shapes, a variance that is not above zero, or a reference of another length.
    """
    mu, square = _table("mean", mean), _table("variance", variance)
    if mu.shape != square.shape:
        raise InputError(f"variance: shape {square.shape}, but mean has {mu.shape}: one variance per mean")
    _inside("variance", square, square > 0, "above 0")
    origin = mu.mean(axis=0) if reference is None else np.asarray(reference, dtype=np.float64)
    if origin.shape != mu.shape[1:]:
        raise InputError(f"reference: shape {origin.shape}, expected {mu.shape[1:]}: one origin per Gaussian")
    m = mu - origin
    natural = np.concatenate([m / square, -0.5 / square], axis=1)
    return ExponentialFamily(natural, np.concatenate([m, m**2 + square], axis=1), points)


def least_squares_family(f: ArrayLike, variance: float, points: Points | None = None) -> ExponentialFamily:
    """n measurements with Gaussian noise of fixed variance s^2: eta_i = f_i / s^2, <t_i> = f_i, D = |f - f'|^2 / s^2.

    Natural and expected parameters are proportional: every axis is space-like and isKL is principal component analysis.

    Args:
        f: what each model predicts [P, n].
        variance: s^2 of the noise, above zero.
        points: one row per model.

    Raises:
        InputError: the variance is not above zero.
    """
    table = _table("f", f)
    if not 0 < variance < np.inf:
        raise InputError(f"variance: {variance}; the variance of the noise must be above 0 and finite")
    return ExponentialFamily(table / variance, table, points)


def _table(name: str, values: ArrayLike) -> Array:
    """The values as a finite float64 table [P, n]."""
    given = np.asarray(values)
    if given.dtype.kind not in "fiub":
        raise InputError(f"{name}: holds {given.dtype}, expected numbers")
    if given.ndim != 2 or 0 in given.shape:
        raise InputError(f"{name}: shape {given.shape}, expected [P, n]: one row per model")
    table = given.astype(np.float64)
    _inside(name, table, np.isfinite(table), "finite")
    return table


def _inside(name: str, table: Array, allowed: NDArray[np.bool_], what: str) -> None:
    if not allowed.all():
        row, column = np.argwhere(~allowed)[0]
        raise InputError(f"{name}: entry ({row}, {column}) is {table[row, column]:g}; it must be {what}")
