"""The fused kernel, interpreted on the CPU: the same numbers as plain JAX and float64, and code for every platform."""

import subprocess
import sys
from dataclasses import replace
from functools import partial
from itertools import cycle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import infogeo
from infogeo.divergences import bhattacharyya, pallas
from infogeo.divergences.many import ManyClasses
from tests.reference import divergences as reference
from tests.samples import log_softmax, random_log_probs

try:
    from jax.experimental.pallas.mosaic_gpu import InterpretGPUParams
except ImportError:  # JAX 0.10
    from jax._src.pallas.mosaic_gpu.interpret.params import InterpretGPUParams

UNIT = 2.0**-24
BUDGET = 5e-7
"""The stated accuracy on accelerators: |error| <= 5e-7 max(1, D)."""
PLAIN = infogeo.Bhattacharyya(fused=False)

on_gpu = pytest.mark.skipif(
    not bhattacharyya._on_hopper(), reason="needs a Hopper GPU that JAX can see; benchmarks/gpu.sh runs it there"
)


def sums(times_coefficients, a, b):
    """-sum_n log BC_n, float64, by something that multiplies coefficients up."""
    one = jax.tree.map(jnp.asarray, PLAIN.start(a.shape[2], b.shape[2]))
    large, small = (np.asarray(x, dtype=np.float64) for x in PLAIN.finish(jax.jit(times_coefficients)(one, a, b)))
    return large + small * PLAIN.unit


def fused(a, b, tiling=None):
    return sums(partial(pallas.times_coefficients, tiling=tiling, interpret=InterpretGPUParams()), a, b)


def of_every_confidence(seed, points, samples, classes):
    """From near ignorance to certainties at the floor, in turn."""
    return np.concatenate(
        [
            np.maximum(random_log_probs(seed + i, 1, samples, classes, confidence), -174)
            for i, confidence in zip(range(points), cycle([0.001, 3.0, 0.3, 60.0, 12.0]), strict=False)
        ]
    )


def roots(log_probs):
    """[N, C, P], as the engine hands them to the kernel."""
    return PLAIN.encode(jnp.asarray(log_probs, dtype=jnp.float32))


def exact(a, b):
    """The same sums in float64, from the same float32 roots."""
    return -np.log(np.einsum("ncp,ncq->npq", np.float64(a), np.float64(b))).sum(axis=0)


def share_of_tolerance(measured, expected, n_samples):
    """Products lose 4 units, the chain of mantissas 1, per sample; exponents times log 2 lose 2 units of their sum."""
    return (np.abs(measured - expected) / (5 * UNIT * n_samples + 2 * UNIT * np.abs(expected))).max()


def distances(log_probs, sums_of):
    """D [P, P] as the engine makes it from sums with each other and with themselves."""
    k = sums_of(roots(log_probs), roots(log_probs))
    return (k - np.diag(k)[:, None] / 2 - np.diag(k) / 2) / log_probs.shape[1]


@pytest.mark.parametrize("shape", [(16, 130, 70, 10), (16, 5, 3, 2), (16, 9, 20, 33)])
def test_blocks_of_any_size_agree_with_float64_and_with_plain_jax(shape):
    n_samples, rows, columns, classes = shape
    log_probs = of_every_confidence(0, rows + columns, n_samples, classes)
    a, b = roots(log_probs[:rows]), roots(log_probs[rows:])
    measured = fused(a, b)
    assert measured.shape == (rows, columns)
    assert share_of_tolerance(measured, exact(a, b), n_samples) <= 1
    plain = sums(PLAIN.block, a, b)
    assert np.abs(measured - plain).max() <= (PLAIN.rounding(classes) + 5 * UNIT) * n_samples * max(1, plain.max())


@pytest.mark.parametrize("samples", [1, 2])
def test_an_odd_number_of_samples_is_filled_up_by_pairs_at_zero(samples):
    log_probs = random_log_probs(1, 12, 5, 4)
    a, b = roots(log_probs[:8]), roots(log_probs[8:])
    measured = fused(a, b, pallas.Tiling(samples=samples, stages=2))
    assert share_of_tolerance(measured, exact(a, b), 5) <= 1


@pytest.mark.skipif(jax.__version_info__ < (0, 11), reason="JAX 0.10 does not interpret clusters")
@pytest.mark.parametrize("cluster", [(1, 2), (2, 2)])
def test_programs_that_share_what_they_fetch_give_the_same_bits(cluster):
    log_probs = of_every_confidence(7, 12, 6, 10)
    a, b = roots(log_probs[:5]), roots(log_probs[5:])
    assert (fused(a, b, pallas.Tiling(cluster=cluster)) == fused(a, b)).all()


def test_certain_and_uniform_predictions_agree_with_the_definition():
    classes, n_samples = 10, 32
    certain = [np.where(np.arange(classes) == k, 0.0, smallest) for smallest in (np.log(1e-30), -174.0) for k in (0, 1)]
    rows = [*certain, np.zeros(classes), np.linspace(0, -174, classes)]
    log_probs = np.maximum(log_softmax(np.tile(np.array(rows)[:, None], (1, n_samples, 1))), -174.0)
    expected = reference.matrix(reference.bhattacharyya, log_probs)
    error = np.abs(distances(log_probs, fused) - expected) / np.maximum(1, expected)
    assert error.max() <= BUDGET


def test_one_hot_filler_is_at_zero_from_itself():
    filler = jnp.zeros((16, 10, 3)).at[:, 0].set(1.0)
    assert (fused(filler, filler) == 0).all()


def test_distances_agree_with_the_definition_within_the_budget():
    log_probs = of_every_confidence(2, 10, 48, 10)
    expected = reference.matrix(reference.bhattacharyya, log_probs)
    error = np.abs(distances(log_probs, fused) - expected) / np.maximum(1, expected)
    assert error.max() <= BUDGET


def test_three_bfloat16_pieces_are_a_float32_number_exactly():
    rng = np.random.default_rng(3)
    numbers = np.exp(-87 * rng.random((2, 1, 500))).astype(np.float32)
    pieces = pallas._pieces(jnp.asarray(numbers), 31, [0, 1, 2])[:, -3:]
    assert pieces.dtype == jnp.bfloat16
    assert (np.float64(pieces).sum(axis=1) == np.float64(numbers[:, 0]) * 2.0**31).all()


def test_the_default_tiling_fits_shared_memory_for_every_number_of_classes():
    for classes in range(2, pallas.MOST_CLASSES + 1):
        depth = pallas._depth(classes)
        assert len(pallas.TERMS) * classes <= depth < len(pallas.TERMS) * classes + pallas.DEPTH
        assert pallas.default_tiling(classes).shared_bytes(depth) <= pallas.SHARED_BYTES


def lowered(function, platform, features=10, divergence=PLAIN):
    operand = jax.ShapeDtypeStruct((192, features, 512), jnp.float32)
    total = jax.eval_shape(lambda: jax.tree.map(jnp.asarray, divergence.start(512, 512)))
    return jax.export.export(jax.jit(function), platforms=[platform])(total, operand, operand).mlir_module()


@pytest.mark.parametrize(("classes", "cluster"), [(2, (1, 1)), (10, (1, 1)), (10, (2, 2)), (33, (1, 2))])
def test_the_kernel_lowers_for_cuda_without_a_gpu(classes, cluster):
    tiling = replace(pallas.default_tiling(classes), cluster=cluster)
    module = lowered(partial(pallas.times_coefficients, tiling=tiling), "cuda", classes)
    assert "mosaic_gpu" in module


def test_the_block_is_the_kernel_on_a_hopper_gpu_and_plain_jax_elsewhere(monkeypatch):
    monkeypatch.setattr(bhattacharyya, "_on_hopper", lambda: True)
    divergence = infogeo.Bhattacharyya()
    assert "mosaic_gpu" in lowered(divergence.block, "cuda")
    assert "mosaic_gpu" not in lowered(replace(divergence, fused=False).block, "cuda")
    assert "mosaic_gpu" not in lowered(divergence.block, "cpu")


@pytest.mark.parametrize("divergence", [PLAIN, infogeo.Hellinger(), infogeo.SymmetricKL()])
def test_plain_jax_lowers_for_tpu_with_static_shapes_and_no_float64(divergence):
    block = lowered(divergence.block, "tpu", divergence.features(10), divergence)
    log_probs = jax.ShapeDtypeStruct((512, 192, 10), jnp.float32)
    encode = jax.export.export(jax.jit(divergence.encode), platforms=["tpu"])(log_probs).mlir_module()
    many = ManyClasses(jax.ShapeDtypeStruct((512, 8, 3000), jnp.float32), jax.ShapeDtypeStruct((8,), jnp.float32))
    total = jax.eval_shape(lambda: jax.tree.map(jnp.asarray, divergence.start(512, 512)))
    of_many = jax.export.export(jax.jit(divergence.block_of_many), platforms=["tpu"])(total, many, many).mlir_module()
    for module in (block, encode, of_many):
        assert "f64" not in module
        assert "tensor<?" not in module


def test_divergences_and_pairwise_need_nothing_beyond_jax_numpy_and_scipy():
    """A machine with a GPU may have no more: benchmarks/gpu.sh runs there."""
    others = ["zarr", "typer", "rich", "plotly", "sklearn", "jinja2", "optax"]
    code = f"import sys, infogeo.divergences.pallas, infogeo.pairwise; print([m for m in {others} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.gpu
@on_gpu
@pytest.mark.parametrize("classes", [2, 10, 33])
def test_on_a_gpu_distances_are_within_the_budget(classes):
    log_probs = of_every_confidence(4, 150, 960, classes)
    measured = distances(log_probs, partial(sums, infogeo.Bhattacharyya().block))
    root = np.exp(np.float64(log_probs) / 2)
    root /= np.linalg.norm(root, axis=-1, keepdims=True)
    expected = exact(*[root.transpose(1, 2, 0)] * 2) / 960
    assert (np.abs(measured - expected) / np.maximum(1, expected)).max() <= BUDGET


@pytest.mark.gpu
@on_gpu
@pytest.mark.parametrize("cluster", [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_on_a_gpu_every_cluster_gives_the_same_bits(cluster):
    log_probs = random_log_probs(5, 700, 96, 10)
    a, b = roots(log_probs[:300]), roots(log_probs[300:])
    one = jax.tree.map(jnp.asarray, PLAIN.start(300, 400))
    expected = pallas.times_coefficients(one, a, b)
    tiling = replace(pallas.default_tiling(10), cluster=cluster)
    for found, same in zip(pallas.times_coefficients(one, a, b, tiling), expected, strict=True):
        assert jnp.array_equal(found, same)


@pytest.mark.gpu
@on_gpu
def test_on_a_gpu_the_public_call_agrees_with_plain_jax():
    predictions = infogeo.Predictions.from_arrays({"a": random_log_probs(6, 300, 500, 10)}, kind="log-probabilities")
    measured = infogeo.pairwise_divergence(predictions, infogeo.Bhattacharyya()).to_numpy()
    plain = infogeo.pairwise_divergence(predictions, PLAIN).to_numpy()
    assert (np.abs(measured - plain) / np.maximum(1, plain)).max() <= 2 * BUDGET
