"""Local PCA in loops: nearest points run by run, and traces from all quadruples of different neighbours."""

from itertools import permutations

import numpy as np


def traces(y):
    """(tr Sigma^2, (tr Sigma)^2) of points y [k, K]: means over i, j, l, m, all different, of
    ((y_i - y_j)'(y_l - y_m))^2 / 4 and of |y_i - y_j|^2 |y_l - y_m|^2 / 4; by construction without bias."""
    square, squared = [], []
    for i, j, m, n in permutations(range(len(y)), 4):
        one, other = y[i] - y[j], y[m] - y[n]
        square.append((one @ other) ** 2 / 4)
        squared.append((one @ one) * (other @ other) / 4)
    return np.mean(square), np.mean(squared)


def nearest(x, runs, i, count):
    """The count nearest points to point i, one of each other run, as (distance, point)."""
    best = {}
    for j in range(len(x)):
        distance = np.linalg.norm(x[i] - x[j])
        if runs[j] != runs[i] and distance < best.get(runs[j], (np.inf,))[0]:
            best[runs[j]] = distance, j
    return sorted(best.values())[:count]


def dimension(x, runs, k):
    """sum_i w_i (tr Sigma_i)^2 / sum_i w_i tr Sigma_i^2, w_i = r_i,k+1^-4."""
    above = below = 0.0
    for i in range(len(x)):
        near = nearest(x, runs, i, k + 1)
        square, squared = traces(x[[j for _, j in near[:k]]])
        above += squared / near[k][0] ** 4
        below += square / near[k][0] ** 4
    return above / below
