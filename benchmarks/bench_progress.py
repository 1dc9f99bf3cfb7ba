"""How much faster is progress for all checkpoints at once than a loop of scalar searches?

The rival is the published way: for every checkpoint scipy.optimize.minimize_scalar, bounded, over the sum of arcs (or
over the Bhattacharyya divergence), from overlaps that are computed once per checkpoint. Both run in this process, in
turn.

    python benchmarks/bench_progress.py [--save]
"""

from __future__ import annotations

import argparse
from time import perf_counter

import numpy as np
from environment import environment, save
from scipy.optimize import minimize_scalar

import infogeo

CHECKPOINTS, SAMPLES, CLASSES = 1000, 1000, 10
ROUNDS = 5


def predictions() -> infogeo.Predictions:
    """A run from near ignorance to near truth that leaves the geodesic on its way."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, SAMPLES)
    time = np.linspace(0, 1, CHECKPOINTS)[:, None, None]
    own = rng.normal(size=(1, SAMPLES, CLASSES))
    x = 12 * time * np.eye(CLASSES)[labels] + 3 * np.sqrt(time) * own + 0.1 * rng.normal(size=(CHECKPOINTS, 1, CLASSES))
    return infogeo.Predictions.from_arrays({"a": x.astype(np.float32)}, kind="logits", labels=labels)


def one_by_one(given: infogeo.Predictions, road: infogeo.Geodesic, kind: str, tolerance: float) -> np.ndarray:
    """Progress [P] by scipy, one checkpoint after the other."""
    angle, found = road.angles, []
    for log_p in given.log_probs:
        roots = np.exp(log_p.astype(np.float64) / 2)
        start, end = (roots * road.start).sum(axis=1), (roots * road.end).sum(axis=1)

        def total(t: float, start: np.ndarray = start, end: np.ndarray = end) -> float:
            cosine = (start * np.sin((1 - t) * angle) + end * np.sin(t * angle)) / np.sin(angle)
            if kind == "arc":
                return float(np.arccos(np.clip(cosine, 0, 1)).sum())
            return float(-np.log(np.maximum(cosine, 1e-9)).sum())

        found.append(minimize_scalar(total, bounds=(0, 1), method="bounded", options={"xatol": tolerance}).x)
    return np.array(found)


def measure(kind: str, definition: infogeo.ArcProgress | infogeo.BhattacharyyaProgress) -> dict[str, float]:
    given = predictions()
    road = infogeo.geodesic(given)
    infogeo.progress_of(given, definition)  # compiles
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        ours = infogeo.progress_of(given, definition).values
        middle = perf_counter()
        one_by_one(given, road, kind, 1e-5)  # scipy's own tolerance
        loose = perf_counter()
        theirs = one_by_one(given, road, kind, 1e-8)
        times.append((middle - start, loose - middle, perf_counter() - loose))
    seconds, scipy_seconds, precise = np.median(times, axis=0)
    return {
        "seconds": float(seconds),
        "seconds, scipy at its tolerance of 1e-5": float(scipy_seconds),
        "seconds, scipy at 1e-8": float(precise),
        "times scipy at its tolerance": float(scipy_seconds / seconds),
        "times scipy at 1e-8": float(precise / seconds),
        "largest difference to scipy at 1e-8": float(np.abs(ours - theirs).max()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", action="store_true", help="write results/progress.json")
    arguments = parser.parse_args()
    print(environment())
    figures = {
        f"{kind}, {CHECKPOINTS} checkpoints x {SAMPLES} samples x {CLASSES} classes": measure(kind, definition)
        for kind, definition in (("arc", infogeo.ArcProgress()), ("bhattacharyya", infogeo.BhattacharyyaProgress()))
    }
    for name, found in figures.items():
        print(f"\n{name}\n" + "\n".join(f"  {key}: {value:.4g}" for key, value in found.items()))
    if arguments.save:
        save("progress", figures)


if __name__ == "__main__":
    main()
