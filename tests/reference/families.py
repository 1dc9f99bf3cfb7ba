"""Symmetric Kullback-Leibler divergences of families from their textbook forms, one pair of models at a time."""

import math

import numpy as np


def bernoulli(p, q):
    """Sum over coins and outcomes of (p - q)(log p - log q)."""
    return sum((a - b) * math.log(a / b) for x, y in zip(p, q, strict=True) for a, b in ((x, y), (1 - x, 1 - y)))


def poisson(rate, other):
    """Sum over counts k of (p_k - q_k)(log p_k - log q_k), as far as both are negligible."""
    return sum(_poisson(a, b) for a, b in zip(rate, other, strict=True))


def _poisson(a, b):
    total = 0.0
    for k in range(200):
        log_p, log_q = (k * math.log(r) - r - math.lgamma(k + 1) for r in (a, b))
        total += (math.exp(log_p) - math.exp(log_q)) * (log_p - log_q)
    return total


def gaussian(mean, variance, other_mean, other_variance):
    """KL(p, q) + KL(q, p), each log(s_q / s_p) + (s_p^2 + (mu_p - mu_q)^2) / (2 s_q^2) - 1/2."""
    total = 0.0
    for m, v, n, w in zip(mean, variance, other_mean, other_variance, strict=True):
        total += _gaussian(m, v, n, w) + _gaussian(n, w, m, v)
    return total


def _gaussian(m, v, n, w):
    return 0.5 * math.log(w / v) + (v + (m - n) ** 2) / (2 * w) - 0.5


def least_squares(f, g, variance):
    """|f - g|^2 / s^2."""
    return sum((a - b) ** 2 for a, b in zip(f, g, strict=True)) / variance


def matrix(function, *tables):
    """All pairs [P, P] of models, whose rows are those of the tables."""
    size = range(len(tables[0]))
    return np.array([[function(*(t[i] for t in tables), *(t[j] for t in tables)) for j in size] for i in size])
