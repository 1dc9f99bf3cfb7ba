"""On a GPU: how fast and how exact is the Bhattacharyya block, against PyTorch and against the machine's ceilings?

Everything is measured here: float32 multiply-adds, the matrix unit, memory bandwidth, the published PyTorch form
(batched product of square roots, clamp, logarithm, sum) in the blocks that suit it best, plain JAX, and the fused
kernel over a table of tilings. Speed counts coefficients that are computed, per second. Each part runs in a process
of its own with a time limit and writes down every figure at once: what fails is reported, and the rest goes on.

    python benchmarks/bench_gpu.py [--folder benchmarks/results] [--seconds 300]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from environment import environment
from record import Record, median_seconds

POINTS, SAMPLES, CLASSES = 4096, 1920, 10
"""The tile that is timed: 3.2e10 coefficients, some ten milliseconds."""
GOAL = 151_407, 50_000
"""Checkpoints and samples of the largest published map, of 10 classes, and what the time is projected for."""
BUDGET = 5e-7
CONFIDENCES = (0.001, 0.1, 1.0, 3.0, 12.0, 30.0)
LIMITS = {
    "setting": 30,
    "fused": 70,
    "ceilings": 70,
    "published": 70,
    "tilings": 120,
    "plain": 50,
    "classes": 60,
    "public": 50,
}
"""The parts in order of importance, and their seconds."""


def setting(record: Record) -> None:
    import jax

    record.add("setting", device=jax.devices()[0].device_kind, **environment())


def roots(seed: int, points: int = POINTS, samples: int = SAMPLES, classes: int = CLASSES) -> Any:
    """Square roots [N, C, P] of random predictions, on the device."""
    import jax
    import jax.numpy as jnp

    x = 3 * jax.random.normal(jax.random.key(seed), (samples, classes, points))
    return jnp.exp(jax.nn.log_softmax(x, axis=1) / 2)


def block_figures(block: Callable[..., Any], a: Any, b: Any, divergence: Any = None) -> dict[str, float]:
    import jax

    from infogeo.divergences import Bhattacharyya

    jitted = jax.jit(block)
    total = jax.device_put((divergence or Bhattacharyya()).start(a.shape[2], b.shape[2]))
    seconds = median_seconds(lambda: jax.block_until_ready(jitted(total, a, b)))
    return {"coefficients/s": a.shape[0] * a.shape[2] * b.shape[2] / seconds, "ms": seconds * 1e3}


def fused(record: Record) -> None:
    import jax
    import jax.numpy as jnp

    from infogeo.divergences import pallas
    from infogeo.divergences.bhattacharyya import Bhattacharyya

    rng = np.random.default_rng(0)

    def worst_error(confidence: float, block: Callable[..., Any]) -> dict[str, float]:
        x = confidence * rng.normal(size=(256, SAMPLES, CLASSES))
        x -= np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True)) + x.max(-1, keepdims=True)
        log_p = np.maximum(x, -174).astype(np.float32)
        encoded = Bhattacharyya().encode(jnp.asarray(log_p))
        total = jax.jit(block)(Bhattacharyya().start(256, 256), encoded, encoded)
        large, small = (np.asarray(x, dtype=np.float64) for x in Bhattacharyya().finish(total))
        k = large + small * Bhattacharyya.unit
        distances = (k - np.diag(k)[:, None] / 2 - np.diag(k) / 2)[:16] / SAMPLES
        root = np.exp(np.float64(log_p) / 2)
        root /= np.linalg.norm(root, axis=-1, keepdims=True)
        exact = np.stack([-np.log(np.einsum("nc,pnc->pn", row, root)).mean(axis=1) for row in root[:16]])
        np.fill_diagonal(exact, 0.0)
        return {"error / max(1, D)": float((np.abs(distances - exact) / np.maximum(1, exact)).max()), "budget": BUDGET}

    for confidence in CONFIDENCES:
        record.attempt(
            f"accuracy, confidence {confidence}", lambda c=confidence: worst_error(c, pallas.times_coefficients)
        )
    a, b = roots(0), roots(1)
    record.attempt("fused", lambda: block_figures(pallas.times_coefficients, a, b))


def tilings(record: Record) -> None:
    import jax
    import jax.numpy as jnp

    from infogeo.divergences import Bhattacharyya, pallas

    clusters = [(1, 1), (1, 2), (2, 1), (2, 2), (1, 4), (4, 1), (4, 2), (2, 4)]
    table = [pallas.Tiling(cluster=cluster) for cluster in clusters]
    table += [pallas.Tiling(stages=2), pallas.Tiling(samples=1, stages=6), pallas.Tiling(samples=1, stages=4)]
    table += [pallas.Tiling(columns=64, stages=4, cluster=cluster) for cluster in [(1, 1), (2, 2)]]
    a, b = roots(0), roots(1)
    first: list[jax.Array] = []

    def measure(tiling: pallas.Tiling) -> dict[str, Any]:
        block = partial(pallas.times_coefficients, tiling=tiling)
        found = block_figures(block, a, b)
        start = jax.tree.map(jnp.asarray, Bhattacharyya().start(POINTS, POINTS))
        first.append(jnp.log2(jax.jit(block)(start, a, b)[0]))
        difference = float(jnp.abs(first[-1] - first[0]).max())
        del first[1:]
        return {**found, "difference from the first": difference, "tiling": asdict(tiling)}

    for tiling in table:
        name = f"{tiling.rows} x {tiling.columns}, samples {tiling.samples}, stages {tiling.stages}"
        record.attempt(f"tiling {name}, cluster {tiling.cluster}", lambda tiling=tiling: measure(tiling))


def plain(record: Record) -> None:
    from infogeo.divergences import Bhattacharyya, Hellinger, SymmetricKL

    a, b = roots(0, samples=192), roots(1, samples=192)
    for divergence in (Bhattacharyya(fused=False), Hellinger(), SymmetricKL()):
        features = divergence.features(CLASSES) // a.shape[1]
        operands = (x.repeat(features, axis=1) for x in (a, b))
        record.attempt(f"plain JAX, {divergence.name}", lambda d=divergence, o=operands: block_figures(d.block, *o, d))


def classes(record: Record) -> None:
    from infogeo.divergences import Bhattacharyya

    for n_classes in (2, 5, 20, 30, 42):
        a, b = (roots(seed, 2048, 192, n_classes) for seed in (0, 1))
        for kind in (True, False):
            name = f"C = {n_classes}, {'chosen' if kind else 'plain JAX'}"
            record.attempt(name, lambda a=a, b=b, kind=kind: block_figures(Bhattacharyya(fused=kind).block, a, b))
    for n_classes in (100, 1000, 10_000):
        a, b = (many_classes(seed, 2048, 8, n_classes) for seed in (0, 1))
        record.attempt(f"C = {n_classes}", lambda a=a, b=b: many_figures(a, b))


def many_classes(seed: int, points: int, samples: int, n_classes: int) -> Any:
    import jax

    from infogeo.divergences.many import ManyClasses, dither_of

    x = 3 * jax.random.normal(jax.random.key(seed), (points, samples, n_classes))
    return ManyClasses(jax.nn.log_softmax(x), dither_of(0, samples, 1000))


def many_figures(a: Any, b: Any) -> dict[str, float]:
    import jax

    from infogeo.divergences import Bhattacharyya

    block, total = jax.jit(Bhattacharyya().block_of_many), jax.device_put(Bhattacharyya().start(a.n_points, b.n_points))
    seconds = median_seconds(lambda: jax.block_until_ready(block(total, a, b)))
    coefficients = a.log_p.shape[1] * a.n_points * b.n_points
    rate = coefficients / seconds
    return {"coefficients/s": rate, "flop/s": 2 * a.log_p.shape[2] * rate, "ms": seconds * 1e3}


def public(record: Record) -> None:
    import infogeo

    log_p = np.random.default_rng(0).normal(size=(2048, 960, CLASSES)).astype(np.float32) * 3
    log_p -= np.log(np.exp(log_p).sum(-1, keepdims=True))
    predictions = infogeo.Predictions.from_arrays({"runs": log_p}, kind="log-probabilities")

    def measure() -> dict[str, float]:
        seconds = median_seconds(lambda: infogeo.pairwise_divergence(predictions, infogeo.Bhattacharyya()), rounds=3)
        return {"seconds": seconds, "coefficients/s, unordered pairs": 2048 * 2049 / 2 * 960 / seconds}

    record.attempt("public call, P = 2048, N = 960", measure)


def ceilings(record: Record) -> None:
    import jax
    import jax.numpy as jnp

    def product(dtype: Any, precision: Any) -> dict[str, float]:
        x, y = (jax.random.normal(jax.random.key(seed), (8192, 8192)).astype(dtype) for seed in (0, 1))
        call = jax.jit(lambda x, y: jnp.dot(x, y, precision=precision))
        return {"flop/s": 2 * 8192**3 / median_seconds(lambda: call(x, y).block_until_ready())}

    def copy() -> dict[str, float]:
        x = jnp.zeros(2**29)
        call = jax.jit(lambda x: x + 1)
        return {"bytes/s": 2 * x.nbytes / median_seconds(lambda: call(x).block_until_ready())}

    record.attempt("ceiling, memory", copy)
    record.attempt("ceiling, float32", lambda: product(jnp.float32, jax.lax.Precision.HIGHEST))
    record.attempt("ceiling, bfloat16", lambda: product(jnp.bfloat16, None))
    record.attempt("for information, TF32", lambda: product(jnp.float32, jax.lax.Precision.DEFAULT))


def published(record: Record) -> None:
    import torch

    def measure(points: int, samples: int) -> dict[str, float]:
        n = max(64, samples)
        root = torch.sqrt(torch.softmax(3 * torch.randn(n, points, CLASSES, device="cuda"), dim=-1))
        other = torch.sqrt(torch.softmax(3 * torch.randn(n, points, CLASSES, device="cuda"), dim=-1)).transpose(1, 2)

        def call() -> None:
            total = torch.zeros(points, points, device="cuda")
            for start in range(0, n, samples):
                part = slice(start, start + samples)
                total -= torch.log(torch.clamp(torch.bmm(root[part], other[part]), min=1e-37)).sum(dim=0)
            torch.cuda.synchronize()

        return {"coefficients/s": n * points**2 / median_seconds(call)}

    for points in (1024, 2048, 4096):
        for samples in (1, 2, 4, 8, 16, 64):
            name = f"published form in PyTorch {torch.__version__}, {points} points, {samples} samples at a time"
            record.attempt(name, lambda points=points, samples=samples: measure(points, samples))


def summary(figures: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The best of each, and what the comparison says."""

    def best(start: str, key: str = "coefficients/s") -> float:
        return max(
            (found[key] for name, found in figures.items() if name.startswith(start) and key in found), default=0.0
        )

    ours, theirs = max(best("fused"), best("tiling")), best("published")
    depth = -(-6 * CLASSES // 64) * 64
    pairs = POINTS**2 * SAMPLES
    moved = 2 * POINTS * SAMPLES * (4 * CLASSES + 2 * 2 * depth) + 2 * 8 * POINTS**2
    limits = {
        "float32 multiply-adds": best("ceiling, float32", "flop/s") / (2 * CLASSES),
        "matrix unit": best("ceiling, bfloat16", "flop/s") / (2 * depth),
        "memory": best("ceiling, memory", "bytes/s") / (moved / pairs),
    }
    tiles = -(-GOAL[0] // POINTS)
    computed = tiles * (tiles + 1) / 2 * POINTS**2 * GOAL[1]
    result: dict[str, Any] = {"best, coefficients/s": ours, "plain JAX, coefficients/s": best("plain JAX, Bhatt")}
    result |= {f"share of the ceiling, {name}": ours / limit for name, limit in limits.items() if limit}
    if theirs:
        result["best published, coefficients/s"] = theirs
        result["times the published form, per coefficient"] = ours / theirs
        result["times the published form, square matrix"] = ours / theirs * GOAL[0] ** 2 * GOAL[1] / computed
    if ours:
        result[f"minutes of compute for {GOAL[0]} x {GOAL[1]} x 10"] = computed / ours / 60
    if any(name.startswith("accuracy") and "failed" not in found for name, found in figures.items()):
        result["worst error / max(1, D)"] = best("accuracy", "error / max(1, D)")
    return result


def all_parts(folder: Path, record: Record, seconds: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    record.path.unlink(missing_ok=True)
    end = time.monotonic() + seconds
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    for part, limit in LIMITS.items():
        command = [sys.executable, __file__, "--folder", str(folder), "--part", part]
        try:
            subprocess.run(command, timeout=max(1, min(limit, end - time.monotonic())), check=True)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
            record.add(f"part {part}", failed=str(error)[-200:])
    record.attempt("summary", lambda: summary(record.figures()))
    (folder / "gpu.json").write_text(json.dumps(record.figures(), indent=2) + "\n")
    record.path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--seconds", type=float, default=300, help="for all parts together")
    parser.add_argument("--part", choices=LIMITS)
    arguments = parser.parse_args()
    lines = arguments.folder / "gpu.jsonl"
    if arguments.part:
        globals()[arguments.part](Record(lines))
    else:
        all_parts(arguments.folder, Record(lines), arguments.seconds)


if __name__ == "__main__":
    main()
