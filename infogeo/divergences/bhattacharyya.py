"""The Bhattacharyya divergence, with one logarithm per block of samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from infogeo.divergences.base import UNIT, padded, points_last, products

SCALE_BITS = 31, 32
"""Powers of two: square roots are multiplied by 2^31 on one side and 2^32 on the other.

A coefficient between 2^-125.5, where the floor of log p puts it, and 1 becomes one between 2^-62.5 and 2^63. The
product of two then lies between 2^-125 and 2^126: a normal number of float32, whatever the predictions.
"""
PAIR_BITS = 2 * sum(SCALE_BITS)
UNROLLED = 24
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
    finite_at_certainty: ClassVar[bool] = True

    def features(self, n_classes: int) -> int:
        """The length of an encoded row."""
        return padded(n_classes)

    def encode(self, log_p: jax.Array) -> jax.Array:
        """sqrt(p); the length of its rows drops out with K(p, p)."""
        return jnp.exp(points_last(log_p, fill=-jnp.inf) / 2)

    def block(self, a: jax.Array, b: jax.Array) -> jax.Array:
        """-sum_n log BC_n [P, Q] between square roots a [N, C, P] and b [N, C, Q], at one logarithm for all n.

        Two coefficients are multiplied, the exponent of the product is split off and added as an integer, and the
        mantissas, between 1/2 and 1, are multiplied up: with at most 240 samples they stay in range.
        """
        if self.fused and _on_hopper():
            from infogeo.divergences import pallas  # only where it runs: importing it takes a while

            if a.shape[1] <= pallas.MOST_CLASSES:
                return lax.platform_dependent(a, b, cuda=pallas.bhattacharyya, default=replace(self, fused=False).block)
        a, b = (x * jnp.float32(2.0**bits) for x, bits in zip((a, b), SCALE_BITS, strict=True))
        at_once = _samples_at_once(a.shape[1])

        def samples(i: jax.Array | int) -> tuple[jax.Array, jax.Array]:
            x, y = (lax.dynamic_slice_in_dim(roots, i * at_once, at_once) for roots in (a, b))
            return x, y

        def step(i: jax.Array, carry: Any) -> Any:
            product, here = carry
            return _multiplied(product, _coefficients(*here)), samples(i + 1)

        # samples are fetched one step ahead: read where they are used, XLA's loops over points are not vectorised
        one = lax.complex(jnp.ones((a.shape[2], b.shape[2])), jnp.zeros((a.shape[2], b.shape[2])))
        product, _ = lax.fori_loop(0, a.shape[0] // at_once, step, (one, samples(0)))
        powers = lax.imag(product) - a.shape[0] / 2 * (EXPONENT_OF_HALF + PAIR_BITS)
        return -(jnp.log(lax.real(product)) + powers * np.float32(np.log(2)))

    def rounding(self, n_classes: int) -> float:
        """Products and their sum lose C units each, the product of mantissas and the logarithm a few more."""
        return (n_classes + 16) * UNIT


def _on_hopper() -> bool:
    """Whether JAX computes on a Hopper GPU, whose matrix unit the fused kernel programs."""
    device = jax.devices()[0]
    return device.platform == "gpu" and getattr(device, "compute_capability", "") == "9.0"


def _multiplied(product: jax.Array, coefficients: list[jax.Array]) -> jax.Array:
    """A product [P, Q], mantissa + i exponent, times coefficients, two at a time.

    One complex number carries both: for a second result XLA would compute the coefficients twice.
    """
    mantissas, exponents = lax.real(product), lax.imag(product)
    for even, odd in zip(coefficients[::2], coefficients[1::2], strict=True):
        bits = lax.bitcast_convert_type(even * odd, jnp.int32)
        exponents = exponents + (bits >> 23).astype(jnp.float32)
        mantissas = mantissas * lax.bitcast_convert_type((bits & MANTISSA) | HALF, jnp.float32)
    return lax.complex(mantissas, exponents)


def _samples_at_once(n_classes: int) -> int:
    """Samples in one step of the loop: a power of two, as many as the registers hold, at least a pair."""
    return next((size for size in (16, 8, 4) if size * n_classes <= FEATURES_AT_ONCE), 2)


def _coefficients(a: jax.Array, b: jax.Array) -> list[jax.Array]:
    """BC of each sample [P, Q], from square roots a [n, C, P] and b [n, C, Q]."""
    if a.shape[1] > UNROLLED:
        return list(products(a, b))
    return [reduce(add, [x[:, None] * y for x, y in zip(p, q, strict=True)]) for p, q in zip(a, b, strict=True)]
