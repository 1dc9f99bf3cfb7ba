"""How good are the estimates and their intervals where the dimension is known? Repetitions of clouds and runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import groupby
from multiprocessing import get_context
from typing import Any

import numpy as np

from benchmarks.dimension.estimators import CORRELATION, covers, of_cloud, of_runs
from benchmarks.dimension.families import FAMILIES, FLOWS, cloud, divergences, trajectories

CHECKPOINTS = 12
SAMPLES = 100
"""N where it does not vary."""
CHUNK = 10
"""Repetitions that a process does at once."""
ALLOWED = (0.85, 0.99)
"""Between which coverage of the nominal 95 % is good enough."""
CLOSE = 0.1
"""Relative bias that is called small."""
Row = dict[str, Any]


@dataclass(frozen=True, order=True)
class Cell:
    """What is drawn again and again.

    Attributes:
        family: of points, or how runs flow.
        d: the true dimension: of the cloud, or across runs.
        size: P, the number of points, or R, that of runs.
        samples: N.
    """

    family: str
    d: int
    size: int
    samples: int

    @property
    def runs(self) -> bool:
        """Whether its points are those of runs."""
        return self.family in FLOWS


@dataclass(frozen=True)
class Sweep:
    """Which cells, and how often.

    Attributes:
        points: P, each with its repetitions, at N of `SAMPLES`.
        dimensions: d of clouds.
        samples: other N, each with its repetitions, at P of `samples_at`.
        samples_at: that P.
        runs: R, each with its repetitions.
        across: d across runs.
    """

    points: dict[int, int]
    dimensions: tuple[int, ...]
    samples: dict[int, int]
    samples_at: int
    runs: dict[int, int]
    across: tuple[int, ...]

    def cells(self) -> Iterator[tuple[Cell, int]]:
        """Each with its repetitions, those that take longest first."""
        sized = [(p, SAMPLES, often) for p, often in sorted(self.points.items(), reverse=True)]
        sized += [(self.samples_at, n, often) for n, often in self.samples.items()]
        for size, samples, often in sized:
            yield from ((Cell(f, d, size, samples), often) for f in FAMILIES for d in self.dimensions)
        for size, often in sorted(self.runs.items(), reverse=True):
            yield from ((Cell(f, d, size, SAMPLES), often) for f in FLOWS for d in self.across)


FULL = Sweep(
    points={200: 50, 500: 50, 1000: 30, 2500: 20},
    dimensions=(1, 2, 3, 4, 5, 8, 10, 15, 20),
    samples={20: 50, 500: 20},
    samples_at=500,
    runs={20: 50, 40: 50, 80: 50, 160: 20},
    across=(1, 2, 3, 4, 5, 6, 8, 10),
)
QUICK = Sweep({200: 20, 500: 20}, (1, 2, 3, 5, 8, 15), {20: 20}, 200, {20: 20, 40: 20}, (1, 2, 3, 5))


def repeat(cell: Cell, numbers: range) -> list[Row]:
    """What every estimator said in some repetitions of a cell; each has a seed of its own."""
    rows = []
    for number in numbers:
        seed = [[*FAMILIES, *FLOWS].index(cell.family), cell.d, cell.size, cell.samples, number]
        rng = np.random.default_rng(seed)
        if cell.runs:
            matrix = divergences(trajectories(cell.family, rng, cell.d, cell.size, CHECKPOINTS, cell.samples))
        else:
            matrix = divergences(cloud(cell.family, rng, cell.d, cell.size, cell.samples))
        for found in of_runs(matrix) if cell.runs else of_cloud(matrix):
            truth = cell.d + (cell.runs and found.estimator == CORRELATION)
            estimate = found.estimate
            rows.append(
                {
                    "estimator": found.estimator,
                    "truth": int(truth),
                    "value": estimate.value,
                    "error": estimate.standard_error,
                    "covers": covers(estimate, truth),
                    "excluded": estimate.excluded,
                    "seconds": found.seconds,
                }
            )
    return rows


def measure(sweep: Sweep, workers: int) -> list[Row]:
    """One row per cell and estimator, from processes of one thread each."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["OMP_NUM_THREADS"] = "1"
    found: dict[Cell, list[Row]] = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = {
            pool.submit(repeat, cell, range(start, min(start + CHUNK, often))): cell
            for cell, often in sweep.cells()
            for start in range(0, often, CHUNK)
        }
        for at, job in enumerate(as_completed(jobs)):
            found.setdefault(jobs[job], []).extend(job.result())
            if (at + 1) % 50 == 0 or at + 1 == len(jobs):
                print(f"  {at + 1} of {len(jobs)} parts", flush=True)
    often = dict(sweep.cells())
    return [row for cell in sorted(found) for row in summarised(cell, found[cell], often[cell])]


def summarised(cell: Cell, rows: list[Row], repetitions: int) -> list[Row]:
    """One row per estimator: what it does on average, and how often its interval holds the truth."""
    order = list(dict.fromkeys(row["estimator"] for row in rows))
    ordered = sorted(rows, key=lambda row: order.index(row["estimator"]))
    return [_summary(cell, name, list(own), repetitions) for name, own in groupby(ordered, lambda r: r["estimator"])]


def _summary(cell: Cell, name: str, rows: list[Row], repetitions: int) -> Row:
    answers = [row for row in rows if np.isfinite(row["value"])]
    truth = rows[0]["truth"]
    nothing = [float("nan")]
    values = np.array([row["value"] for row in answers] or nothing)
    hits, n = sum(row["covers"] for row in answers), len(answers)
    coverage = hits / n if n else float("nan")
    return {
        "family": cell.family,
        "size": cell.size,
        "samples": cell.samples,
        "d": cell.d,
        "estimator": name,
        "truth": truth,
        "repetitions": repetitions,
        "answers": n,
        "mean": float(values.mean()),
        "bias": float(values.mean() - truth),
        "sd": float(values.std(ddof=1)) if n > 1 else float("nan"),
        "mean SE": float(np.mean([row["error"] for row in answers] or nothing)),
        "low": float(np.quantile(values, 0.025)),
        "high": float(np.quantile(values, 0.975)),
        "coverage": coverage,
        "coverage error": binomial_error(hits, n),
        "excluded": float(np.mean([row["excluded"] for row in rows])),
        "seconds": float(np.median([row["seconds"] for row in rows])),
    }


def binomial_error(hits: int, n: int) -> float:
    """The standard error of hits / n, from (hits + 1) / (n + 2): above zero where all or none hit."""
    if n == 0:
        return float("nan")
    share = (hits + 1) / (n + 2)
    return float(np.sqrt(share * (1 - share) / n))


def is_good(row: Row) -> bool:
    """Coverage within `ALLOWED`, to one binomial standard error, from most repetitions."""
    low, high = ALLOWED
    error = row["coverage error"]
    return bool(2 * row["answers"] > row["repetitions"] and low - error <= row["coverage"] <= high + error)


def is_close(row: Row) -> bool:
    """A bias of no more than `CLOSE` of the truth."""
    return bool(2 * row["answers"] > row["repetitions"] and abs(row["bias"]) <= CLOSE * row["truth"])
