"""How long do the divergences and the map of P points take, and how much memory?

python benchmarks/bench_size.py P N C
"""

from __future__ import annotations

import resource
import sys
from time import perf_counter

import numpy as np
from environment import environment

import infogeo


def peak() -> float:
    """Peak resident memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    points, samples, classes = map(int, sys.argv[1:])
    log_probs = 3 * np.random.default_rng(0).standard_normal((points, samples, classes), dtype=np.float32)
    log_probs -= np.log(np.exp(log_probs).sum(axis=-1, keepdims=True))
    table = infogeo.Points.of_runs(["run"], [np.arange(points)])
    predictions = infogeo.Predictions(log_probs, table, infogeo.LabelSpace.of_size(classes))
    before = peak()
    plan = infogeo.plan_pairwise(predictions, infogeo.Bhattacharyya())
    start = perf_counter()
    matrix = infogeo.pairwise_divergence(predictions, infogeo.Bhattacharyya())
    middle = perf_counter()
    infogeo.inpca(matrix, n_components=10)
    end = perf_counter()
    print(environment())
    print(f"plan: {plan.seconds:.1f} s, {plan.memory_bytes / 2**20:.0f} MB")
    print(f"divergences {middle - start:.1f} s, InPCA {end - middle:.1f} s")
    print(f"peak memory: {peak() - before:.0f} MB above that of making the predictions")


if __name__ == "__main__":
    main()
