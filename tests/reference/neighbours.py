"""Nearest neighbours one point at a time, and estimates of dimension as sums."""

from itertools import pairwise

import numpy as np
from scipy.optimize import minimize_scalar


def on_segment(a, b, c):
    """The least squared distance to the points between y_t and y_t+1, tried at 20001 of them."""
    f = np.linspace(0, 1, 20001)
    return float((a * (1 - f) + b * f - c * f * (1 - f)).min())


def to_runs(divergence, run, step, between):
    """For each point {other run: the least squared distance to its checkpoints, or to its path}."""
    found = []
    for i in range(len(run)):
        least = {}
        for other in dict.fromkeys(run):
            if other == run[i]:
                continue
            rows = sorted((j for j in range(len(run)) if run[j] == other), key=lambda j: step[j])
            values = [divergence[i, j] for j in rows]
            if between:
                values += [on_segment(divergence[i, s], divergence[i, t], divergence[s, t]) for s, t in pairwise(rows)]
            least[other] = min(values)
        found.append(least)
    return found


def gride(distances, order):
    """The maximum of the likelihood of mu = r_2n / r_n, by a search."""
    mu = distances[:, 2 * order - 1] / distances[:, order - 1]

    def cost(d):
        return -np.sum(np.log(d) + (order - 1) * np.log(mu**d - 1) - (d * (2 * order - 1) + 1) * np.log(mu))

    return float(minimize_scalar(cost, bounds=(0.05, 60), method="bounded", options={"xatol": 1e-10}).x)


def standard_error(influences, own_run, runs):
    """The sums over runs and over pairs of runs that are neighbours, spelled out."""
    names = sorted(set(own_run))
    sums = {r: sum(x for x, own in zip(influences, own_run, strict=True) if own == r) for r in names}
    variance = sum(s**2 for s in sums.values())
    shared = 0.0
    for r in names:
        rows = [i for i in range(len(own_run)) if own_run[i] == r]
        for q in names:
            if q != r:
                shared += sum(q in runs[i] for i in rows) / len(rows) * sums[r] * sums[q]
    return (variance + max(shared, 0.0)) ** 0.5
