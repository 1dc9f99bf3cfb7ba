"""Centroids as minima, found by a general optimiser over logits."""

import numpy as np
from scipy.optimize import minimize


def divergences(p, m):
    """{name: what each centroid minimises}, between predictions p [M, C] and a candidate m [C]."""
    return {
        "bhattacharyya": -np.log(np.sqrt(p * m).sum(axis=1)).sum(),
        "jeffreys": ((p - m) * (np.log(p) - np.log(m))).sum(),
        "arithmetic": (p * (np.log(p) - np.log(m))).sum(),
        "geometric": (m * (np.log(m) - np.log(p))).sum(),
        "square root": -np.sqrt(p * m).sum(),
    }


def centroid(p, name):
    """The minimum, one sample at a time."""

    def cost(x):
        m = np.exp(x - x.max())
        return divergences(p, m / m.sum())[name]

    found = minimize(
        cost, np.log(p.mean(axis=0)), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-15, "maxiter": 20000}
    )
    m = np.exp(found.x - found.x.max())
    return m / m.sum()
