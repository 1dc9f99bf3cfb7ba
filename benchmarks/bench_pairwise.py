"""How fast, and how exact, is the Bhattacharyya matrix against the published algorithm?

The published algorithm takes square roots, multiplies them per sample, takes a logarithm of every coefficient
and sums: here in NumPy, from probabilities, in blocks of the size that suits it best. Ours is the public call,
from log-probabilities, encoding included. Both run in this process, alternating: one of theirs, then the median
of five of ours, which are short. Speed counts unordered pairs: P (P + 1) / 2 * N coefficients, 2 C operations
each; the limit is the float32 matrix-product rate of the same process.

    python benchmarks/bench_pairwise.py [--rounds 5] [--save]
"""

from __future__ import annotations

import argparse
from time import perf_counter

import jax
import jax.numpy as jnp
import numpy as np
from environment import environment, save

import infogeo

SIZE = (1000, 800, 10)
CONFIDENCE = {"as in training": 3.0, "very confident (p down to 1e-30)": 12.0, "extreme (p down to 1e-75)": 30.0}


def published(probabilities: np.ndarray, samples: int = 4) -> np.ndarray:
    """-mean over samples of log(sqrt(p) sqrt(q)'), one logarithm per coefficient, [P, P]."""
    root = np.sqrt(probabilities).transpose(1, 0, 2)
    total = np.zeros((root.shape[1], root.shape[1]), dtype=np.float32)
    for start in range(0, len(root), samples):
        block = root[start : start + samples]
        total -= np.log(block @ block.transpose(0, 2, 1)).sum(axis=0)
    return total / len(root)


def exact(log_probs: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The rows of the matrix in float64, on the same stored numbers."""
    x = log_probs.astype(np.float64)
    root = np.exp(x / 2)
    root /= np.linalg.norm(root, axis=-1, keepdims=True)
    return np.stack([-np.log(np.einsum("nc,pnc->pn", root[i], root)).mean(axis=1) for i in rows])


def matrix_product_rate(side: int = 2048, rounds: int = 5) -> float:
    """GFLOP/s of a float32 matrix product through JAX."""
    x = jnp.asarray(np.random.default_rng(0).normal(size=(side, side)).astype(np.float32))
    product = jax.jit(lambda a: a @ a)
    product(x).block_until_ready()
    return max(2 * side**3 / seconds(lambda: product(x).block_until_ready()) for _ in range(rounds)) / 1e9


def seconds(call) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def measure(confidence: float, rounds: int) -> dict[str, float]:
    points, samples, classes = SIZE
    x = confidence * np.random.default_rng(0).normal(size=SIZE)
    x -= x.max(axis=-1, keepdims=True)
    log_probs = np.maximum(x - np.log(np.exp(x).sum(axis=-1, keepdims=True)), -174).astype(np.float32)
    probabilities = np.exp(log_probs)
    predictions = infogeo.Predictions.from_arrays({"runs": log_probs}, kind="log-probabilities")
    divergence = infogeo.Bhattacharyya()
    ours = infogeo.pairwise_divergence(predictions, divergence).to_numpy()  # compiles
    with np.errstate(divide="ignore"):
        theirs = published(probabilities)
        times = [
            (
                seconds(lambda: published(probabilities)),
                np.median([seconds(lambda: infogeo.pairwise_divergence(predictions, divergence)) for _ in range(5)]),
            )
            for _ in range(rounds)
        ]
    rows = np.arange(0, points, 50)
    reference = exact(log_probs, rows)
    coefficients = points * (points + 1) / 2 * samples
    numpy_seconds, our_seconds = (float(np.median(column)) for column in zip(*times, strict=True))
    return {
        "NumPy, 1e9 coefficients per second": coefficients / numpy_seconds / 1e9,
        "infogeo, 1e9 coefficients per second": coefficients / our_seconds / 1e9,
        "infogeo, GFLOP/s": 2 * classes * coefficients / our_seconds / 1e9,
        "ratio": float(np.median([a / b for a, b in times])),
        "largest error of NumPy / max(1, D)": _error(theirs[rows], reference),
        "largest error of infogeo / max(1, D)": _error(ours[rows], reference),
    }


def _error(values: np.ndarray, reference: np.ndarray) -> float:
    return float((np.abs(values - reference) / np.maximum(1, reference)).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--save", action="store_true", help="write results/pairwise.json")
    arguments = parser.parse_args()
    print(environment())
    product = matrix_product_rate()
    print(f"float32 matrix product: {product:.0f} GFLOP/s")
    figures: dict[str, object] = {"size (P, N, C)": SIZE, "matrix product, GFLOP/s": product}
    for name, confidence in CONFIDENCE.items():
        figures[name] = found = measure(confidence, arguments.rounds)
        share = found["infogeo, GFLOP/s"] / product
        print(f"\n{name}\n" + "\n".join(f"  {key}: {value:.3g}" for key, value in found.items()))
        print(f"  share of the matrix-product rate: {share:.2f}")
    if arguments.save:
        save("pairwise", figures)


if __name__ == "__main__":
    main()
