"""The Bhattacharyya sums of a tile as one kernel for Hopper GPUs: no coefficient ever reaches device memory.

    BC_n(p, q) = sum_c a_nc b_nc,    a, b = sqrt of the probabilities, float32
    prod_n BC_n(p, q) = m 2^e,       m in [1, 2) float32, e integer: both stay in registers over all samples
    K(p, q) = -log m - e log 2       one logarithm per pair of points, when its tile is finished

Products. The matrix unit multiplies bfloat16 exactly and adds in float32. A float32 number is the exact sum of three
bfloat16 pieces, a = a0 + a1 + a2 with |a1| <= 2^-8 |a| and |a2| <= 2^-16 |a|, and BC is the sum of the six products
a_i b_j with i + j <= 2: one inner product of length 6 C, small products first. What is left out is at most 2^-23 BC;
the last addition, which the unit truncates, loses about another 2^-23. Together that is 4 units of roundoff, where
C products in float32 lose up to C. Source for the unit's arithmetic: Fasi et al., PeerJ CS 7 (2021) e330.

Range. Roots are scaled by 2^32 and 2^31, which puts coefficients between 2^-63 and 2^63. Two of them times m stay
normal float32 numbers, so exponents are split off after every second sample, whatever the confidence. The product of
mantissas loses one unit per sample.

Speed and accuracy on a GPU are not measured yet; `benchmarks/gpu.sh` does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import mosaic_gpu as gpu

from infogeo.divergences.base import FEW

SCALES = (32, 31)
"""Roots are multiplied by these powers of two: every piece of a root, and every product of two, is a normal number."""
BIAS = 127
"""What float32 adds to its exponents."""
TERMS = ((2, 0), (0, 2), (1, 1), (1, 0), (0, 1), (0, 0))
"""Which pieces are multiplied with which, small products first."""
DEPTH = 64
"""Inner products have a multiple of this length: 128 bytes of bfloat16, what the matrix unit reads at a time."""
WARPGROUPS = 2
"""Warpgroups that compute, each half of the rows; a third one fetches."""
SHARED_BYTES = 224 * 1024
"""Shared memory of a Hopper multiprocessor that one program may take, less what barriers need."""
MOST_CLASSES = FEW
"""Above, the pieces of two samples no longer fit in shared memory."""


@dataclass(frozen=True)
class Tiling:
    """Block sizes of the kernel.

    Attributes:
        rows, columns: points of a program's output tile; 128 rows, and columns a multiple of 64.
        samples: samples fetched together, 1 or 2; exponents are split off once for them.
        stages: fetches in flight.
        cluster: programs along rows and columns that fetch each block once, for all of them.
    """

    rows: int = 128
    columns: int = 128
    samples: int = 2
    stages: int = 3
    cluster: tuple[int, int] = (1, 1)

    def shared_bytes(self, depth: int) -> int:
        """Shared memory of one program."""
        return self.stages * self.samples * (self.rows + self.columns) * depth * 2


def default_tiling(n_classes: int) -> Tiling:
    """The tiling with the most in flight that fits; the order of preference is not measured yet."""
    choices = [
        Tiling(columns=columns, samples=samples, stages=stages)
        for columns, samples, stages in [(128, 2, 3), (128, 1, 3), (128, 1, 2), (64, 1, 2)]
    ]
    return next(choice for choice in choices if choice.shared_bytes(_depth(n_classes)) <= SHARED_BYTES)


def times_coefficients(
    total: Any, a: jax.Array, b: jax.Array, tiling: Tiling | None = None, interpret: Any = None
) -> Any:
    """The product [P, Q] times BC_n of all samples, as `Bhattacharyya.block` carries it on.

    Args:
        total: mantissas between 1/2 and 1, float32, and exponents, int32.
        a: square roots [N, C, P], float32 in [0, 1], at most MOST_CLASSES classes.
        b: square roots [N, C, Q].
        tiling: block sizes; by default what suits C.
        interpret: parameters of the interpreter of Mosaic GPU kernels, for machines without a GPU.
    """
    tiling = tiling or default_tiling(a.shape[1])
    rows, columns = tiling.rows * tiling.cluster[0], tiling.columns * tiling.cluster[1]
    left = _pieces(_filled(a, tiling.samples, rows), SCALES[0], [i for i, _ in TERMS])
    right = _pieces(_filled(b, tiling.samples, columns), SCALES[1], [j for _, j in TERMS])
    mantissas, exponents = _products(jnp.swapaxes(left, 1, 2), right, tiling, interpret)
    samples = left.shape[0]
    exponents -= samples // tiling.samples * BIAS + samples * sum(SCALES)
    mantissas = total[0] * mantissas[: a.shape[2], : b.shape[2]]
    above = mantissas >= 1
    return jnp.where(above, mantissas / 2, mantissas), total[1] + exponents[: a.shape[2], : b.shape[2]] + above


def _depth(n_classes: int) -> int:
    return -(-len(TERMS) * n_classes // DEPTH) * DEPTH


def _filled(roots: jax.Array, samples: int, points: int) -> jax.Array:
    """Roots [N, C, P] up to multiples of both, by rows that are certain of class 0: between them BC = 1."""
    shape = -(-roots.shape[0] // samples) * samples, roots.shape[1], -(-roots.shape[2] // points) * points
    if shape == roots.shape:
        return roots
    return jnp.zeros(shape).at[:, 0].set(1.0).at[: roots.shape[0], :, : roots.shape[2]].set(roots)


def _pieces(roots: jax.Array, scale: int, which: list[int]) -> jax.Array:
    """Roots [N, C, P] times 2^scale as bfloat16 pieces below each other [N, depth, P], zeros first."""
    rest = roots * 2.0**scale
    pieces = []
    for _ in range(3):
        # not a conversion there and back, which the compiler may take for superfluous
        piece = lax.reduce_precision(rest, exponent_bits=8, mantissa_bits=7)
        pieces.append(piece.astype(jnp.bfloat16))
        rest = rest - piece
    n_samples, n_classes, n_points = roots.shape
    zeros = jnp.zeros((n_samples, _depth(n_classes) - len(which) * n_classes, n_points), jnp.bfloat16)
    return jnp.concatenate([zeros, *(pieces[i] for i in which)], axis=1)


def _products(left: jax.Array, right: jax.Array, tiling: Tiling, interpret: Any) -> tuple[jax.Array, jax.Array]:
    """m float32 and e int32 [P, Q], of left [N, P, depth] and right [N, depth, Q]."""
    grid = left.shape[1] // tiling.rows, right.shape[2] // tiling.columns
    shape = left.shape[1], right.shape[2]
    return gpu.kernel(
        partial(_program, tiling=tiling),
        out_type=(jax.ShapeDtypeStruct(shape, jnp.float32), jax.ShapeDtypeStruct(shape, jnp.int32)),
        grid=tuple(blocks // together for blocks, together in zip(grid, tiling.cluster, strict=True)),
        grid_names=("rows", "columns"),
        cluster=tiling.cluster,
        cluster_names=("cluster_rows", "cluster_columns"),
        num_threads=WARPGROUPS + 1,
        thread_name="warpgroup",
        interpret=interpret,
    )(left, right)


def _program(left: Any, right: Any, mantissas: Any, exponents: Any, *, tiling: Tiling) -> None:
    """One output tile: the fetching warpgroup runs ahead through the samples, the others multiply."""
    row = lax.axis_index("rows") * tiling.cluster[0] + lax.axis_index("cluster_rows")
    column = lax.axis_index("columns") * tiling.cluster[1] + lax.axis_index("cluster_columns")
    height = tiling.rows // WARPGROUPS
    mine = lax.axis_index("warpgroup") * height

    def step(_: Any, a: Any, b: Any, carry: tuple[jax.Array, jax.Array]) -> Any:
        m, e = carry
        for n in range(tiling.samples):
            m = m * _coefficients(a.at[n, pl.ds(mine, height)], b.at[n], (height, tiling.columns))
        bits = lax.bitcast_convert_type(m, jnp.int32)
        e = e + lax.shift_right_logical(bits, jnp.int32(23))
        return lax.bitcast_convert_type((bits & 0x007FFFFF) | 0x3F800000, jnp.float32), e

    def compute(all_steps: Any) -> None:
        zero = pl.run_scoped(lambda sums: sums[...], gpu.WGMMAAccumulatorRef((height, tiling.columns)))
        m, e = all_steps((zero + 1.0, lax.bitcast_convert_type(zero, jnp.int32)))
        at = pl.ds(row * tiling.rows + mine, height), pl.ds(column * tiling.columns, tiling.columns)
        mantissas[at] = m
        exponents[at] = e

    n_samples, _, depth = left.shape
    shared = {"memory_space": gpu.SMEM, "transforms": (gpu.TilingTransform((8, 64)), gpu.SwizzleTransform(128))}
    gpu.emit_pipeline_warp_specialized(
        step,
        grid=(n_samples // tiling.samples,),
        in_specs=[
            gpu.BlockSpec(
                (tiling.samples, tiling.rows, depth),
                lambda n: (n, row, 0),
                collective_axes=("cluster_columns",) if tiling.cluster[1] > 1 else (),
                **shared,
            ),
            gpu.BlockSpec(
                (tiling.samples, depth, tiling.columns),
                lambda n: (n, 0, column),
                collective_axes=("cluster_rows",) if tiling.cluster[0] > 1 else (),
                **shared,
            ),
        ],
        max_concurrent_steps=tiling.stages,
        memory_registers=40,
        wg_axis="warpgroup",
        num_compute_wgs=WARPGROUPS,
        compute_context=compute,
    )(left, right)


def _coefficients(a: Any, b: Any, shape: tuple[int, int]) -> jax.Array:
    """The inner products of one sample, in registers."""

    def multiply(sums: Any) -> jax.Array:
        gpu.wgmma(sums, a, b)
        return sums[...]

    return pl.run_scoped(multiply, gpu.WGMMAAccumulatorRef(shape))
