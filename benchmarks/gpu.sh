#!/usr/bin/env bash
# On a machine whose GPU JAX can see: the accuracy tests and the benchmark there, in one command.
set -euo pipefail
cd "$(dirname "$0")/.."
python -c "import jax; print(jax.devices()); assert jax.default_backend() == 'gpu', 'JAX sees no GPU'"
python -m pytest -q -m "full or not full" tests/divergences tests/pairwise
PYTHONPATH=. python benchmarks/bench_pairwise.py
