#!/usr/bin/env bash
# On a machine whose GPU JAX can see: tests of the fused kernel, the benchmark, then the accuracy tests of all
# divergences; one command, at most 8 minutes. Installs nothing: JAX, NumPy, SciPy, pytest and hypothesis must be
# there, PyTorch for the comparison.
#
#     bash benchmarks/gpu.sh [FOLDER]      FOLDER gets gpu.json and the logs of the tests; benchmarks/results if none
set -uo pipefail
folder=$(realpath -m "${1:-$(dirname "$0")/results}")
cd "$(dirname "$0")/.."
mkdir -p "$folder"
export PATH=$PATH:/usr/local/cuda/bin PYTHONPATH=. PYTHONUNBUFFERED=1 XLA_PYTHON_CLIENT_PREALLOCATE=false
status=0

run() { # SECONDS LOG COMMAND...: what fails or takes too long does not keep the rest from running
  local seconds=$1 log=$2
  shift 2
  timeout --kill-after=5 "$seconds" "$@" 2>&1 | tee "$folder/$log" || status=1
}

python3 -c "import jax; print(jax.devices()); assert jax.default_backend() == 'gpu', 'JAX sees no GPU'" || exit 1
run 90 gpu-tests.log python3 -m pytest -q -m gpu tests/divergences
run 280 gpu-benchmark.log python3 benchmarks/bench_gpu.py --folder "$folder" --seconds 270
run 90 gpu-accuracy.log python3 -m pytest -q -m "not gpu" tests/divergences/test_divergences.py tests/pairwise/test_accuracy.py
exit $status
