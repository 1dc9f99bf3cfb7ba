"""How much of an error is rounding? Divergences are float32 sums, right to about 1e-8 nats, however small they are.

The same clouds twice: with the divergences of infogeo, and with float64 ones from differences of roots, which are exact
for close points too. In one dimension P points are so dense that the nearest lie below the rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import pdist, squareform

import infogeo
from benchmarks.dimension.estimators import local_results
from benchmarks.dimension.families import Array, cloud, divergences
from infogeo.dimension import AllPoints
from infogeo.pairwise import PairwiseMatrix

DIMENSIONS = (1, 2)
SHOWN = ("extrapolated", "TwoNN", "MLE 5", "MLE 20", "Gride 2", "Gride 8")
SAMPLES = 100


def exact(predictions: infogeo.Predictions) -> Array:
    """Bhattacharyya divergences [P, P]: -mean log(1 - h) with h = 1/2 sum_c (sqrt p - sqrt q)^2, in float64."""
    roots = np.exp(np.asarray(predictions.log_probs, dtype=np.float64) / 2)
    roots /= np.linalg.norm(roots, axis=2, keepdims=True)
    total = np.zeros(len(roots) * (len(roots) - 1) // 2)
    for n in range(roots.shape[1]):
        total -= np.log1p(-pdist(roots[:, n], "sqeuclidean") / 2)
    return squareform(total / roots.shape[1])


def measure(sizes: tuple[int, ...], repetitions: int) -> list[dict[str, Any]]:
    """One row per size, dimension and estimator: mean estimates from either, and points that were left out."""
    rows = []
    for size in sizes:
        for d in DIMENSIONS:
            found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in SHOWN}
            errors, nearest = [], []
            for number in range(repetitions):
                predictions = cloud("softmax", np.random.default_rng([d, size, number]), d, size, SAMPLES)
                ours, other = divergences(predictions), PairwiseMatrix.from_array(exact(predictions))
                errors.append(np.abs(np.asarray(ours.values) - np.asarray(other.values)).max())
                nearest.append(np.median(np.partition(np.asarray(other.values), 1, axis=1)[:, 1]))
                pairs = [{r.estimator: r.estimate for r in local_results(m, AllPoints())} for m in (ours, other)]
                for name in SHOWN:
                    own, right = pairs[0][name], pairs[1][name]
                    found[name].append((own.value, right.value, own.excluded))
            for name in SHOWN:
                own, right, excluded = np.mean(found[name], axis=0)
                rows.append(
                    {
                        "points": size,
                        "d": d,
                        "estimator": name,
                        "from infogeo's divergences": float(own),
                        "from exact ones": float(right),
                        "left out as duplicates": float(excluded),
                        "divergence to the nearest (median)": float(np.mean(nearest)),
                        "largest rounding": float(np.max(errors)),
                    }
                )
    return rows
