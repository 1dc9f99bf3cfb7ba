"""The symmetric Kullback-Leibler divergence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from infogeo.divergences.base import UNIT, padded, points_last, sum_of_products


@dataclass(frozen=True)
class SymmetricKL:
    """d(p, q) = (1/N) sum_n [KL(p_n, q_n) + KL(q_n, p_n)] = (1/N) sum_n sum_c (p - q)(log p - log q), in nats.

    For small distances d = ds^2 with ds the Fisher line element. Infinite where one prediction gives zero to a
    class that the other allows; with the package's floor (log p >= -174) such a class counts up to 174 nats, and
    truth (one-hot) is left out of maps.

    Source: Teoh et al., Phys. Rev. Research 2 (2020) 033221.
    """

    name: ClassVar[str] = "symmetric Kullback-Leibler"
    fisher_factor: ClassVar[float] = 1.0
    filler: ClassVar[float] = -math.inf  # no probability at all: p log q = 0
    finite_at_certainty: ClassVar[bool] = False

    def features(self, n_classes: int) -> int:
        """The length of an encoded row."""
        return 2 * padded(n_classes)

    def encode(self, log_p: jax.Array) -> jax.Array:
        """p and log p + log C above each other [N, 2C, P]; relative to ignorance, sums near it do not cancel."""
        x = points_last(log_p, fill=-jnp.inf)
        relative = x + math.log(log_p.shape[2])
        return jnp.concatenate([jnp.exp(x), jnp.where(jnp.isneginf(x), 0.0, relative)], axis=1)

    def block(self, a: jax.Array, b: jax.Array) -> jax.Array:
        """-sum_n sum_c (p log q + q log p) [P, Q] between encodings a [N, 2C, P] and b [N, 2C, Q].

        The entropies that are missing here are K(p, p) / 2 and K(q, q) / 2, which the engine subtracts.
        """
        swapped = jnp.roll(b, b.shape[1] // 2, axis=1)  # log q beside p, q beside log p
        return -sum_of_products(a, swapped)

    def rounding(self, n_classes: int) -> float:
        """Cross-entropies near log C cancel; each loses C units and its sum a few more."""
        return (n_classes + 16) * UNIT * (1 + float(math.log(n_classes)))
