"""Products of coefficients over samples, so that a pair of points costs one logarithm and not one per sample.

    prod_n c_n = m 2^e,    m between 1/2 and 1, float32, e an integer

Coefficients c_n = sum_c x_nc y_nc lie between 2^-125.5 (the floor of log p) and 1. Their factors are scaled by powers
of two beforehand, so that the product of two coefficients is a normal float32; its exponent is split off and added up,
and mantissas are multiplied: up to MOST_PAIRS of them stay in range.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from infogeo.divergences.base import Total

SCALE_BITS = 31, 32
"""Powers of two: one factor of a coefficient is multiplied by 2^31 and the other by 2^32.

A coefficient between 2^-125.5, where the floor of log p puts it, and 1 becomes one between 2^-62.5 and 2^63. The
product of two then lies between 2^-125 and 2^126, and with the dither of many classes between 2^-126 and 2^127: a
normal number of float32, whatever the predictions.
"""
PAIR_BITS = 2 * sum(SCALE_BITS)
UNROLLED = 18
"""Up to so many classes the coefficients are sums written out, which the compiler keeps in registers."""
FEATURES_AT_ONCE = 20
"""Rows of one operand that the registers hold during such a sum."""
MOST_PAIRS = 120
"""Products of so many mantissas between 1/2 and 1, and a few more, are normal numbers of float32."""
EXPONENT_OF_HALF = 126
HALF, MANTISSA = 0x3F000000, 0x007FFFFF
"""The bits of the float32 number 1/2, and of the mantissa of any."""

Coefficients = list[jax.Array]
"""Scaled coefficients [P, Q], an even number of them."""


def no_product(height: int, width: int) -> Total:
    """The product of no coefficients: mantissas, and exponents as whole numbers, exact up to 2^31."""
    return np.ones((height, width), dtype=np.float32), np.zeros((height, width), dtype=np.int32)


def times_over_rows(
    total: Total, a: jax.Array, b: jax.Array, at_once: int, coefficients: Callable[[jax.Array, jax.Array], Coefficients]
) -> Total:
    """The total times the coefficients of all samples of encodings a [N, F, P] and b [N, F, Q].

    `coefficients` makes those of `at_once` samples. They are fetched one step ahead: read where they are used, XLA's
    loops over points are not vectorised.
    """

    def samples(i: jax.Array | int) -> tuple[jax.Array, jax.Array]:
        x, y = (lax.dynamic_slice_in_dim(rows, i * at_once, at_once) for rows in (a, b))
        return x, y

    def step(i: jax.Array, carry: Any) -> Any:
        product, here = carry
        return _times(product, coefficients(*here)), samples(i + 1)

    made = len(jax.eval_shape(coefficients, *samples(0)))
    for steps in _parts(a.shape[0] // at_once, made):
        product, _ = lax.fori_loop(steps.start, steps.stop, step, (_running(total), samples(steps.start)))
        total = _normalised(total, product, len(steps) * made)
    return total


def times_over_samples(total: Total, steps: int, coefficients: Callable[[jax.Array], Coefficients]) -> Total:
    """The total times the coefficients of steps 0 .. steps - 1."""
    made = len(jax.eval_shape(coefficients, 0))
    for part in _parts(steps, made):
        product = lax.fori_loop(
            part.start, part.stop, lambda i, product: _times(product, coefficients(i)), _running(total)
        )
        total = _normalised(total, product, len(part) * made)
    return total


def _parts(steps: int, made: int) -> list[range]:
    """Steps that make so many coefficients each, in parts of up to MOST_PAIRS pairs."""
    size = max(1, MOST_PAIRS // (made // 2))
    return [range(start, min(start + size, steps)) for start in range(0, steps, size)]


def inner_products_of_few(a: jax.Array, b: jax.Array) -> list[jax.Array]:
    """sum_c a_cp b_cq of each sample [P, Q], from factors a [n, C, P] and b [n, C, Q]."""
    if a.shape[1] > UNROLLED:
        return list(jnp.einsum("ncp,ncq->npq", a, b, precision=lax.Precision.HIGHEST))
    return [reduce(add, [x[:, None] * y for x, y in zip(p, q, strict=True)]) for p, q in zip(a, b, strict=True)]


def samples_at_once(n_features: int) -> int:
    """Samples in one step of the loop: a power of two, as many as the registers hold, at least a pair."""
    return next((size for size in (16, 8, 4) if size * n_features <= FEATURES_AT_ONCE), 2)


def _running(total: Total) -> jax.Array:
    """The product while a block is under way: mantissa + i exponent, where the exponent is that of the block alone.

    One complex number carries both: for a second result XLA would compute the coefficients twice.
    """
    mantissas, _ = total
    return lax.complex(mantissas, jnp.zeros_like(mantissas))


def _times(product: jax.Array, coefficients: Coefficients) -> jax.Array:
    """A product times scaled coefficients, two at a time."""
    mantissas, exponents = lax.real(product), lax.imag(product)
    for even, odd in zip(coefficients[::2], coefficients[1::2], strict=True):
        mantissa, exponent = _split(even * odd)
        mantissas, exponents = mantissas * mantissa, exponents + exponent
    return lax.complex(mantissas, exponents)


def _normalised(total: Total, product: jax.Array, n_coefficients: int) -> Total:
    """The total after a block, without the scale of its coefficients, and mantissas between 1/2 and 1 again."""
    mantissas, exponents = _split(lax.real(product))
    scale = n_coefficients // 2 * (EXPONENT_OF_HALF + PAIR_BITS) + EXPONENT_OF_HALF
    return mantissas, total[1] + (lax.imag(product) + exponents).astype(jnp.int32) - scale


def _split(numbers: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Mantissas between 1/2 and 1, and exponents with the bias of float32."""
    bits = lax.bitcast_convert_type(numbers, jnp.int32)
    return lax.bitcast_convert_type((bits & MANTISSA) | HALF, jnp.float32), (bits >> 23).astype(jnp.float32)
