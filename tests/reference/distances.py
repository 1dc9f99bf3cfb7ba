"""Distances between trajectories, by their definitions."""

from functools import cache

import numpy as np


def frechet(block):
    """The discrete Frechet distance, by recursion on the last points of both."""

    @cache
    def leash(i, j):
        before = [leash(a, b) for a, b in ((i - 1, j), (i, j - 1), (i - 1, j - 1)) if a >= 0 and b >= 0]
        return max(block[i][j], min(before, default=-np.inf))

    return leash(len(block) - 1, len(block[0]) - 1)


def soft(block, x, y, softness):
    """The soft distance of points x to the trajectory y, weighted by their lengths."""
    ways = []
    for d, own, other in ((block, x, y), (block.T, y, x)):
        total = 0.0
        for row, weight in zip(d, own, strict=True):
            w = [np.exp(-v / (2 * softness**2)) * length for v, length in zip(row, other, strict=True)]
            total += weight * sum(a * v for a, v in zip(w, row, strict=True)) / sum(w)
        ways.append(total / sum(own))
    return sum(ways) / 2
