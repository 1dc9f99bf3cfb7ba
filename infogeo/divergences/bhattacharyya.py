"""The Bhattacharyya divergence, with one logarithm per eight samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from infogeo.divergences.base import UNIT, in_groups, products, square_root_rows

GROUP = 8
"""Samples whose coefficients are multiplied before one logarithm."""
ROOT_HALF_BITS = 0x3F3504F3
"""The bits of sqrt(1/2): where a mantissa is cut, so that a coefficient near 1 has exponent 0."""
ROOT_SCALE = 30
"""Roots are multiplied by 2^30: terms of a coefficient then stay normal numbers down to the floor of log p."""
LOG_2 = float(np.log(2))


@dataclass(frozen=True)
class Bhattacharyya:
    """d(p, q) = -(1/N) sum_n log BC_n, with BC_n = sum_c sqrt(p_n(c) q_n(c)), in nats.

    For small distances d = ds^2 / 8 with ds the Fisher line element. It adds over independent samples and is no
    metric. Ignorance and truth are log(C) / 2 apart. Infinite between certainties in different classes; with the
    package's floor (log p >= -174) such a sample counts at most 87 nats.

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
        """-sum_n log BC_n [P, Q] between square roots a [N, P, C] and b [N, Q, C], at one logarithm per group.

        The exponent of each coefficient is split off and added as an integer; the mantissas, between sqrt(1/2)
        and sqrt(2), multiply to at most 2^(GROUP / 2) and share one logarithm. No confidence leaves the range.
        """

        def add_group(total: jax.Array, group: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
            bits = lax.bitcast_convert_type(products(*group), jnp.int32)
            exponents = (bits - ROOT_HALF_BITS) >> 23
            mantissas = lax.bitcast_convert_type(bits - (exponents << 23), jnp.float32)
            power = (exponents.sum(axis=0) - 2 * ROOT_SCALE * GROUP).astype(jnp.float32)
            return total - (jnp.log(jnp.prod(mantissas, axis=0)) + power * LOG_2), None

        scale = jnp.float32(2.0**ROOT_SCALE)
        groups = in_groups(a * scale, GROUP, self.filler * scale), in_groups(b * scale, GROUP, self.filler * scale)
        start = jnp.zeros((a.shape[1], b.shape[1]), dtype=jnp.float32)
        return lax.scan(add_group, start, groups)[0]

    def rounding(self, n_classes: int) -> float:
        """Products and their sum lose C units each, the grouped product and logarithm a few more."""
        return (n_classes + 2 * GROUP) * UNIT
