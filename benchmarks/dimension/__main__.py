"""Up to how many dimensions can infogeo's estimates and their intervals be trusted, and do others say the same?

    python -m benchmarks.dimension [--quick] [--peers] [--save] [--workers 2]

(a) With --peers, scikit-dimension's benchmark manifolds: our estimators from distances beside scikit-dimension's and
DADApy's; where the method is the same, to how many digits it agrees; and what each does about duplicates.
(b) Models whose dimension is known (`families`): clouds of P points, and R runs that flow, N samples each, again and
again. The recommended range of an estimator are the d at which the nominal 95 % interval holds the truth in 85 to 99 %
of repetitions, to one binomial standard error, in every family. And how much of the error is rounding
(`rounding`), or the spacing of checkpoints (`sparse`)?
(c) Real runs, of the networks of `infogeo demo`: what does each estimator say, where no truth is known?

Writes, with --save, results/dimension.md, dimension.json and dimension.html. Seconds are of one thread
while other processes run; for those that can be compared, see `python -m benchmarks.dimension.speed`.
"""

from __future__ import annotations

import argparse
import os
from time import perf_counter
from typing import Any

from benchmarks.dimension import coverage, manifolds, networks, peers, rounding, sparse
from benchmarks.dimension.picture import draw
from benchmarks.dimension.ranges import recommended
from benchmarks.dimension.table import (
    beside,
    bias_table,
    error_table,
    in_full,
    recommended_table,
    write_json,
)
from benchmarks.environment import RESULTS, environment


def with_peers(quick: bool) -> dict[str, list[dict[str, Any]]]:
    """Part (a)."""
    sizes = (500,) if quick else (1000, 2500)
    return {
        "manifolds": manifolds.measure(sizes, slow=not quick),
        "agreement": peers.agreement(1000),
        "duplicates": peers.duplicates(1000),
    }


def markdown(found: dict[str, Any], sweep: coverage.Sweep) -> str:
    """All tables, with what they show."""
    machine = found["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    parts = [
        "# Estimators of dimension\n\nMade by `python -m benchmarks.dimension`. "
        f"{machine['processor']}, {machine['cores']} cores; {versions}",
        "## Recommended ranges\n\nEntries are *a / b*: *a* are the true dimensions at which the nominal 95 % interval "
        "covers in 85 to 99 % of repetitions (to one binomial standard error) in every family, of several ranges the "
        "highest; *b* those at which the bias is within 10 %. Repetitions by size: P "
        f"{_often(sweep.points)}; R {_often(sweep.runs)}; N {_often(sweep.samples)}.\n\n"
        + recommended_table(found["recommended"]),
    ]
    for kind, sizes in (("clouds", list(sweep.points)), ("runs", list(sweep.runs))):
        letter = "P" if kind == "clouds" else "R"
        for size in sizes:
            title = f"## {kind.capitalize()}, {letter} = {size}: mean estimate over families (coverage)"
            parts.append(f"{title}\n\n{bias_table(found['coverage'], kind, size)}")
        title = f"## {kind.capitalize()}, {letter} = {sizes[-1]}: mean standard error / spread of the estimates"
        parts.append(f"{title}\n\n{error_table(found['coverage'], kind, sizes[-1])}")
    title = "## Rounding: softmax clouds, N = 100, from float32 and float64 divergences"
    parts.append(f"{title}\n\n{in_full(found['rounding'])}")
    title = "## Sparse checkpoints: d = 1 across runs, N = 100, extrapolated"
    parts.append(f"{title}\n\n{in_full(found['sparse'])}")
    keys = ("runs", "n runs", "points", "estimator", "value", "error", "low", "high", "scale", "excluded")
    short = [{key: row[key] for key in keys} for row in found["networks"]]
    parts.append(f"## Real runs, of `infogeo demo`: no truth is known\n\n{in_full(short)}")
    if "manifolds" in found:
        for size in sorted({row["points"] for row in found["manifolds"]}):
            title = f"## Benchmark manifolds of scikit-dimension, P = {size}; bold: our interval holds the truth"
            parts.append(f"{title}\n\n{beside(found['manifolds'], 'manifold', size)}")
        parts.append(f"## The same method by others\n\n{in_full(found['agreement'])}")
        parts.append(f"## 5 % of 1000 points twice, 5 dimensions\n\n{in_full(found['duplicates'])}")
    return "\n\n".join(parts) + "\n"


def _often(repetitions: dict[int, int]) -> str:
    return ", ".join(f"{size}: {often}" for size, often in repetitions.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller, for two minutes")
    parser.add_argument("--peers", action="store_true", help="scikit-dimension and DADApy too")
    parser.add_argument("--save", action="store_true", help="write results/dimension.md, .json, .csv and .html")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes, of one thread each")
    arguments = parser.parse_args()
    if arguments.peers and peers.is_missing():
        raise SystemExit(peers.INSTALL)
    start = perf_counter()
    sweep = coverage.QUICK if arguments.quick else coverage.FULL
    found: dict[str, Any] = {"environment": environment()}
    found["coverage"] = coverage.measure(sweep, arguments.workers)
    found["recommended"] = recommended(found["coverage"])
    found["rounding"] = rounding.measure(
        (200, 500) if arguments.quick else (200, 1000, 2500), 5 if arguments.quick else 10
    )
    found["sparse"] = sparse.measure((40,), (12, 48), 5 if arguments.quick else 40)
    found["networks"] = networks.measure(24 if arguments.quick else 40)
    if arguments.peers:
        found |= with_peers(arguments.quick)
    text = markdown(found, sweep)
    print(text)
    print(f"{perf_counter() - start:.0f} seconds")
    if arguments.save:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "dimension.md").write_text(text)
        write_json(RESULTS / "dimension.json", found)
        draw(found["coverage"], RESULTS / "dimension.html")


if __name__ == "__main__":
    main()
