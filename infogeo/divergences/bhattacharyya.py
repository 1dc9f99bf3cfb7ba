"""The Bhattacharyya divergence, with one logarithm per block of samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from infogeo.divergences.base import UNIT, Total, points_last
from infogeo.divergences.many import ManyClasses, inner_products

SCALE_BITS = 31, 32
"""Powers of two: square roots are multiplied by 2^31 on one side and 2^32 on the other.

A coefficient between 2^-125.5, where the floor of log p puts it, and 1 becomes one between 2^-62.5 and 2^63. The
product of two then lies between 2^-125 and 2^126, and with the dither of many classes between 2^-126 and 2^127: a
normal number of float32, whatever the predictions.
"""
PAIR_BITS = 2 * sum(SCALE_BITS)
UNROLLED = 18
"""Up to so many classes the coefficients are sums written out, which the compiler keeps in registers."""
FEATURES_AT_ONCE = 20
"""Rows of one operand that the registers hold during such a sum."""
EXPONENT_OF_HALF = 126
HALF, MANTISSA = 0x3F000000, 0x007FFFFF
"""The bits of the float32 number 1/2, and of the mantissa of any."""


@dataclass(frozen=True)
class Bhattacharyya:
    """d(p, q) = -(1/N) sum_n log BC_n, with BC_n = sum_c sqrt(p_n(c) q_n(c)), in nats.

    For small distances d = ds^2 / 8 with ds the Fisher line element. It adds over independent samples and is no
    metric. Ignorance and truth are log(C) / 2 apart. Infinite between certainties in different classes; with the
    package's floor (log p >= -174) such a sample counts at most 87 nats.

    Attributes:
        fused: on Hopper GPUs, run the fused kernel of `pallas`; False is plain JAX everywhere, for comparison.

    Source: Mao et al., PNAS 121 (2024) e2310002121, eq. 2; Quinn et al., PNAS 116 (2019) 13762 for -8 log BC.
    """

    fused: bool = True

    name: ClassVar[str] = "Bhattacharyya"
    fisher_factor: ClassVar[float] = 1 / 8
    filler: ClassVar[float] = 0.0  # certain of class 0: BC = 1, whose logarithm is 0
    unit: ClassVar[float] = math.log(2)
    finite_at_certainty: ClassVar[bool] = True

    def features(self, n_classes: int) -> int:
        """The length of an encoded row."""
        return n_classes

    def encode(self, log_p: jax.Array) -> jax.Array:
        """sqrt(p); the length of its rows drops out with K(p, p)."""
        return points_last(jnp.exp(log_p / 2))

    def start(self, height: int, width: int) -> Total:
        """The product of no coefficients: mantissas, and exponents as whole numbers, exact up to 2^31."""
        return np.ones((height, width), dtype=np.float32), np.zeros((height, width), dtype=np.int32)

    def block(self, total: Total, a: jax.Array, b: jax.Array) -> Total:
        """Times prod_n BC_n [P, Q] between square roots a [N, C, P] and b [N, C, Q].

        Two coefficients are multiplied, the exponent of the product is split off and added as an integer, and the
        mantissas, between 1/2 and 1, are multiplied up: with at most MOST_SAMPLES they stay in range.
        """
        if self.fused and _on_hopper():
            from infogeo.divergences import pallas  # only where it runs: importing it takes a while

            return lax.platform_dependent(total, a, b, cuda=pallas.times_coefficients, default=_times_coefficients)
        return _times_coefficients(total, a, b)

    def block_of_many(self, total: Total, a: ManyClasses, b: ManyClasses) -> Total:
        """The same between P and Q points, and times the dither, for all pairs alike."""

        def coefficient(n: jax.Array) -> jax.Array:
            left, right = (lambda log_p, bits=bits: jnp.exp(log_p / 2) * 2.0**bits for bits in SCALE_BITS)
            return inner_products(a, b, n, left, right)

        def step(i: jax.Array, product: jax.Array) -> jax.Array:
            return _times(product, [coefficient(2 * i), coefficient(2 * i + 1)])

        n_samples = a.log_p.shape[1]
        return _normalised(total, lax.fori_loop(0, n_samples // 2, step, _running(total)), n_samples)

    def finish(self, total: Total) -> tuple[jax.Array, jax.Array]:
        """-log of the product: of its mantissa, here between 1 and 2, and minus its exponent, which counts log 2."""
        mantissas, exponents = total
        return -jnp.log(2 * mantissas), 1 - exponents

    def rounding(self, n_classes: int) -> float:
        """Products and their sum lose C units each, the product of mantissas and the logarithm a few more."""
        return (n_classes + 16) * UNIT


def _on_hopper() -> bool:
    """Whether JAX computes on a Hopper GPU, whose matrix unit the fused kernel programs."""
    device = jax.devices()[0]
    return device.platform == "gpu" and getattr(device, "compute_capability", "") == "9.0"


def _times_coefficients(total: Total, a: jax.Array, b: jax.Array) -> Total:
    """The product [P, Q] times BC_n of all samples, from square roots a [N, C, P] and b [N, C, Q]."""
    a, b = (x * jnp.float32(2.0**bits) for x, bits in zip((a, b), SCALE_BITS, strict=True))
    at_once = _samples_at_once(a.shape[1])

    def samples(i: jax.Array | int) -> tuple[jax.Array, jax.Array]:
        x, y = (lax.dynamic_slice_in_dim(roots, i * at_once, at_once) for roots in (a, b))
        return x, y

    def step(i: jax.Array, carry: Any) -> Any:
        product, here = carry
        return _times(product, _coefficients(*here)), samples(i + 1)

    # samples are fetched one step ahead: read where they are used, XLA's loops over points are not vectorised
    product, _ = lax.fori_loop(0, a.shape[0] // at_once, step, (_running(total), samples(0)))
    return _normalised(total, product, a.shape[0])


def _running(total: Total) -> jax.Array:
    """The product while a block is under way: mantissa + i exponent, where the exponent is that of the block alone.

    One complex number carries both: for a second result XLA would compute the coefficients twice.
    """
    mantissas, _ = total
    return lax.complex(mantissas, jnp.zeros_like(mantissas))


def _times(product: jax.Array, coefficients: list[jax.Array]) -> jax.Array:
    """A product times scaled coefficients, two at a time."""
    mantissas, exponents = lax.real(product), lax.imag(product)
    for even, odd in zip(coefficients[::2], coefficients[1::2], strict=True):
        mantissa, exponent = _split(even * odd)
        mantissas, exponents = mantissas * mantissa, exponents + exponent
    return lax.complex(mantissas, exponents)


def _normalised(total: Total, product: jax.Array, n_samples: int) -> Total:
    """The total after a block, without the scale of its coefficients, and mantissas between 1/2 and 1 again."""
    mantissas, exponents = _split(lax.real(product))
    scale = n_samples // 2 * (EXPONENT_OF_HALF + PAIR_BITS) + EXPONENT_OF_HALF
    return mantissas, total[1] + (lax.imag(product) + exponents).astype(jnp.int32) - scale


def _split(numbers: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Mantissas between 1/2 and 1, and exponents with the bias of float32."""
    bits = lax.bitcast_convert_type(numbers, jnp.int32)
    return lax.bitcast_convert_type((bits & MANTISSA) | HALF, jnp.float32), (bits >> 23).astype(jnp.float32)


def _samples_at_once(n_classes: int) -> int:
    """Samples in one step of the loop: a power of two, as many as the registers hold, at least a pair."""
    return next((size for size in (16, 8, 4) if size * n_classes <= FEATURES_AT_ONCE), 2)


def _coefficients(a: jax.Array, b: jax.Array) -> list[jax.Array]:
    """BC of each sample [P, Q], from square roots a [n, C, P] and b [n, C, Q]."""
    if a.shape[1] > UNROLLED:
        return list(jnp.einsum("ncp,ncq->npq", a, b, precision=lax.Precision.HIGHEST))
    return [reduce(add, [x[:, None] * y for x, y in zip(p, q, strict=True)]) for p, q in zip(a, b, strict=True)]
