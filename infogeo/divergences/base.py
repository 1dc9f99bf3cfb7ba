"""What a divergence is: frozen hyper-parameters, an encoding of predictions, and the sum over a block of samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from infogeo.divergences.many import ManyClasses, added

Total = Any
"""A tree of arrays [P, Q]."""


class Divergence(Protocol):
    """A divergence d(p, q) = mean over samples of f(p_n, q_n), in nats; frozen and hashable.

    The engine sums K(p, q) over blocks of samples, from `start` by `block` to `finish`, and returns
    d(p, q) = (K(p, q) - K(p, p) / 2 - K(q, q) / 2) / N. In exact arithmetic K(p, p) is 0, or the part of d that
    belongs to p alone; in float32 it also holds the rounding of p itself, of its encoding and of the length of its
    rows, which the subtraction removes: equal predictions are at exactly zero.
    """

    @property
    def name(self) -> str:
        """The field's name with its parameters, for axis titles and provenance."""
        ...

    @property
    def fisher_factor(self) -> float | None:
        """d = fisher_factor * ds^2 for small distances, ds the Fisher line element; None where there is no limit."""
        ...

    filler: ClassVar[float]
    """Blocks are filled up with rows log p = (filler, -inf, ..., -inf), which add nothing between themselves."""

    @property
    def unit(self) -> float:
        """What the second array of `finish` counts."""
        ...

    finite_at_certainty: ClassVar[bool]
    """Whether a one-hot prediction is at finite distance from the interior of the simplex."""

    def features(self, n_classes: int) -> int:
        """F, the length of an encoded row."""
        ...

    def encode(self, log_p: jax.Array) -> jax.Array:
        """What `block` eats [N, F, P], points last, from log-probabilities [P, N, C] of up to FEW classes."""
        ...

    def start(self, height: int, width: int) -> Total:
        """K [P, Q] over no samples, as `block` carries it on: arrays [P, Q], more precise than float32."""
        ...

    def block(self, total: Total, a: jax.Array, b: jax.Array) -> Total:
        """The total after the samples of a block, between encodings a [N, F, P] and b [N, F, Q].

        N is a multiple of 16, or of 2 above 64 features, and at most MOST_SAMPLES.
        """
        ...

    def block_of_many(self, total: Total, a: ManyClasses, b: ManyClasses) -> Total:
        """The same for more classes; N is even."""
        ...

    def finish(self, total: Total) -> tuple[jax.Array, jax.Array]:
        """Two arrays [P, Q]: K is their sum, in float64, after the second is multiplied by `unit`."""
        ...

    def rounding(self, n_classes: int) -> float:
        """A bound on the rounding error of one sample's term of K where it cancels, at d = 0."""
        ...


FEW = 42
"""Up to so many classes predictions are encoded, points last, which fill registers; more are taken as they are."""
MOST_SAMPLES = 240
"""Of one block: products of so many mantissas between 1/2 and 1, and a pair more, are normal numbers of float32."""


class DoubleFloat32:
    """Totals in twice the precision of float32, on any device: a number and its remainder."""

    unit = 1.0

    def start(self, height: int, width: int) -> Total:
        """Zero."""
        zero = np.zeros((height, width), dtype=np.float32)
        return zero, zero

    @staticmethod
    def plus(total: Total, part: jax.Array) -> Total:
        """Without loss: the rounding of the sum goes to the remainder (Knuth's two-sum)."""
        large, small = total
        raised = large + part
        seen = raised - large
        return raised, small + ((large - (raised - seen)) + (part - seen))

    def finish(self, total: Total) -> tuple[jax.Array, jax.Array]:
        """The number and its remainder."""
        return total


UNIT = 2.0**-24
"""The unit roundoff of float32."""
LONGEST_SUM = 64
"""Terms that a matrix product adds up one after the other in float32; worst case LONGEST_SUM / 2 units.

Equal terms, as of a uniform prediction, all round the same way: longer sums would miss the stated accuracy.
"""


def points_last(rows: jax.Array) -> jax.Array:
    """[P, N, C] as [N, C, P]."""
    return jnp.transpose(rows, (1, 2, 0))


def sum_of_products(a: jax.Array, b: jax.Array) -> jax.Array:
    """sum_n <a_np, b_nq> [P, Q] of encodings a [N, F, P] and b [N, F, Q]: one long matrix product, in parts."""
    size = _longest_part(a.shape[0] * a.shape[1])

    def add_part(
        so_far: tuple[jax.Array, jax.Array], part: tuple[jax.Array, jax.Array]
    ) -> tuple[tuple[jax.Array, jax.Array], None]:
        return added(so_far, jnp.einsum("tp,tq->pq", *part, precision=lax.Precision.HIGHEST)), None

    zero = jnp.zeros((a.shape[2], b.shape[2]), dtype=jnp.float32)
    parts = a.reshape(-1, size, a.shape[2]), b.reshape(-1, size, b.shape[2])
    (total, excess), _ = lax.scan(add_part, (zero, zero), parts)
    return total - excess


def sum_over_rows(
    a: jax.Array, b: jax.Array, at_once: int, term: Callable[[jax.Array, jax.Array], jax.Array]
) -> jax.Array:
    """The sum [P, Q] of the terms of `at_once` samples each, of encodings a [N, F, P] and b [N, F, Q].

    Samples are fetched one step ahead: read where they are used, XLA's loops over points are not vectorised. One
    complex number carries the sum and its excess: for a second result XLA would compute the terms twice.
    """

    def samples(i: jax.Array | int) -> tuple[jax.Array, jax.Array]:
        x, y = (lax.dynamic_slice_in_dim(rows, i * at_once, at_once) for rows in (a, b))
        return x, y

    def step(i: jax.Array, carry: Any) -> Any:
        so_far, here = carry
        return carried(so_far, term(*here)), samples(i + 1)

    zero = jnp.zeros((a.shape[2], b.shape[2]), dtype=jnp.complex64)
    so_far, _ = lax.fori_loop(0, a.shape[0] // at_once, step, (zero, samples(0)))
    return lax.real(so_far) - lax.imag(so_far)


def carried(so_far: jax.Array, term: jax.Array) -> jax.Array:
    """A sum and its excess as one complex number, one term further."""
    return lax.complex(*added((lax.real(so_far), lax.imag(so_far)), term))


def _longest_part(terms: int) -> int:
    """The largest divisor that is no longer than LONGEST_SUM."""
    return max(size for size in range(1, LONGEST_SUM + 1) if terms % size == 0)
