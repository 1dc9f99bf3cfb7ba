"""The Bhattacharyya divergence, with one logarithm per eight samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from infogeo.divergences.base import UNIT, in_groups, products, square_root_rows

GROUP = 8
"""Samples whose coefficients are multiplied before one logarithm."""
ROOT_HALF_BITS = 0x3F3504F3
"""The bits of sqrt(1/2): where a mantissa is cut, so that a product near 1 has exponent 0."""


class _Range(NamedTuple):
    """How many coefficients multiply in float32 before their exponent is split off.

    Roots are scaled by 2^scale, so a coefficient between `smallest` and 1 lies between smallest 4^scale and
    4^scale, and the product of `factors` of them between 2^-120 and 2^120.
    """

    factors: int
    scale: int
    smallest: float


RANGES = (_Range(8, 7, 2.0**-29), _Range(4, 15, 2.0**-60), _Range(1, 30, 0.0))


@dataclass(frozen=True)
class Bhattacharyya:
    """d(p, q) = -(1/N) sum_n log BC_n, with BC_n = sum_c sqrt(p_n(c) q_n(c)), in nats.

    For small distances d = ds^2 / 8 with ds the Fisher line element. It adds over independent samples and is no
    metric. Ignorance and truth are log(C) / 2 apart. Infinite between certainties in different classes; with the
    package's floor (log p >= -174) such a sample counts 87 nats.

    Source: Mao et al., PNAS 121 (2024) e2310002121, eq. 2; Quinn et al., PNAS 116 (2019) 13762 for -8 log BC.
    """

    name: ClassVar[str] = "Bhattacharyya"
    fisher_factor: ClassVar[float] = 1 / 8
    filler: ClassVar[float] = 1.0  # certain of class 0: BC = 1, whose logarithm is 0
    finite_at_certainty: ClassVar[bool] = True

    def features(self, n_classes: int) -> int:
        """The length of an encoded row."""
        return n_classes

    def encode(self, log_p: NDArray[np.float32]) -> NDArray[np.float32]:
        """sqrt(p) with rows of unit length."""
        return square_root_rows(log_p)

    def block(self, a: jax.Array, b: jax.Array) -> jax.Array:
        """-sum_n log BC_n [P, Q] between square roots a [P, N, C] and b [Q, N, C], at one logarithm per group.

        Every coefficient is at least the smallest root of the block, because the other row's roots sum to at
        least 1. That bound decides how many coefficients multiply within range before their exponent is split
        off and added as an integer (`RANGES`); the mantissas of the whole group share one logarithm.
        """
        a, b = in_groups(a, GROUP, self.filler), in_groups(b, GROUP, self.filler)
        smallest = jnp.minimum(_smallest_positive(a), _smallest_positive(b))
        first_wide_enough = sum((smallest < r.smallest).astype(jnp.int32) for r in RANGES)
        return lax.switch(first_wide_enough, [partial(_minus_log, r) for r in RANGES], a, b)

    def rounding(self, n_classes: int) -> float:
        """Products and their sum lose C units each, the grouped product and logarithm a few more."""
        return (n_classes + 2 * GROUP) * UNIT


def _smallest_positive(a: jax.Array) -> jax.Array:
    return jnp.min(jnp.where(a > 0, a, 1.0))


def _minus_log(reach: _Range, a: jax.Array, b: jax.Array) -> jax.Array:
    """-log of the product of all coefficients [P, Q], from groups a [n, GROUP, P, C] and b [n, GROUP, Q, C]."""
    scale = jnp.float32(2.0**reach.scale)
    chunks = (GROUP // reach.factors, reach.factors)

    def add_group(
        total: tuple[jax.Array, jax.Array], group: tuple[jax.Array, jax.Array]
    ) -> tuple[tuple[jax.Array, jax.Array], None]:
        coefficients = products(*group)
        chunk_products = jnp.prod(coefficients.reshape(*chunks, *coefficients.shape[1:]), axis=1)
        bits = lax.bitcast_convert_type(chunk_products, jnp.int32)
        exponents = (bits - ROOT_HALF_BITS) >> 23
        mantissas = lax.bitcast_convert_type(bits - (exponents << 23), jnp.float32)
        logs, powers = total
        powers += exponents.sum(axis=0) - 2 * reach.scale * GROUP
        return (logs + jnp.log(jnp.prod(mantissas, axis=0)), powers), None

    shape = (a.shape[2], b.shape[2])
    start = (jnp.zeros(shape, dtype=jnp.float32), jnp.zeros(shape, dtype=jnp.int32))
    (logs, powers), _ = lax.scan(add_group, start, (a * scale, b * scale))
    return -(logs + powers.astype(jnp.float32) * jnp.float32(np.log(2)))
