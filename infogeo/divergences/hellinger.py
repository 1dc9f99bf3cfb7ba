"""The squared Hellinger divergence: bounded, so that certainty in a wrong class costs at most one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from infogeo.divergences.base import UNIT, DoubleFloat32, Total, points_last, sum_of_products
from infogeo.divergences.many import ManyClasses, inner_products, sum_over_samples


@dataclass(frozen=True)
class Hellinger(DoubleFloat32):
    """d(p, q) = (1/N) sum_n (1 - BC_n), with BC_n = sum_c sqrt(p_n(c) q_n(c)), between 0 and 1.

    It is the squared Hellinger distance |sqrt(p) - sqrt(q)|^2 / 2, averaged over samples; for small distances
    d = ds^2 / 8 with ds the Fisher line element. As a squared Euclidean distance it has no time-like axes.

    Source: Quinn et al., PNAS 116 (2019) 13762, eq. 3 (there without the average over samples).
    """

    name = "Hellinger"
    fisher_factor = 1 / 8
    filler: ClassVar[float] = -math.inf  # no probability at all: BC = 0
    finite_at_certainty: ClassVar[bool] = True

    def features(self, n_classes: int) -> int:
        """The length of an encoded row."""
        return n_classes

    def encode(self, log_p: jax.Array) -> jax.Array:
        """sqrt(p)."""
        return points_last(_root(log_p))

    def block(self, total: Total, a: jax.Array, b: jax.Array) -> Total:
        """Plus -sum_n BC_n [P, Q] between square roots a [N, C, P] and b [N, C, Q].

        The ones that are missing here are K(p, p) / 2 and K(q, q) / 2, which the engine subtracts.
        """
        return self.plus(total, -sum_of_products(a, b))

    def block_of_many(self, total: Total, a: ManyClasses, b: ManyClasses) -> Total:
        """The same between P and Q points."""
        return self.plus(total, -sum_over_samples(a, b, lambda n: inner_products(a, b, n, _root, _root)))

    def rounding(self, n_classes: int) -> float:
        """Products and their sum lose C units, the difference and its sum a few more."""
        return (n_classes + 8) * UNIT


def _root(log_p: jax.Array) -> jax.Array:
    return jnp.exp(log_p / 2)
