"""What do bounded memory and tiles on disk cost, and what does a matrix that grows?

Predictions of 2 GB in a store are larger than `memory`, a quarter of them, and so is the matrix, twice that. Each way
runs in a process of its own, which reports its peak resident memory and the time of the divergences alone; the
fixed cost of the runtime is the peak of a process that computes a small matrix. Growing is measured in this process:
a tenth more checkpoints, against all of them at once, each from the public call to a matrix in memory.

    python benchmarks/bench_disk.py [--gigabytes 2] [--save]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from environment import environment, save

import infogeo
from infogeo.store.writer import StoreWriter

CLASSES, CHECKPOINTS = 10, 64
CHILD = """
import json, re, sys
from pathlib import Path
from time import perf_counter
import infogeo
memory, directory = json.loads(sys.argv[2])
predictions = infogeo.load(sys.argv[1], memory=memory)
start = perf_counter()
matrix = infogeo.pairwise_divergence(predictions, infogeo.Bhattacharyya(), memory=memory, directory=directory)
taken = perf_counter() - start
corner = matrix.values[0:2][:, :8].tolist()
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())  # not what the parent had before
print(json.dumps([taken, int(peak[1]) * 1024, corner]))
"""


def make_store(path: Path, runs: int, samples: int) -> None:
    rng = np.random.default_rng(0)
    with StoreWriter.create(path, samples, [str(c) for c in range(CLASSES)]) as writer:
        for run in range(runs):
            x = 3 * rng.standard_normal((CHECKPOINTS, samples, CLASSES), dtype=np.float32)
            x -= np.log(np.exp(x).sum(axis=-1, keepdims=True))
            writer.write_run(f"run-{run:04d}", np.arange(CHECKPOINTS), x)


def in_child(store: Path, memory: int | None, directory: Path | None) -> tuple[float, int, list[list[float]]]:
    """Seconds of the divergences, peak resident bytes, and some entries of the matrix."""
    options = json.dumps([memory, directory and str(directory)])
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(store), options], capture_output=True, text=True, check=True
    )
    return tuple(json.loads(child.stdout))  # pyright: ignore


def bounded(folder: Path, gigabytes: float) -> dict[str, float]:
    # 4 P N C bytes of predictions are twice the 8 P^2 bytes of the matrix
    runs = round((gigabytes * 2**30 / 16) ** 0.5 / CHECKPOINTS)
    points = runs * CHECKPOINTS
    samples = -(-16 * points // (4 * CLASSES))
    make_store(folder / "large.zarr", runs, samples)
    make_store(folder / "small.zarr", 2, 100)
    size = 4 * points * samples * CLASSES
    _, fixed, _ = in_child(folder / "small.zarr", None, None)
    free_seconds, free_peak, expected = in_child(folder / "large.zarr", None, None)
    seconds, peak, corner = in_child(folder / "large.zarr", size // 4, folder / "tiles")
    assert np.allclose(corner, expected, rtol=0, atol=1e-12), "bounded memory changes the numbers"
    return {
        "points": points,
        "samples": samples,
        "predictions, MB": size / 2**20,
        "matrix, MB": 8 * points**2 / 2**20,
        "memory given, MB": size / 4 / 2**20,
        "fixed cost of the runtime, MB": fixed / 2**20,
        "peak above the fixed cost, MB": (peak - fixed) / 2**20,
        "peak in memory, MB": free_peak / 2**20,
        "seconds in memory": free_seconds,
        "seconds bounded": seconds,
        "speed, of that in memory": free_seconds / seconds,
    }


def growing(folder: Path, runs: int, samples: int, rounds: int = 3) -> dict[str, float]:
    """A tenth more runs of 100 checkpoints."""
    rng = np.random.default_rng(1)
    arrays = {
        f"run-{r:02d}": 3 * rng.standard_normal((100, samples, CLASSES), dtype=np.float32)
        for r in range(runs + runs // 10)
    }
    late = infogeo.Predictions.from_arrays(arrays, kind="logits")
    early = infogeo.Predictions.from_arrays(dict(list(arrays.items())[:runs]), kind="logits")
    times = []
    for r in range(rounds + 1):  # the first compiles
        grown, whole = folder / f"grown-{runs}-{r}", folder / f"whole-{runs}-{r}"
        infogeo.pairwise_divergence(early, infogeo.Bhattacharyya(), directory=grown)
        pair = []
        for path in (grown, whole):
            start = perf_counter()
            infogeo.pairwise_divergence(late, infogeo.Bhattacharyya(), directory=path)
            pair.append(perf_counter() - start)
        times.append(pair)
    new, everything = np.median(times[1:], axis=0)
    share = 1 - len(early.points) * (len(early.points) + 1) / (len(late.points) * (len(late.points) + 1))
    return {
        "seconds, new": new,
        "seconds, everything": everything,
        "share of new pairs": share,
        "share of the time": new / everything,
        "ratio": new / everything / share,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=2.0, help="of predictions")
    parser.add_argument("--save", action="store_true", help="write results/disk.json")
    arguments = parser.parse_args()
    print(environment())
    with TemporaryDirectory() as folder:
        figures = {"bounded": bounded(Path(folder), arguments.gigabytes)}
        for runs, samples in ((20, 2000), (80, 1000)):
            figures[f"growing from {100 * runs} points, {samples} samples"] = growing(Path(folder), runs, samples)
    for name, found in figures.items():
        print(f"\n{name}\n" + "\n".join(f"  {key}: {value:.4g}" for key, value in found.items()))
    if arguments.save:
        save("disk", figures)


if __name__ == "__main__":
    main()
