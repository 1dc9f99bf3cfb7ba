"""What does each divergence cost beside Bhattacharyya, and what do errors over samples add?

Each divergence against its definition in NumPy, in blocks of samples that suit the caches, in this process and in turn;
seconds beside those of Bhattacharyya and of one float32 matrix product of all operands, the limit of those that are
one. Then `divergence_by_groups` with 16 groups against `pairwise_divergence`, in turn.

    python benchmarks/bench_divergences.py [--rounds 3] [--save]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter

import numpy as np
from environment import environment, save

import infogeo

POINTS, SAMPLES, CLASSES = 1000, 800, 10
BLOCK = 4
"""Samples that NumPy takes at once, the best of 1 to 50 at this size for Bhattacharyya."""
GROUPED = ((1000, 800), (1000, 3200), (3000, 2000))
BHATTACHARYYA = infogeo.Bhattacharyya()
Block = np.ndarray


def renyi(a: float) -> Callable[[Block, Block], Block]:
    """The sum over a block of samples of log-probabilities [n, P, C]."""

    def block(p: Block, q: Block) -> Block:
        low, high = np.exp(a * p), np.exp((1 - a) * q).transpose(0, 2, 1)
        other = np.exp((1 - a) * p) @ np.exp(a * q).transpose(0, 2, 1)
        return -np.log((low @ high) * other).sum(axis=0) / (a * (1 - a))

    return block


def coefficients(p: Block, q: Block) -> Block:
    return np.exp(p / 2) @ np.exp(q / 2).transpose(0, 2, 1)


def symmetric_kl(p: Block, q: Block) -> Block:
    cross = np.exp(p) @ q.transpose(0, 2, 1) + p @ np.exp(q).transpose(0, 2, 1)
    own = [np.sum(np.exp(x) * x, axis=2) for x in (p, q)]
    return (own[0][:, :, None] + own[1][:, None] - cross).sum(axis=0)


def jensen_shannon(p: Block, q: Block) -> Block:
    x, y = np.exp(p), np.exp(q)
    total = np.zeros((p.shape[1], q.shape[1]), dtype=np.float32)
    for n in range(len(p)):
        for c in range(p.shape[2]):
            m = (x[n, :, c][:, None] + y[n, :, c]) / 2
            total -= m * np.log(np.maximum(m, 1e-38))
    own = [np.sum(np.exp(z) * z, axis=2).sum(axis=0) / 2 for z in (p, q)]
    return total + own[0][:, None] + own[1]


def euclidean(p: Block, q: Block) -> Block:
    x, y = np.exp(p), np.exp(q)
    own = [np.square(z).sum(axis=2) for z in (x, y)]
    return (own[0][:, :, None] + own[1][:, None] - 2 * x @ y.transpose(0, 2, 1)).sum(axis=0)


RIVALS: dict[str, tuple[infogeo.Divergence, Callable[[Block, Block], Block]]] = {
    "Bhattacharyya": (infogeo.Bhattacharyya(), lambda p, q: -np.log(coefficients(p, q)).sum(axis=0)),
    "Hellinger": (infogeo.Hellinger(), lambda p, q: (1 - coefficients(p, q)).sum(axis=0)),
    "SymmetricKL": (infogeo.SymmetricKL(), symmetric_kl),
    "Renyi(0.3)": (infogeo.Renyi(0.3), renyi(0.3)),
    "JensenShannon": (infogeo.JensenShannon(), jensen_shannon),
    "FisherRao": (
        infogeo.FisherRao(),
        lambda p, q: np.square(2 * np.arccos(np.minimum(coefficients(p, q), 1))).sum(axis=0),
    ),
    "Euclidean": (infogeo.Euclidean(), euclidean),
}


def log_probs(points: int, samples: int) -> np.ndarray:
    x = 3 * np.random.default_rng(0).normal(size=(points, samples, CLASSES)).astype(np.float32)
    return x - np.log(np.exp(x).sum(axis=2, keepdims=True))


def predictions(x: np.ndarray) -> infogeo.Predictions:
    return infogeo.Predictions.from_arrays({"a": x}, kind="log-probabilities")


def in_numpy(x: np.ndarray, block: Callable[[Block, Block], Block]) -> np.ndarray:
    """The mean over samples [P, P], float64 across blocks; all pairs, as the published codes do it."""
    y, total = np.ascontiguousarray(x.transpose(1, 0, 2)), np.zeros((len(x), len(x)))
    for start in range(0, len(y), BLOCK):
        part = y[start : start + BLOCK]
        total += block(part, part)
    return total / len(y)


def seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def measure(rounds: int) -> dict[str, dict[str, float]]:
    x = log_probs(POINTS, SAMPLES)
    given, flat = predictions(x), np.ascontiguousarray(x.reshape(POINTS, -1))
    found = {name: ([], []) for name in RIVALS}
    product, errors = [], {}
    for divergence, _ in RIVALS.values():
        infogeo.pairwise_divergence(given, divergence)  # compiles
    for turn in range(rounds):
        product.append(seconds(lambda: flat @ flat.T))
        for name, (divergence, block) in RIVALS.items():
            ours, theirs = found[name]
            ours.append(seconds(lambda d=divergence: infogeo.pairwise_divergence(given, d)))
            start = perf_counter()
            reference = in_numpy(x, block)
            theirs.append(perf_counter() - start)
            if turn == 0:
                d = infogeo.pairwise_divergence(given, divergence).to_numpy()
                off = ~np.eye(POINTS, dtype=bool)
                errors[name] = float((np.abs(d - reference)[off] / np.maximum(1, d[off])).max())
    first = np.median(found["Bhattacharyya"][0])
    return {
        name: {
            "seconds": float(np.median(ours)),
            "beside Bhattacharyya": float(np.median(ours) / first),
            "times NumPy": float(np.median(theirs) / np.median(ours)),
            "half the matrix product / seconds": float(np.median(product) / 2 / np.median(ours)),
            "largest difference to float32 NumPy": errors[name],
        }
        for name, (ours, theirs) in found.items()
    }


def errors_cost(rounds: int) -> dict[str, dict[str, float]]:
    found = {}
    for points, samples in GROUPED:
        given = predictions(log_probs(points, samples))
        alone, grouped = [], []
        infogeo.pairwise_divergence(given, BHATTACHARYYA), infogeo.divergence_by_groups(given, BHATTACHARYYA)
        for _ in range(2 * rounds + 1):
            alone.append(seconds(lambda g=given: infogeo.pairwise_divergence(g, BHATTACHARYYA)))
            grouped.append(seconds(lambda g=given: infogeo.divergence_by_groups(g, BHATTACHARYYA)))
        found[f"errors at {points}x{samples}x{CLASSES}"] = {
            "seconds without": float(np.median(alone)),
            "seconds with 16 groups": float(np.median(grouped)),
            "ratio": float(np.median(np.array(grouped) / np.array(alone))),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="write results/divergences.json")
    arguments = parser.parse_args()
    print(environment())
    figures = {**measure(arguments.rounds), **errors_cost(arguments.rounds)}
    for name, values in figures.items():
        print(f"{name}: " + ", ".join(f"{key} {value:.3g}" for key, value in values.items()))
    if arguments.save:
        save("divergences", figures)


if __name__ == "__main__":
    main()
