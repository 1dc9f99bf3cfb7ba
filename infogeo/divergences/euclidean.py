"""Squared Euclidean distance between probabilities: no divergence of information, for comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from infogeo.divergences.base import UNIT, DoubleFloat32, Total, points_last, sum_of_products
from infogeo.divergences.many import ManyClasses, inner_products, sum_over_samples


@dataclass(frozen=True)
class Euclidean(DoubleFloat32):
    """d(p, q) = (1/N) sum_n sum_c (p_n(c) - q_n(c))^2, between 0 and 2; InPCA of it is PCA of the probabilities.

    It has no Fisher limit, does not depend on how surprising a change is, and may grow when classes are merged: it
    stands here to be compared with.
    """

    name = "squared Euclidean"
    fisher_factor = None
    filler: ClassVar[float] = -math.inf  # no probability at all
    finite_at_certainty: ClassVar[bool] = True

    def features(self, n_classes: int) -> int:
        """The length of an encoded row."""
        return n_classes

    def encode(self, log_p: jax.Array) -> jax.Array:
        """p."""
        return points_last(jnp.exp(log_p))

    def block(self, total: Total, a: jax.Array, b: jax.Array) -> Total:
        """Plus -2 sum_n sum_c p q [P, Q]; the squares are K(p, p) / 2 and K(q, q) / 2, which the engine subtracts."""
        return self.plus(total, -2 * sum_of_products(a, b))

    def block_of_many(self, total: Total, a: ManyClasses, b: ManyClasses) -> Total:
        """The same between P and Q points."""
        return self.plus(total, -2 * sum_over_samples(a, b, lambda n: inner_products(a, b, n, jnp.exp, jnp.exp)))

    def rounding(self, n_classes: int) -> float:
        """Products and their sum lose C units, the difference and its sum a few more; twice."""
        return 2 * (n_classes + 8) * UNIT
