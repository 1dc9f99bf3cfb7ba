"""Progress and geodesics the slow way: grids, each finer around the best value of the one before, in float64."""

import numpy as np


def unit_roots(log_p):
    p = np.exp(np.asarray(log_p, dtype=np.float64))
    return np.sqrt(p / p.sum(axis=-1, keepdims=True))


def angles(log_p, log_q):
    return 2 * np.arcsin(np.minimum(np.linalg.norm(unit_roots(log_p) - unit_roots(log_q), axis=-1) / 2, 1))


def on_geodesic(log_p, log_q, t):
    """sqrt(P^t) [N, C]."""
    p, q, angle = unit_roots(log_p), unit_roots(log_q), angles(log_p, log_q)[:, None]
    return (np.sin((1 - t) * angle) * p + np.sin(t * angle) * q) / np.sin(angle)


def mean_along(log_x, log_p, log_q, t, kind):
    """The mean angle or the mean divergence from x to the point t, from chords where they are small."""
    x, road = unit_roots(log_x), on_geodesic(log_p, log_q, t)
    sq_chord = ((x - road) ** 2).sum(axis=-1)
    if kind == "arc":
        return np.mean(2 * np.arcsin(np.sqrt(sq_chord) / 2))
    overlap = np.maximum((x * road).sum(axis=-1), 1e-300)
    return np.mean(np.where(sq_chord < 1, -np.log1p(-np.minimum(sq_chord, 1) / 2), -np.log(overlap)))


def progress(log_x, log_p, log_q, kind, finest=1e-7, points=11):
    """argmin over [0, 1] of a convex function: grids of a few points, each between the neighbours of the last best."""
    low, high = 0.0, 1.0
    while True:
        grid = np.linspace(low, high, points)
        best = int(np.argmin([mean_along(log_x, log_p, log_q, t, kind) for t in grid]))
        if grid[1] - grid[0] <= finest:
            return grid[best]
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, points - 1)]
