"""A small comparison that tests of figures and of the page share."""

from dataclasses import replace

import numpy as np

import infogeo
from infogeo.trajectories import FactorImportance
from infogeo.trajectories.comparison import Comparison, compare_runs
from tests.samples import log_softmax

STEPS = [0, 1, 2, 4, 8, 16, 32, 64]


def small_predictions(archs=("conv", "mlp"), seeds=2, samples=20, classes=3):
    """Runs to truth, 2 archs x 3 lrs x seeds: the road depends on arch, the pace on lr."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, classes, samples)
    target = 6.0 * np.eye(classes)[labels]
    arrays, meta = {}, {}
    for arch in archs:
        bend = rng.normal(size=(samples, classes))
        for lr in (0.1, 0.3, 1.0):
            for seed in range(seeds):
                t = np.linspace(0, 1, len(STEPS))[:, None, None] ** (1 + lr / 2)
                noise = 0.2 * rng.normal(size=(samples, classes))
                name = f"{arch}/lr{lr:g}/seed{seed}"
                arrays[name] = log_softmax(t * target + np.sin(np.pi * t) * (bend + noise))
                meta[name] = {"arch": arch, "lr": lr, "seed": seed}
    return infogeo.Predictions.from_arrays(
        arrays, kind="log-probabilities", labels=labels, meta=meta, steps=np.asarray(STEPS)
    )


def small_comparison(**changes) -> tuple[Comparison, infogeo.Embedding]:
    """The comparison of these runs and the map of their checkpoints; the importance is made up, not computed."""
    predictions = small_predictions(**changes)
    found = compare_runs(predictions, ["arch", "lr"], infogeo.Bhattacharyya(), permutations=49)
    importance = FactorImportance(
        factors=("arch", "lr"),
        replicates=np.array([[0.9, 0.1], [0.7, -0.1], [0.8, 0.3]]),
        scores=np.array([0.8, 0.7, 0.9]),
        in_sample=np.array([1.5, 0.4]),
        n_configurations=6,
        protocol="2 of 6 configurations held out",
        seed=0,
    )
    matrix = infogeo.pairwise_divergence(predictions, infogeo.Bhattacharyya())
    return replace(found, importance=importance), infogeo.inpca(matrix, n_components=5)
