"""The squared Fisher-Rao distance: the geodesic distance between predictions, sample by sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from infogeo.divergences.base import UNIT, DoubleFloat32, Total, points_last, sum_over_rows
from infogeo.divergences.many import ManyClasses, inner_products, sum_over_samples
from infogeo.divergences.products import inner_products_of_few

DEGREE = 9
"""Of the polynomial for arcsin(sqrt z)^2 / z: its error on [0, 1/2] is below 2^-25 (the next singularity is z = 1)."""
SAMPLES_AT_ONCE = 2


def _square_of_arcsine() -> list[float]:
    """Coefficients of arcsin(sqrt z)^2 / z on [0, 1/2], lowest power first."""
    polynomial = np.polynomial.Chebyshev.interpolate(
        lambda z: np.arcsin(np.sqrt(z)) ** 2 / z, DEGREE, domain=[0.0, 0.5]
    )
    return polynomial.convert(kind=np.polynomial.Polynomial).coef.tolist()


ARCSINE = _square_of_arcsine()


@dataclass(frozen=True)
class FisherRao(DoubleFloat32):
    """d(p, q) = (1/N) sum_n (2 arccos BC_n)^2, with BC_n = sum_c sqrt(p_n(c) q_n(c)), between 0 and pi^2.

    The squared length of the shortest path in the Fisher metric, exactly d = ds^2 at small distances; the square
    root of d is a metric, the Riemannian distance on a product of spheres of radius 2, divided by sqrt(N). Rounding
    stays within 2e-6 max(1, d): where Bhattacharyya is d / 8, an error of one coefficient counts 8 times.

    Source: Rao, Bull. Calcutta Math. Soc. 37 (1945) 81; Atkinson and Mitchell, Sankhya A 43 (1981) 345.
    """

    name = "squared Fisher-Rao"
    fisher_factor = 1.0
    filler: ClassVar[float] = 0.0  # certain of class 0: BC = 1, at distance 0
    finite_at_certainty: ClassVar[bool] = True

    def features(self, n_classes: int) -> int:
        """The length of an encoded row."""
        return n_classes

    def encode(self, log_p: jax.Array) -> jax.Array:
        """sqrt(p)."""
        return points_last(_root(log_p))

    def block(self, total: Total, a: jax.Array, b: jax.Array) -> Total:
        """Plus the sum of squared angles [P, Q] between square roots a [N, C, P] and b [N, C, Q]."""

        def angles(x: jax.Array, y: jax.Array) -> jax.Array:
            return reduce(add, map(squared_angle, inner_products_of_few(x, y)))

        return self.plus(total, sum_over_rows(a, b, SAMPLES_AT_ONCE, angles))

    def block_of_many(self, total: Total, a: ManyClasses, b: ManyClasses) -> Total:
        """The same between P and Q points."""

        def term(n: jax.Array) -> jax.Array:
            dither = jnp.float32(1) if a.dither is None else jnp.asarray(a.dither)[n]
            return squared_angle(inner_products(a, b, n, _root, _root) / dither) * dither

        return self.plus(total, sum_over_samples(a, b, term))

    def rounding(self, n_classes: int) -> float:
        """Coefficients lose C units and a few more, and d is 8 times what they differ from 1."""
        return 8 * (n_classes + 16) * UNIT


def squared_angle(coefficient: jax.Array) -> jax.Array:
    """(2 arccos BC)^2 = 16 arcsin(sqrt z)^2 with z = (1 - BC) / 2, smooth at BC = 1 and a little beyond it."""
    z = (1 - coefficient) / 2
    return 16 * z * reduce(lambda value, c: value * z + jnp.float32(c), reversed(ARCSINE), jnp.zeros_like(z))


def _root(log_p: jax.Array) -> jax.Array:
    return jnp.exp(log_p / 2)
