"""Digits for little trainings of every framework."""

import numpy as np
from sklearn.datasets import load_digits

import infogeo


def data():
    """Inputs and labels to train on, then to probe: 400 and 60 images."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    return x[:400], y[:400], x[1000:1060], y[1000:1060]


def recorder(path, run="a", **options):
    _, _, x, y = data()
    return infogeo.Recorder(path, run=run, probe=infogeo.Probe(x, labels=y), **options)


def learned(path, run="a"):
    """Steps of a run, after checking that its loss fell."""
    predictions = infogeo.load(path)
    rows = predictions.points.of_run(run)
    _, loss = predictions.scores()
    assert loss[rows[-1]] < 0.7 * loss[rows[0]]
    return predictions.points["step"][rows].tolist()
