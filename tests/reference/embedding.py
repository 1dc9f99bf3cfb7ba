"""InPCA with every matrix written out, in float64."""

import numpy as np


def inpca(d):
    """(W, eigenvalues by descending |value|, coordinates, explained stress) of a divergence matrix d [P, P]."""
    size = len(d)
    j = np.eye(size) - np.ones((size, size)) / size
    w = -0.5 * j @ d @ j
    values, vectors = np.linalg.eigh(w)
    order = np.argsort(-np.abs(values))
    values, vectors = values[order], vectors[:, order]
    stress = [
        1 - np.linalg.norm(w - (vectors[:, :k] * values[:k]) @ vectors[:, :k].T) / np.linalg.norm(w)
        for k in range(1, size + 1)
    ]
    return w, values, vectors * np.sqrt(np.abs(values)), np.array(stress)


def rebuilt(coords, signature):
    """D_ij = sum_k signature_k (x_ik - x_jk)^2."""
    difference = coords[:, None, :] - coords[None, :, :]
    return np.einsum("ijk,k->ij", difference**2, signature)
