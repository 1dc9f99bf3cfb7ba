"""Weighted maps by writing every copy of a point, and what maps explain by loops over pairs."""

import numpy as np

from tests.reference import embedding


def copies(counts):
    """The rows of the points in which point i occurs counts[i] times."""
    return np.repeat(np.arange(len(counts)), counts)


def duplicated_inpca(d, counts, k):
    """(all eigenvalues, coordinates [P, k], stress [k]) of the map in which each point occurs as often as it counts.

    Points that do not occur have no coordinates here (NaN).
    """
    rows = copies(counts)
    w, values, vectors = embedding.spectrum(d[np.ix_(rows, rows)])
    placed = np.full((len(d), k), np.nan)
    placed[rows] = (vectors * np.sqrt(np.abs(values)))[:, :k]
    return values, placed, np.array([embedding.stress_of(w, values[:a], vectors[:, :a]) for a in range(1, k + 1)])


def symmetric_form(d, weights):
    """A = S W S of weights that sum to P, with every matrix written out, and W."""
    size = len(d)
    j = np.eye(size) - np.outer(np.ones(size), weights) / size
    w = -0.5 * j @ d @ j.T
    roots = np.diag(np.sqrt(weights))
    return roots @ w @ roots, w


def rebuilt_entry(coords, signature, i, j, k):
    """D_k,ij = sum_{a<=k} signature_a (x_ia - x_ja)^2."""
    return sum(signature[a] * (coords[i, a] - coords[j, a]) ** 2 for a in range(k))


def explained_distance(d, coords, signature, weights, k, power):
    """1 - (sum_ij w_i w_j |D_k,ij - D_ij|^p)^(1/p) / (sum_ij w_i w_j D_ij^p)^(1/p)."""
    error = total = 0.0
    for i in range(len(d)):
        for j in range(len(d)):
            weight = weights[i] * weights[j]
            error += weight * abs(rebuilt_entry(coords, signature, i, j, k) - d[i, j]) ** power
            total += weight * d[i, j] ** power
    return 1 - (error / total) ** (1 / power)


def residuals_of(d, coords, signature, weights, i, k):
    """(misfit, bias, stress left) of point i."""
    size = len(d)
    off = np.array([rebuilt_entry(coords, signature, i, j, k) - d[i, j] for j in range(size)])
    w = symmetric_form(d, weights)[1][i]
    w_k = np.array([sum(signature[a] * coords[i, a] * coords[j, a] for a in range(k)) for j in range(size)])
    misfit = np.sqrt(np.sum(weights * off**2) / np.sum(weights * d[i] ** 2))
    bias = np.sum(weights * off) / np.sum(weights * d[i])
    left = np.sqrt(np.sum(weights * (w - w_k) ** 2) / np.sum(weights * w**2))
    return misfit, bias, left
