"""The symmetric Kullback-Leibler divergence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import jax
import jax.numpy as jnp

from infogeo.divergences.base import UNIT, DoubleFloat32, Total, points_last, sum_of_products
from infogeo.divergences.many import ManyClasses, inner_products, sum_over_samples


@dataclass(frozen=True)
class SymmetricKL(DoubleFloat32):
    """d(p, q) = (1/N) sum_n [KL(p_n, q_n) + KL(q_n, p_n)] = (1/N) sum_n sum_c (p - q)(log p - log q), in nats.

    For small distances d = ds^2 with ds the Fisher line element. Infinite where one prediction gives zero to a
    class that the other allows; with the package's floor (log p >= -174) such a class counts up to 174 nats, and
    truth (one-hot) is left out of maps.

    Source: Teoh et al., Phys. Rev. Research 2 (2020) 033221.
    """

    name = "symmetric Kullback-Leibler"
    fisher_factor = 1.0
    filler: ClassVar[float] = -math.inf  # no probability at all: p log q = 0
    finite_at_certainty: ClassVar[bool] = False

    def features(self, n_classes: int) -> int:
        """The length of an encoded row."""
        return 2 * n_classes

    def encode(self, log_p: jax.Array) -> jax.Array:
        """p and log p + log C above each other [N, 2C, P]."""
        n_classes = log_p.shape[2]
        return points_last(jnp.concatenate([jnp.exp(log_p), _relative(log_p, n_classes)], axis=2))

    def block(self, total: Total, a: jax.Array, b: jax.Array) -> Total:
        """Plus -sum_n sum_c (p log q + q log p) [P, Q] between encodings a [N, 2C, P] and b [N, 2C, Q].

        Logarithms are relative to ignorance: near it nothing cancels. The entropies that are missing here are
        K(p, p) / 2 and K(q, q) / 2, which the engine subtracts.
        """
        swapped = jnp.roll(b, b.shape[1] // 2, axis=1)  # log q beside p, q beside log p
        return self.plus(total, -sum_of_products(a, swapped))

    def block_of_many(self, total: Total, a: ManyClasses, b: ManyClasses) -> Total:
        """The same between P and Q points."""
        log = partial(_relative, n_classes=a.log_p.shape[2])

        def cross_entropies(n: jax.Array) -> jax.Array:
            return inner_products(a, b, n, jnp.exp, log) + inner_products(a, b, n, log, jnp.exp)

        return self.plus(total, -sum_over_samples(a, b, cross_entropies))

    def rounding(self, n_classes: int) -> float:
        """Cross-entropies near log C cancel; each loses C units and its sum a few more."""
        return (n_classes + 16) * UNIT * (1 + float(math.log(n_classes)))


def _relative(log_p: jax.Array, n_classes: int) -> jax.Array:
    """log p + log C; zero where there is no probability at all."""
    return jnp.where(jnp.isneginf(log_p), 0.0, log_p + math.log(n_classes))
