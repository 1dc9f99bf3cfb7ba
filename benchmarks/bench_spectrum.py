"""How fast is the top of the spectrum against the whole of it, and how exact?

The divergences are those of runs of 50 checkpoints that go from ignorance to truth (300 samples, 10 classes). The
whole spectrum is `numpy.linalg.eigh` of W = -1/2 J D J, formed beforehand; the top is ours, and SciPy's `eigsh`
(ARPACK, tolerance 0) on the same products. All run in this process, alternating; times are medians, and the
spread is (slowest - fastest) / median. `--large` adds one round at 10,000 points, where eigh takes minutes.

    python benchmarks/bench_spectrum.py [--rounds 3] [--large] [--save]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter

import numpy as np
from environment import environment, save
from scipy.sparse.linalg import LinearOperator, eigsh

import infogeo
from infogeo.core.linalg import CentredMatrix, leading_eigenpairs

CHECKPOINTS, SAMPLES, CLASSES, AXES = 50, 300, 10, 50
QUICK, LARGE = (2000, 4000), 10_000


def divergences(points: int) -> np.ndarray:
    """D [P, P] of P / 50 runs whose logits grow along a line of their own, plus noise."""
    rng = np.random.default_rng(0)
    truth = 4.0 * np.eye(CLASSES)[rng.integers(0, CLASSES, SAMPLES)]
    time = np.linspace(0, 1, CHECKPOINTS)[:, None, None]
    runs = {
        f"run-{r}": (
            time * (truth + rng.normal(size=truth.shape)) + 0.1 * rng.normal(size=(CHECKPOINTS, *truth.shape))
        ).astype(np.float32)
        for r in range(points // CHECKPOINTS)
    }
    predictions = infogeo.Predictions.from_arrays(runs, kind="logits")
    return infogeo.pairwise_divergence(predictions, infogeo.Bhattacharyya()).to_numpy()


def arpack(matrix: CentredMatrix) -> tuple[np.ndarray, np.ndarray]:
    """The same pairs by implicitly restarted Lanczos, a column at a time."""
    operator = LinearOperator(
        (matrix.size, matrix.size), matvec=lambda x: matrix.product(x.reshape(-1, 1)), dtype=np.float64
    )
    start = np.random.default_rng(0).normal(size=matrix.size)
    values, vectors = eigsh(operator, k=AXES, which="LM", v0=start)
    order = np.argsort(-np.abs(values))
    return values[order], vectors[:, order]


def timed(call: Callable) -> tuple[float, tuple]:
    start = perf_counter()
    found = call()
    return perf_counter() - start, found


def measure(points: int, rounds: int) -> dict[str, float]:
    centred = CentredMatrix(divergences(points))
    w = centred.rows(0, points)
    norm = centred.frobenius_norm()
    methods = {
        "numpy.linalg.eigh": lambda: np.linalg.eigh(w),
        "scipy eigsh": lambda: arpack(centred),
        "infogeo": lambda: leading_eigenpairs(centred, AXES),
    }
    times: dict[str, list[float]] = {name: [] for name in methods}
    found = {}
    for _ in range(rounds):
        for name, method in methods.items():
            seconds, found[name] = timed(method)
            times[name].append(seconds)
    median = {name: float(np.median(t)) for name, t in times.items()}
    ours = found["infogeo"]
    exact = found["numpy.linalg.eigh"][0]
    exact = exact[np.argsort(-np.abs(exact))][:AXES]
    figures = {f"{name}, seconds": seconds for name, seconds in median.items()}
    figures |= {f"{name}, spread": (max(t) - min(t)) / median[name] for name, t in times.items()}
    return figures | {
        "eigh / infogeo": median["numpy.linalg.eigh"] / median["infogeo"],
        "eigsh / infogeo": median["scipy eigsh"] / median["infogeo"],
        "infogeo, passes": ours.passes,
        "infogeo, largest residual / ||W||": ours.residual / norm,
        "eigsh, largest residual / ||W||": _residual(centred, *found["scipy eigsh"]) / norm,
        "infogeo, largest error of an eigenvalue / ||W||": float(np.abs(ours.values - exact).max()) / norm,
        "last eigenvalue / first": float(abs(ours.values[-1] / ours.values[0])),
        "negative among the first 50": int((ours.values < 0).sum()),
    }


def _residual(matrix: CentredMatrix, values: np.ndarray, vectors: np.ndarray) -> float:
    return float(np.linalg.norm(matrix.product(vectors) - vectors * values, axis=0).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="10,000 points too, one round")
    parser.add_argument("--save", action="store_true", help="write results/spectrum.json")
    arguments = parser.parse_args()
    print(environment())
    figures: dict[str, object] = {"axes (K)": AXES}
    sizes = dict.fromkeys(QUICK, arguments.rounds) | ({LARGE: 1} if arguments.large else {})
    for points, rounds in sizes.items():
        figures[f"{points} points"] = found = measure(points, rounds)
        print(f"\n{points} points\n" + "\n".join(f"  {key}: {value:.3g}" for key, value in found.items()), flush=True)
    if arguments.save:
        save("spectrum", figures)


if __name__ == "__main__":
    main()
