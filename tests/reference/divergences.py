"""Divergences straight from their definitions, in float64, one pair of points at a time."""

import numpy as np


def bhattacharyya(log_p, log_q):
    """Mean over samples of -log sum_c sqrt(p q)."""
    p, q = _normalised(log_p), _normalised(log_q)
    return float(np.mean([-_log_sum_exp((a + b) / 2) for a, b in zip(p, q, strict=True)]))


def hellinger(log_p, log_q):
    """Mean over samples of sum_c (sqrt p - sqrt q)^2 / 2."""
    p, q = np.exp(_normalised(log_p) / 2), np.exp(_normalised(log_q) / 2)
    return float(np.mean(np.sum((p - q) ** 2, axis=-1) / 2))


def symmetric_kl(log_p, log_q):
    """Mean over samples of sum_c (p - q)(log p - log q)."""
    p, q = _normalised(log_p), _normalised(log_q)
    return float(np.mean(np.sum((np.exp(p) - np.exp(q)) * (p - q), axis=-1)))


def renyi(alpha):
    """The mean over samples of -[log sum_c p^a q^(1-a) + log sum_c p^(1-a) q^a] / (a (1 - a)), as a function."""

    def divergence(log_p, log_q):
        p, q = _normalised(log_p), _normalised(log_q)
        sums = [
            _log_sum_exp(alpha * a + (1 - alpha) * b) + _log_sum_exp((1 - alpha) * a + alpha * b)
            for a, b in zip(p, q, strict=True)
        ]
        return float(-np.mean(sums) / (alpha * (1 - alpha)))

    return divergence


def jensen_shannon(log_p, log_q):
    """Mean over samples of KL(p, m) / 2 + KL(q, m) / 2."""
    p, q = _normalised(log_p), _normalised(log_q)
    log_m = np.logaddexp(p, q) - np.log(2)
    return float(np.mean(np.sum(np.exp(p) * (p - log_m) + np.exp(q) * (q - log_m), axis=-1) / 2))


def fisher_rao(log_p, log_q):
    """Mean over samples of (2 arccos sum_c sqrt(p q))^2, by the chord, which loses nothing at small distances."""
    p, q = np.exp(_normalised(log_p) / 2), np.exp(_normalised(log_q) / 2)
    chord = np.linalg.norm(p - q, axis=-1)
    return float(np.mean((4 * np.arcsin(np.minimum(chord / 2, 1))) ** 2))


def euclidean(log_p, log_q):
    """Mean over samples of sum_c (p - q)^2."""
    p, q = np.exp(_normalised(log_p)), np.exp(_normalised(log_q))
    return float(np.mean(np.sum((p - q) ** 2, axis=-1)))


def matrix(function, log_probs, others=None):
    """All pairs of [P, N, C] (and [Q, N, C])."""
    others = log_probs if others is None else others
    return np.array([[function(p, q) for q in others] for p in log_probs])


def _normalised(log_p):
    x = np.asarray(log_p, dtype=np.float64)
    return np.array([row - _log_sum_exp(row) for row in x])


def _log_sum_exp(row):
    top = row.max()
    return top + np.log(np.sum(np.exp(row - top)))
