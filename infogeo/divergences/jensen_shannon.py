"""The Jensen-Shannon divergence: bounded, and finite whatever the zeros."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from infogeo.divergences.base import UNIT, DoubleFloat32, Total, points_last
from infogeo.divergences.many import ManyClasses, added, classes_of

UNROLLED = 18
"""Up to so many classes the sum over classes is written out."""


@dataclass(frozen=True)
class JensenShannon(DoubleFloat32):
    """d(p, q) = (1/N) sum_n [KL(p_n, m_n) + KL(q_n, m_n)] / 2, m = (p + q) / 2, in nats, between 0 and log 2.

    It is the entropy of the mixture less the mean of the entropies. For small distances d = ds^2 / 8 with ds the
    Fisher line element; its square root is a metric, and as a squared Euclidean distance it has no time-like axes.
    No matrix product: one logarithm for each class of each sample of each pair.

    Source: Lin, IEEE Trans. Inf. Theory 37 (1991) 145; Fuglede and Topsoe, ISIT (2004) 31 for the embedding.
    """

    name = "Jensen-Shannon"
    fisher_factor = 1 / 8
    filler: ClassVar[float] = -math.inf  # no probability at all, and so no entropy
    finite_at_certainty: ClassVar[bool] = True

    def features(self, n_classes: int) -> int:
        """The length of an encoded row."""
        return n_classes

    def encode(self, log_p: jax.Array) -> jax.Array:
        """p / 2."""
        return points_last(_half(log_p))

    def block(self, total: Total, a: jax.Array, b: jax.Array) -> Total:
        """Plus the entropy of the mixture, summed over samples [P, Q], of halves a [N, C, P] and b [N, C, Q].

        The entropies that are missing here are K(p, p) / 2 and K(q, q) / 2, which the engine subtracts.
        """

        def step(n: jax.Array, so_far: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            x, y = (lax.dynamic_index_in_dim(halves, n, keepdims=False) for halves in (a, b))
            return added(so_far, _entropy(x, y))

        zero = jnp.zeros((a.shape[2], b.shape[2]), dtype=jnp.float32)
        entropy, excess = lax.fori_loop(0, a.shape[0], step, (zero, zero))
        return self.plus(total, entropy - excess)

    def block_of_many(self, total: Total, a: ManyClasses, b: ManyClasses) -> Total:
        """The same between P and Q points, a few classes at a time."""
        n_classes = a.log_p.shape[2]
        whole, rest = divmod(n_classes, UNROLLED)

        def part(n: jax.Array | int, first: jax.Array | int, size: int) -> jax.Array:
            return _entropy(*(_half(classes_of(operand, n, first, size)).T for operand in (a, b)))

        def step(i: jax.Array, so_far: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            return added(so_far, part(i // whole, i % whole * UNROLLED, UNROLLED))

        zero = jnp.zeros((a.n_points, b.n_points), dtype=jnp.float32)
        so_far = lax.fori_loop(0, a.log_p.shape[1] * whole, step, (zero, zero))
        if rest:
            last = whole * UNROLLED
            so_far = lax.fori_loop(0, a.log_p.shape[1], lambda n, so_far: added(so_far, part(n, last, rest)), so_far)
        entropy, excess = so_far
        return self.plus(total, entropy - excess)

    def rounding(self, n_classes: int) -> float:
        """Entropies near log C cancel; each loses C units and its sum a few more."""
        return (n_classes + 16) * UNIT * (1 + math.log(n_classes))


def _half(log_p: jax.Array) -> jax.Array:
    return jnp.exp(log_p) / 2


def _entropy(x: jax.Array, y: jax.Array) -> jax.Array:
    """-sum_c m log m [P, Q] with m = x + y, of halves x [C, P] and y [C, Q]."""

    def term(x: jax.Array, y: jax.Array) -> jax.Array:
        m = x[..., :, None] + y[..., None, :]
        return m * jnp.log(jnp.maximum(m, TINY))

    if x.shape[0] <= UNROLLED:
        return -reduce(add, [term(*row) for row in zip(x, y, strict=True)])

    def step(c: jax.Array, so_far: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        return added(so_far, term(x[c], y[c]))

    zero = jnp.zeros((x.shape[1], y.shape[1]), dtype=jnp.float32)
    total, excess = lax.fori_loop(0, x.shape[0], step, (zero, zero))
    return excess - total


TINY = 2.0**-126
"""The smallest normal float32: m log m of what lies below is less than 1e-35."""
