"""How fast are the estimators beside scikit-dimension's, and what do 10,000 points on disk take?

In memory both get the same P points in this process, in turn, medians of 5:
  (i) the square matrix of distances: where scikit-dimension takes sorted distances of neighbours, getting them from the
      matrix counts (a partition, then a sort of what is needed);
 (ii) coordinates [P, 20]: theirs as they are; ours through a matrix of squared distances, whose making by SciPy, and
      whose check by `PairwiseMatrix.from_array`, is stated apart and counts.
On disk each estimator runs in a process of its own, over tiles: seconds, and the peak of its memory above that before.

    python -m benchmarks.dimension.speed [--points 5000] [--disk 10000] [--save]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist, squareform

from benchmarks.dimension import peers
from benchmarks.dimension.table import in_full
from benchmarks.environment import environment, save
from infogeo.core.points import Points
from infogeo.dimension import AllPoints, Gride, MaximumLikelihood, TwoNN, estimate_dimension
from infogeo.dimension.correlation import CorrelationDimension
from infogeo.dimension.method import DimensionMethod
from infogeo.dimension.neighbours import nearest_neighbours
from infogeo.dimension.spectrum import ParticipationRatio, StableRank
from infogeo.pairwise import PairwiseMatrix
from infogeo.pairwise.plan import TILE
from infogeo.pairwise.tiled import TiledValues

Array = NDArray[np.float64]
Call = Callable[[], Any]

AXES, ROUNDS, COUNT, K = 20, 5, 64, 20
METHODS = {
    "TwoNN": TwoNN(),
    "MLE 20": MaximumLikelihood(K),
    "Gride 2": Gride(2),
    "correlation": CorrelationDimension(),
    "participation ratio": ParticipationRatio(),
    "stable rank": StableRank(),
}
NEIGHBOURS = f"nearest_neighbours(count={COUNT})"


def in_turn(calls: dict[str, Call]) -> dict[str, float]:
    """Median seconds of each, one after the other, again and again; the first round does not count."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS + 1):
        for name, call in calls.items():
            start = perf_counter()
            call()
            times[name].append(perf_counter() - start)
    return {name: float(np.median(own[1:])) for name, own in times.items()}


def nearest(distances: Array, k: int) -> Array:
    """The distances to the k nearest [P, k], ascending: what scikit-dimension wants, from a square matrix."""
    return np.sort(np.partition(distances, k, axis=1)[:, : k + 1], axis=1)[:, 1:]


def from_matrix(distances: Array, matrix: PairwiseMatrix) -> list[dict[str, Any]]:
    """(i)."""
    from skdim import id as theirs

    calls: dict[str, tuple[str, DimensionMethod, str, Call]] = {
        "TwoNN": ("TwoNN", TwoNN(), "TwoNN(dist=True, likelihood)",
                  lambda: theirs.TwoNN(discard_fraction=0, dist=True, method="mle").fit(nearest(distances, 2))),
        "MLE 20": ("MLE 20", MaximumLikelihood(K), "MLE(precomputed neighbours)",
                   lambda: theirs.MLE().fit(distances, precomputed_knn_arrays=(nearest(distances, K), None))),
        "correlation": ("correlation", CorrelationDimension(), "CorrInt(DM=True)",
                        lambda: theirs.CorrInt(DM=True).fit(distances)),
    }  # fmt: skip
    rows = []
    reading = in_turn({"reading": lambda: _read(np.asarray(matrix.values))})["reading"]
    rows.append({"input": "matrix", "ours": "reading it, on all cores: the limit", "seconds, ours": reading})
    for name, method, other, call in calls.values():
        seconds = in_turn({"ours": lambda method=method: estimate_dimension(matrix, method), "theirs": call})
        rows.append(_row("matrix", name, other, seconds["ours"], seconds["theirs"]))
    return rows


def _read(values: Array) -> None:
    """The largest entry, by as many threads as there are cores: nothing that looks at all of them is faster."""
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(np.max, np.array_split(values, 8 * cores)))


def from_coordinates(x: Array) -> list[dict[str, Any]]:
    """(ii)."""
    from skdim import id as theirs

    making = in_turn(
        {
            "pdist": lambda: squareform(pdist(x, "sqeuclidean")),
            "cdist": lambda: cdist(x, x, "sqeuclidean"),
            "NumPy": lambda: _squared(x),
        }
    )
    squares = squareform(pdist(x, "sqeuclidean"))
    checking = in_turn({"check": lambda: PairwiseMatrix.from_array(squares)})["check"]
    calls: dict[str, tuple[DimensionMethod, Call]] = {
        "TwoNN": (TwoNN(), lambda: theirs.TwoNN(discard_fraction=0, method="mle").fit(x)),
        "MLE 20": (MaximumLikelihood(K), lambda: theirs.MLE().fit(x, n_neighbors=K, comb="mle")),
        "Gride 2": (Gride(2), lambda: theirs.GRIDE(n1=2).fit(x)),
        "correlation": (CorrelationDimension(), lambda: theirs.CorrInt().fit(x)),
    }
    rows = []
    for name, (method, call) in calls.items():

        def ours(method: DimensionMethod = method) -> None:
            estimate_dimension(PairwiseMatrix.from_array(squareform(pdist(x, "sqeuclidean"))), method)

        seconds = in_turn({"ours": ours, "theirs": call})
        made = {f"of which {way}": taken for way, taken in making.items() if way == "pdist"}
        rows.append(_row("coordinates", name, "the same", **seconds) | made | {"of which from_array": checking})
    rows.append({"input": "coordinates", "ours": "squared distances by cdist", "seconds, ours": making["cdist"]})
    rows.append({"input": "coordinates", "ours": "squared distances by NumPy", "seconds, ours": making["NumPy"]})
    return rows


def _squared(x: Array) -> Array:
    lengths = (x**2).sum(axis=1)
    return np.maximum(lengths[:, None] + lengths - 2 * x @ x.T, 0.0)


def _row(given: str, name: str, other: str, ours: float, theirs: float) -> dict[str, Any]:
    return {
        "input": given,
        "ours": name,
        "scikit-dimension": other,
        "seconds, ours": ours,
        "seconds, theirs": theirs,
        "theirs / ours": theirs / ours,
    }


def write_tiles(folder: Path, n_points: int) -> None:
    """Squared distances of points uniform in 5 dimensions, as tiles of the upper triangle."""
    x = np.random.default_rng(0).uniform(size=(n_points, 5))
    blocks = _blocks(n_points)
    for i, rows in enumerate(blocks):
        for j in range(i, len(blocks)):
            np.save(folder / f"{i}-{j}.npy", cdist(x[rows], x[blocks[j]], "sqeuclidean"))


def _blocks(n_points: int) -> tuple[NDArray[np.intp], ...]:
    return tuple(np.arange(start, min(start + TILE, n_points)) for start in range(0, n_points, TILE))


def on_disk(n_points: int) -> list[dict[str, Any]]:
    """Each in a process of its own."""
    rows = []
    with TemporaryDirectory() as folder:
        write_tiles(Path(folder), n_points)
        for name in (NEIGHBOURS, *METHODS):
            command = [sys.executable, "-m", "benchmarks.dimension.speed", "--child", name, folder, str(n_points)]
            child = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append({"points": n_points, "ours": name, **json.loads(child.stdout.splitlines()[-1])})
    return rows


def child(name: str, folder: str, n_points: int) -> None:
    """One estimator over tiles on disk; prints JSON."""
    blocks = _blocks(n_points)
    files = {(i, j): Path(folder, f"{i}-{j}.npy") for i in range(len(blocks)) for j in range(i, len(blocks))}
    points = Points.of_runs([f"point-{i}" for i in range(n_points)], [[0]] * n_points)
    matrix = PairwiseMatrix(TiledValues(blocks, files), points)  # pyright: ignore
    before, start = _peak(), perf_counter()
    if name == NEIGHBOURS:
        found: Any = nearest_neighbours(matrix, COUNT, AllPoints()).distances.shape
    else:
        found = estimate_dimension(matrix, METHODS[name]).value
    taken = perf_counter() - start
    matrix_mb = 8 * n_points**2 / 2**20
    figures = {"seconds": taken, "peak above, MB": (_peak() - before) / 2**20, "matrix, MB": matrix_mb}
    print(json.dumps({**figures, "found": found}))


def _peak() -> int:
    """Bytes: the peak resident memory of this process, and not that of its parent before."""
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(peak[1]) * 1024 if peak else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=5000, help="P in memory")
    parser.add_argument("--disk", type=int, default=10_000, help="P on disk; 0 leaves it out")
    parser.add_argument("--save", action="store_true", help="write results/dimension-speed.json")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child[0], arguments.child[1], int(arguments.child[2]))
        return
    print(environment())
    figures: dict[str, Any] = {"points": arguments.points, "axes": AXES}
    if peers.is_missing():
        print(peers.INSTALL)
    else:
        x = np.random.default_rng(0).normal(size=(arguments.points, AXES))
        distances = squareform(pdist(x))
        figures["from a matrix"] = from_matrix(distances, PairwiseMatrix.from_array(distances**2))
        figures["from coordinates"] = from_coordinates(x)
    if arguments.disk:
        figures["on disk"] = on_disk(arguments.disk)
    for name, rows in figures.items():
        if isinstance(rows, list):
            print(f"\n{name}\n\n{in_full(rows)}")
    if arguments.save:
        save("dimension-speed", figures)


if __name__ == "__main__":
    main()
