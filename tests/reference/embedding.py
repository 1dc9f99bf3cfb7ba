"""InPCA with every matrix written out, in float64."""

import numpy as np


def spectrum(d):
    """(W = -1/2 J D J, all its eigenvalues by descending |value|, their vectors) of a matrix d [P, P]."""
    size = len(d)
    j = np.eye(size) - np.ones((size, size)) / size
    w = -0.5 * j @ d @ j
    values, vectors = np.linalg.eigh(w)
    order = np.argsort(-np.abs(values))
    return w, values[order], vectors[:, order]


def inpca(d):
    """(W, eigenvalues by descending |value|, coordinates, explained stress) of a divergence matrix d [P, P]."""
    w, values, vectors = spectrum(d)
    stress = [stress_of(w, values[:k], vectors[:, :k]) for k in range(1, len(d) + 1)]
    return w, values, vectors * np.sqrt(np.abs(values)), np.array(stress)


def stress_of(w, values, vectors):
    """1 - ||W - U Lambda U'||_F / ||W||_F of some eigenpairs."""
    return 1 - np.linalg.norm(w - (vectors * values) @ vectors.T) / np.linalg.norm(w)


def rebuilt(coords, signature):
    """D_ij = sum_k signature_k (x_ik - x_jk)^2."""
    difference = coords[:, None, :] - coords[None, :, :]
    return np.einsum("ijk,k->ij", difference**2, signature)
