"""How much is lost, and how much time is saved, when a map is fitted to landmarks instead of all points?

Synthetic training: runs of six architectures go from ignorance to truth on 200 samples of 10 classes. Samples are
learned one after the other, in an order that all runs share in part; each architecture is wrong in a way of its own,
and so is each run, along directions that runs share and in others that are its alone. 1,000 runs of 50 checkpoints
make 50,000 points.

The full map of 5,000 of them and maps fitted to landmarks among the same points are compared on the same pairs, all
those between 500 points that are no landmarks: explained distance, 1 - sum |error| / sum. The full map was fitted to
these 500 points as well. The 5,000 are every tenth run, so that all runs have landmarks; or every tenth checkpoint of
each run, so that a run has one at most, or none. Figures of time are those of a process of its own, compilation
included, in which the predictions are in memory.

    python benchmarks/bench_landmarks.py [--save]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from environment import environment, save

import infogeo
from infogeo.embed.landmarks import embed_landmarks, held_out
from infogeo.embed.selections import Selection, SpreadByDivergence, SpreadByRun

RUNS, CHECKPOINTS, SAMPLES, CLASSES = 1000, 50, 200, 10
ARCHITECTURES, SHARED = 6, 8
LANDMARKS = (200, 500, 1000)
K = (3, 10)


def run(r: int, labels: np.ndarray) -> np.ndarray:
    """The logits [T, N, C] of one run: its parts common to all, to its architecture, and its own."""
    common = np.random.default_rng(0)
    turn = common.uniform(0.1, 0.8, SAMPLES)
    rival = np.eye(CLASSES)[(labels + common.integers(1, CLASSES, SAMPLES)) % CLASSES]
    directions = common.normal(size=(SHARED, SAMPLES, CLASSES))
    own = np.random.default_rng(1000 + r)
    of_architecture = np.random.default_rng(1 + own.integers(ARCHITECTURES))
    turn = turn + 0.1 * of_architecture.normal(size=SAMPLES) + 0.03 * own.normal(size=SAMPLES)
    wrong = 1.2 * of_architecture.normal(size=(SAMPLES, CLASSES))
    wrong += 0.5 * np.tensordot(own.normal(size=SHARED), directions, 1) + 0.4 * own.normal(size=(SAMPLES, CLASSES))
    speed, strength = own.uniform(0.7, 1.4), own.uniform(6, 10)
    time = np.minimum(speed * np.linspace(0, 1, CHECKPOINTS) ** 2, 1)[:, None]
    learned = 1 / (1 + np.exp((turn - time) / 0.08))
    x = strength * (learned - learned[0])[..., None] * np.eye(CLASSES)[labels]
    x += 3 * (time * (1 - learned))[..., None] * rival + 2 * np.sqrt(time * (1 - time / 1.5))[..., None] * wrong
    return x + 0.1 * own.normal(size=x.shape) + 0.1 * own.normal(size=(SAMPLES, CLASSES))


def predictions(every: int = 1) -> infogeo.Predictions:
    """All runs, or every tenth."""
    labels = np.arange(SAMPLES) % CLASSES
    runs = {}
    for r in range(0, RUNS, every):
        x = run(r, labels)
        x -= np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True)) + x.max(-1, keepdims=True)
        runs[f"run-{r:04d}"] = x.astype(np.float32)
    return infogeo.Predictions.from_arrays(runs, kind="log-probabilities", labels=labels)


def loss(given: infogeo.Predictions, full: infogeo.Embedding, how: Selection) -> dict[str, float]:
    """Explained distance of the full map and of a landmark map on the same pairs, in percent, and its loss."""
    made = embed_landmarks(given, infogeo.Bhattacharyya(), how)
    held = made.held_out
    matrix = infogeo.pairwise_divergence(given.take(held.rows), infogeo.Bhattacharyya())
    best = held_out(held.rows, full.coords[held.rows], full.signature, matrix)
    found = {}
    for k in K:
        ours, theirs = 100 * held.explained[k - 1], 100 * best.explained[k - 1]
        found |= {f"full map, k={k}": theirs, f"landmarks, k={k}": ours, f"points lost, k={k}": theirs - ours}
        found[f"points lost in the Frobenius norm, k={k}"] = 100 * float(
            best.explained_frobenius[k - 1] - held.explained_frobenius[k - 1]
        )
    return {key: float(value) for key, value in found.items()}


def quality(name: str, given: infogeo.Predictions) -> dict[str, dict[str, float]]:
    """The loss of every selection among 5,000 points."""
    full = infogeo.inpca(infogeo.pairwise_divergence(given, infogeo.Bhattacharyya()))
    return {
        f"{given.n_points} points, {name}, {how}": loss(given, full, how)
        for n in LANDMARKS
        for how in (SpreadByRun(n), SpreadByDivergence(n))
    }


def few_checkpoints_of_all_runs() -> infogeo.Predictions:
    """Every tenth checkpoint, from 0 on in the first run, from 1 on in the second, and so on."""
    given = predictions()
    return given.take((given.points["step"] - np.arange(given.n_points) // CHECKPOINTS) % 10 == 0)


def cost(how: Selection) -> dict[str, float]:
    """Time and memory of a map of all points; to be run in a process of its own."""
    given = predictions()
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here on
    before = _memory("VmRSS")
    load = os.getloadavg()[0]
    cpu, start = _cpu(), perf_counter()
    made = embed_landmarks(given, infogeo.Bhattacharyya(), how)
    seconds, cpu = perf_counter() - start, _cpu() - cpu
    return {
        "seconds": seconds,
        "seconds of all cores together": cpu,
        "load of the machine before": load,
        "memory before, MB": before,
        "of it for the predictions, MB": given.bytes_in_memory / 2**20,
        "peak memory, MB": _memory("VmHWM"),
        **{f"explained distance, k={k}": 100 * float(made.held_out.explained[k - 1]) for k in K},
    }


def in_a_process_of_its_own(how: Selection) -> dict[str, float]:
    command = [sys.executable, __file__, "--cost", type(how).__name__, str(how.n)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def _memory(name: str) -> float:
    """MB, of Linux's account of this process."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found.group(1)) / 1024 if found else float("nan")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", action="store_true", help="write results/landmarks.json")
    parser.add_argument("--cost", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.cost:
        kind = {"SpreadByRun": SpreadByRun, "SpreadByDivergence": SpreadByDivergence}[arguments.cost[0]]
        print(json.dumps(cost(kind(int(arguments.cost[1])))))
        return
    print(environment())
    figures: dict[str, Any] = quality("every tenth run", predictions(every=10))
    figures |= quality("every tenth checkpoint", few_checkpoints_of_all_runs())
    for how in (SpreadByRun(1000), SpreadByDivergence(1000)):
        figures[f"{RUNS * CHECKPOINTS} points, {how}"] = in_a_process_of_its_own(how)
    for name, found in figures.items():
        print(f"\n{name}\n" + "\n".join(f"  {key}: {value:.4g}" for key, value in found.items()))
    if arguments.save:
        save("landmarks", figures)


if __name__ == "__main__":
    main()
