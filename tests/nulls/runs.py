"""Runs of known structure: what they share example by example, and what is each run's own."""

import numpy as np

import infogeo
from infogeo.nulls import DirichletModels, GeodesicNull, StepShuffle, WithinClassShuffle

BHATTACHARYYA = infogeo.Bhattacharyya()
ALL_NULLS = (WithinClassShuffle(), StepShuffle(), DirichletModels(), GeodesicNull())


def predictions_of(logits_of, runs=6, checkpoints=12, samples=400, classes=10, seed=0):
    """Runs whose logits [T, N, C] are those of a function of (time [T, 1, 1], labels [N], common, own generator)."""
    labels = np.arange(samples) % classes
    time = np.linspace(0, 1, checkpoints)[:, None, None]
    arrays = {
        f"run-{r}": logits_of(time, np.eye(classes)[labels], np.random.default_rng([seed, 0]), generator)
        for r, generator in enumerate(np.random.default_rng([seed, 1]).spawn(runs))
    }
    return infogeo.Predictions.from_arrays(arrays, kind="logits", labels=labels)


def one_order(time, truth, common, own):
    """Every example is learned at a time of its own, the same in all runs: some are easy, some are hard."""
    return _learned(time, truth, common.uniform(0, 1.3, len(truth)), own)


def own_orders(time, truth, common, own):
    """The same with a time of its own in every run."""
    return _learned(time, truth, own.uniform(0, 1.3, len(truth)), own)


def common_errors(time, truth, common, own):
    """Half of the examples are taken for a wrong class, the same in all runs."""
    return _mistaken(time, truth, common, own)


def own_errors(time, truth, common, own):
    """The same with other examples and classes in every run."""
    return _mistaken(time, truth, own, own)


def _learned(time, truth, when, own):
    steep = 12 * (time - when[None, :, None])
    return 8 / (1 + np.exp(-steep)) * truth + 0.05 * own.normal(size=(1, *truth.shape))


def _mistaken(time, truth, rng, own):
    classes = truth.shape[1]
    wrong = np.eye(classes)[(truth.argmax(axis=1) + rng.integers(1, classes, len(truth))) % classes]
    target = np.where(rng.random(len(truth))[:, None] < 0.5, wrong, truth)
    return time * (6 * target + 0.3 * own.normal(size=truth.shape))
