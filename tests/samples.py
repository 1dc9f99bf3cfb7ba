"""Small predictions that many tests share."""

import numpy as np

import infogeo


def log_softmax(x):
    """Normalised log-probabilities in float64."""
    x = np.asarray(x, dtype=np.float64)
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def random_log_probs(seed, points, samples, classes, confidence=2.0):
    """Independent random predictions [P, N, C], float32."""
    rng = np.random.default_rng(seed)
    return log_softmax(confidence * rng.normal(size=(points, samples, classes))).astype(np.float32)


def trajectories(seed=0, runs=4, checkpoints=6, samples=30, classes=3):
    """Runs that go from near ignorance to near truth, with labels and metadata."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, samples)
    labels[:classes] = np.arange(classes)
    target = 4.0 * np.eye(classes)[labels]
    time = np.linspace(0, 1, checkpoints)[:, None, None]
    arrays = {
        f"net-{r}": time * (target + rng.normal(size=(samples, classes))) + 0.1 * rng.normal(size=(1, samples, classes))
        for r in range(runs)
    }
    meta = {name: {"arch": "mlp" if i % 2 else "conv", "lr": 0.1 * (i + 1)} for i, name in enumerate(arrays)}
    return infogeo.Predictions.from_arrays(arrays, kind="logits", labels=labels, meta=meta)


def ring(size=1500):
    """Divergences of points at 1 from each other but for two neighbours each, at 1/2: no eigensolver's friend.

    W has the eigenvalues (1 + cos(2 pi j / P)) / 2, twice each; the largest are nearly equal.
    """
    d = 1 - np.eye(size)
    neighbour = (np.arange(size) + 1) % size
    d[np.arange(size), neighbour] = d[neighbour, np.arange(size)] = 0.5
    return d


class Lazy:
    """Predictions that are read, not held."""

    def __init__(self, array):
        self.shape, self._array = array.shape, array

    def __getitem__(self, block):
        return self._array[block]
