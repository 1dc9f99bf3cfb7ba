"""The Jensen-Shannon divergence: bounded, and finite whatever the zeros."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from infogeo.divergences.base import UNIT, DoubleFloat32, Total, carried, points_last, sum_over_rows
from infogeo.divergences.many import ManyClasses, classes_of, dither_of_parts

UNROLLED = 18
"""Classes of one sample whose terms are written out, where there are many."""
SAMPLES_AT_ONCE = 2


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

        def entropies(x: jax.Array, y: jax.Array) -> jax.Array:
            return reduce(add, [_entropy(*halves) for halves in zip(x, y, strict=True)])

        return self.plus(total, sum_over_rows(a, b, SAMPLES_AT_ONCE, entropies))

    def block_of_many(self, total: Total, a: ManyClasses, b: ManyClasses) -> Total:
        """The same between P and Q points, a few classes at a time.

        Each few have a factor f of their own, so that equal terms do not all round the same way: in
        -sum_c fm log fm / f = -sum_c m log m - log f sum_c m the second sum is one of p and one of q, which drop out.
        """
        n_classes = a.log_p.shape[2]
        whole, rest = divmod(n_classes, UNROLLED)
        factors = dither_of_parts(whole + 1)

        def part(n: jax.Array | int, i: jax.Array | int, size: int) -> jax.Array:
            factor = factors[i] if a.dither is None else factors[i] * jnp.asarray(a.dither)[n]
            x, y = (_half(classes_of(operand, n, i * UNROLLED, size)).T * factor for operand in (a, b))
            return _entropy(x, y) / factor

        def step(i: jax.Array, so_far: jax.Array) -> jax.Array:
            return carried(so_far, part(i // whole, i % whole, UNROLLED))

        n_samples = a.log_p.shape[1]
        so_far = jnp.zeros((a.n_points, b.n_points), dtype=jnp.complex64)
        so_far = lax.fori_loop(0, n_samples * whole, step, so_far)
        if rest:
            so_far = lax.fori_loop(0, n_samples, lambda n, so_far: carried(so_far, part(n, whole, rest)), so_far)
        return self.plus(total, lax.real(so_far) - lax.imag(so_far))

    def rounding(self, n_classes: int) -> float:
        """Entropies near log C cancel; each loses C units and its sum a few more."""
        return (n_classes + 16) * UNIT * (1 + math.log(n_classes))


def _half(log_p: jax.Array) -> jax.Array:
    return jnp.exp(log_p) / 2


def _entropy(x: jax.Array, y: jax.Array) -> jax.Array:
    """-sum_c m log m [P, Q] with m = x + y, of halves x [C, P] and y [C, Q]."""
    terms = [times_log(p[:, None] + q) for p, q in zip(x, y, strict=True)]
    return -reduce(add, terms)


def times_log(m: jax.Array) -> jax.Array:
    """m log m, and 0 at 0, from the exponent k of m = 2^k (1 + u) and a polynomial in u, which lies in [-1/4, 1/2).

    The compiler's own logarithm takes twice as long; both are right to two units of float32.
    """
    m = jnp.maximum(m, TINY)
    bits = lax.bitcast_convert_type(m, jnp.int32)
    exponent = (bits - THREE_QUARTERS) >> 23
    u = lax.bitcast_convert_type(bits - (exponent << 23), jnp.float32) - 1
    slope = reduce(lambda value, c: value * u + jnp.float32(c), reversed(LOGARITHM), jnp.zeros_like(u))
    return m * (u * slope + exponent.astype(jnp.float32) * jnp.float32(math.log(2)))


TINY = 2.0**-126
"""The smallest normal float32: m log m of what lies below is less than 1e-35."""
THREE_QUARTERS = 0x3F400000
"""The bits of the float32 number 3/4."""
DEGREE = 9
"""Of the polynomial for log(1 + u) / u: its error on [-1/4, 1/2] is below 2^-25."""


def _slope_of_logarithm() -> list[float]:
    """Coefficients of log(1 + u) / u, lowest power first; none of the nodes is 0."""
    polynomial = np.polynomial.Chebyshev.interpolate(lambda u: np.log1p(u) / u, DEGREE, domain=[-0.25, 0.5])
    return polynomial.convert(kind=np.polynomial.Polynomial).coef.tolist()


LOGARITHM = _slope_of_logarithm()
