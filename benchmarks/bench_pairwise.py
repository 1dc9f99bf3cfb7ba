"""How fast, and how exact, is the Bhattacharyya matrix against the published algorithm?

The published algorithm takes square roots, multiplies them per sample, takes a logarithm of every coefficient
and sums: here in NumPy and, with the extra `bench`, in PyTorch, from probabilities, in blocks of the size that suits
each best. Ours is the public call, from log-probabilities, encoding included. All run in this process, in turn.
Speed counts unordered pairs: P (P + 1) / 2 * N coefficients, 2 C operations each; the limit is the float32
matrix-product rate of the same process.

    python benchmarks/bench_pairwise.py [--rounds 3] [--only 1000x800x10] [--rival NumPy] [--save]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter

import jax
import jax.numpy as jnp
import numpy as np
from environment import environment, save

import infogeo

CONFIDENCE = {"as in training": 3.0, "very confident (p down to 1e-30)": 12.0, "extreme (p down to 1e-75)": 30.0}


@dataclass(frozen=True)
class Size:
    """A size to measure, and the block sizes, in samples, that were fastest for each rival there."""

    points: int
    samples: int
    classes: int
    numpy_block: int
    torch_block: int
    confidences: tuple[str, ...] = ("as in training",)
    rounds: int | None = None

    @property
    def name(self) -> str:
        """As the option --only takes it."""
        return f"{self.points}x{self.samples}x{self.classes}"

    @property
    def coefficients(self) -> float:
        """Over unordered pairs."""
        return self.points * (self.points + 1) / 2 * self.samples


SIZES = (
    Size(1000, 800, 10, 4, 4, tuple(CONFIDENCE)),
    Size(4000, 1000, 10, 1, 1, rounds=1),
    Size(500, 500, 1000, 4, 4),
    Size(128, 64, 50_000, 4, 4),
)


def published_numpy(probabilities: np.ndarray, samples: int) -> np.ndarray:
    """-mean over samples of log(sqrt(p) sqrt(q)'), one logarithm per coefficient, [P, P]."""
    root = np.sqrt(probabilities).transpose(1, 0, 2)
    total = np.zeros((root.shape[1], root.shape[1]), dtype=np.float32)
    for start in range(0, len(root), samples):
        block = root[start : start + samples]
        with np.errstate(divide="ignore"):
            total -= np.log(block @ block.transpose(0, 2, 1)).sum(axis=0)
    return total / len(root)


def published_torch(probabilities: np.ndarray, samples: int) -> np.ndarray:
    """The same in PyTorch, with the coefficients clamped as published."""
    import torch

    root = torch.from_numpy(probabilities).sqrt().transpose(0, 1)
    total = torch.zeros((root.shape[1], root.shape[1]))
    for start in range(0, len(root), samples):
        block = root[start : start + samples]
        total -= torch.bmm(block, block.transpose(1, 2)).clamp(min=1e-30).log().sum(dim=0)
    return (total / len(root)).numpy()


def exact(log_probs: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The rows of the matrix in float64, on the same stored numbers."""
    found = np.zeros((len(rows), len(log_probs)))
    for n in range(log_probs.shape[1]):
        root = np.exp(log_probs[:, n].astype(np.float64) / 2)
        root /= np.linalg.norm(root, axis=-1, keepdims=True)
        found -= np.log(root[rows] @ root.T)
    return found / log_probs.shape[1]


def matrix_product_rate(side: int = 2048, rounds: int = 7) -> float:
    """GFLOP/s of a float32 matrix product through JAX."""
    x = jnp.asarray(np.random.default_rng(0).normal(size=(side, side)).astype(np.float32))
    product = jax.jit(lambda a: a @ a)
    product(x).block_until_ready()
    return max(2 * side**3 / seconds(lambda: product(x).block_until_ready()) for _ in range(rounds)) / 1e9


def seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def measure(size: Size, confidence: float, rounds: int, chosen: list[str]) -> dict[str, float]:
    x = confidence * np.random.default_rng(0).normal(size=(size.points, size.samples, size.classes)).astype(np.float32)
    x -= x.max(axis=-1, keepdims=True)
    log_probs = np.maximum(x - np.log(np.exp(x).sum(axis=-1, keepdims=True)), -174)
    probabilities = np.exp(log_probs)
    predictions = infogeo.Predictions.from_arrays({"runs": log_probs}, kind="log-probabilities")
    divergence = infogeo.Bhattacharyya()
    rivals = {
        "NumPy": lambda: published_numpy(probabilities, size.numpy_block),
        "PyTorch": lambda: published_torch(probabilities, size.torch_block),
    }
    rivals = {name: rival for name, rival in rivals.items() if name in chosen}
    found = {"infogeo": infogeo.pairwise_divergence(predictions, divergence).to_numpy()}  # compiles
    times: dict[str, list[float]] = {name: [] for name in ("infogeo", "product", *rivals)}
    for _ in range(size.rounds or rounds):
        times["product"].append(1 / matrix_product_rate(rounds=3))
        for name, rival in rivals.items():
            times[name].append(seconds(lambda rival=rival, name=name: found.update({name: rival()})))
            ours = [seconds(lambda: infogeo.pairwise_divergence(predictions, divergence)) for _ in range(3)]
            times["infogeo"].append(float(np.median(ours)))
    rows = np.arange(0, size.points, -(-size.points // 20))
    reference = exact(np.asarray(predictions.log_probs[:]), rows)
    middle = {name: float(np.median(column)) for name, column in times.items()}
    rate = 2 * size.classes * size.coefficients / middle["infogeo"] / 1e9
    return {
        "seconds": middle["infogeo"],
        "1e9 coefficients per second": size.coefficients / middle["infogeo"] / 1e9,
        "GFLOP/s": rate,
        "share of the matrix product": rate * middle["product"],
        "best share": 2 * size.classes * size.coefficients / min(times["infogeo"]) / 1e9 * min(times["product"]),
        **{f"times {name}": middle[name] / middle["infogeo"] for name in rivals},
        **{f"largest error of {name} / max(1, D)": _error(found[name][rows], reference) for name in found},
    }


def _error(values: np.ndarray, reference: np.ndarray) -> float:
    return float((np.abs(values - reference) / np.maximum(1, reference)).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", choices=[size.name for size in SIZES], help="sizes P x N x C")
    installed = ["NumPy", "PyTorch"] if find_spec("torch") else ["NumPy"]
    parser.add_argument("--rival", action="append", choices=installed, help="by default all that are installed")
    parser.add_argument("--save", action="store_true", help="write results/pairwise.json")
    arguments = parser.parse_args()
    print(environment())
    print(f"float32 matrix product: {matrix_product_rate():.0f} GFLOP/s")
    figures: dict[str, object] = {}
    for size in SIZES:
        for name in size.confidences if not arguments.only or size.name in arguments.only else ():
            figures[f"{size.name}, {name}"] = found = measure(
                size, CONFIDENCE[name], arguments.rounds, arguments.rival or installed
            )
            print(f"\nP x N x C = {size.name}, {name}")
            print("\n".join(f"  {key}: {value:.3g}" for key, value in found.items()), flush=True)
    if arguments.save:
        save("pairwise", figures)


if __name__ == "__main__":
    main()
