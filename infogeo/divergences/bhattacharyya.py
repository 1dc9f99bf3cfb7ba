"""The Bhattacharyya divergence, with one logarithm per block of samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from infogeo.divergences.base import UNIT, Total, points_last
from infogeo.divergences.many import ManyClasses, inner_products
from infogeo.divergences.products import (
    SCALE_BITS,
    inner_products_of_few,
    no_product,
    samples_at_once,
    times_over_rows,
    times_over_samples,
)


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

    name = "Bhattacharyya"
    fisher_factor = 1 / 8
    filler: ClassVar[float] = 0.0  # certain of class 0: BC = 1, whose logarithm is 0
    unit = math.log(2)
    finite_at_certainty: ClassVar[bool] = True

    def features(self, n_classes: int) -> int:
        """The length of an encoded row."""
        return n_classes

    def encode(self, log_p: jax.Array) -> jax.Array:
        """sqrt(p); the length of its rows drops out with K(p, p)."""
        return points_last(jnp.exp(log_p / 2))

    def start(self, height: int, width: int) -> Total:
        """The product of no coefficients."""
        return no_product(height, width)

    def block(self, total: Total, a: jax.Array, b: jax.Array) -> Total:
        """Times prod_n BC_n [P, Q] between square roots a [N, C, P] and b [N, C, Q]."""
        if self.fused and _on_hopper():
            from infogeo.divergences import pallas  # only where it runs: importing it takes a while

            return lax.platform_dependent(total, a, b, cuda=pallas.times_coefficients, default=_times_coefficients)
        return _times_coefficients(total, a, b)

    def block_of_many(self, total: Total, a: ManyClasses, b: ManyClasses) -> Total:
        """The same between P and Q points, and times the dither, for all pairs alike."""

        def coefficient(n: jax.Array) -> jax.Array:
            left, right = (lambda log_p, bits=bits: jnp.exp(log_p / 2) * 2.0**bits for bits in SCALE_BITS)
            return inner_products(a, b, n, left, right)

        return times_over_samples(total, a.log_p.shape[1] // 2, lambda i: [coefficient(2 * i), coefficient(2 * i + 1)])

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
    return times_over_rows(total, a, b, samples_at_once(a.shape[1]), inner_products_of_few)
