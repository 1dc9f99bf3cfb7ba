"""Points of known dimension, as divergence matrices."""

import numpy as np
from scipy.spatial.distance import pdist, squareform

from infogeo import PairwiseMatrix, Points


def matrix_of(x, points=None):
    """Squared distances between points [P, D]."""
    return PairwiseMatrix.from_array(squareform(pdist(x, "sqeuclidean")), points)


def cloud(n_points, d, seed):
    """A uniform cloud in a d-dimensional cube."""
    return matrix_of(np.random.default_rng(seed).uniform(size=(n_points, d)))


def straight_runs(n_runs, n_steps, d, seed, regular=False):
    """Runs (z, t): z uniform in a d-dimensional cube and constant along a run, t from 0 to 1, their `progress`."""
    random = np.random.default_rng(seed)
    z = random.uniform(size=(n_runs, d))
    t = np.sort(random.uniform(size=(n_runs, n_steps)), axis=1)
    if regular:
        t = np.tile(np.linspace(0, 1, n_steps), (n_runs, 1))
    x = np.concatenate([np.repeat(z[:, None], n_steps, axis=1), t[:, :, None]], axis=2).reshape(n_runs * n_steps, -1)
    points = Points.of_runs([f"run-{i}" for i in range(n_runs)], [np.arange(n_steps)] * n_runs)
    return matrix_of(x, points.with_columns(progress=t.ravel()))
