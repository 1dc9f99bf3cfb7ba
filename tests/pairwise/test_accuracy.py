"""The stated accuracy, at the size of the benchmark, on the same stored numbers."""

import numpy as np
import pytest

import infogeo
from tests.samples import random_log_probs

POINTS, SAMPLES, CLASSES = 600, 800, 10
BUDGET = 1e-6


def exact(log_probs, rows, name):
    """Some rows of the matrix in float64, written with whole arrays because of the size."""
    x = log_probs.astype(np.float64)
    x -= np.log(np.exp(x).sum(axis=-1, keepdims=True))
    p, root = np.exp(x), np.exp(x / 2)
    form = {
        "bhattacharyya": lambda i: -np.log(np.einsum("nc,pnc->pn", root[i], root)),
        "hellinger": lambda i: np.sum((root - root[i]) ** 2, axis=-1) / 2,
        "symmetric_kl": lambda i: np.sum((p - p[i]) * (x - x[i]), axis=-1),
    }[name]
    return np.stack([form(i).mean(axis=1) for i in rows])


@pytest.mark.full
@pytest.mark.parametrize("confidence", [0.001, 0.1, 1.0, 3.0, 12.0, 30.0])
@pytest.mark.parametrize(
    ("name", "divergence"),
    [
        ("bhattacharyya", infogeo.Bhattacharyya()),
        ("hellinger", infogeo.Hellinger()),
        ("symmetric_kl", infogeo.SymmetricKL()),
    ],
)
def test_rows_of_a_large_matrix_are_within_the_budget(name, divergence, confidence):
    log_probs = np.maximum(random_log_probs(0, POINTS, SAMPLES, CLASSES, confidence), -174)
    predictions = infogeo.Predictions.from_arrays({"a": log_probs}, kind="log-probabilities")
    rows = np.arange(0, POINTS, 60)
    measured = infogeo.pairwise_divergence(predictions, divergence).to_numpy()[rows]
    expected = exact(np.asarray(predictions.log_probs[:]), rows, name)
    assert (np.abs(measured - expected) / np.maximum(1, expected)).max() <= BUDGET
