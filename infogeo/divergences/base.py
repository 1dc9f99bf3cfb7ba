"""What a divergence is: frozen hyper-parameters, an encoding of predictions, and the sum over a block of samples."""

from __future__ import annotations

from typing import ClassVar, Protocol

import jax
import jax.numpy as jnp
from jax import lax


class Divergence(Protocol):
    """A divergence d(p, q) = mean over samples of f(p_n, q_n), in nats; frozen and hashable.

    The engine computes K(p, q) = sum over samples of `block` in float32, float64 across sample blocks, and returns
    d(p, q) = (K(p, q) - K(p, p) / 2 - K(q, q) / 2) / N. In exact arithmetic K(p, p) is 0, or the part of d that
    belongs to p alone; in float32 it also holds the rounding of p itself, of its encoding and of the length of its
    rows, which the subtraction removes: equal predictions are at exactly zero.
    """

    name: ClassVar[str]
    """The field's name, for axis titles and provenance."""
    fisher_factor: ClassVar[float]
    """d = fisher_factor * ds^2 for small distances, ds the Fisher line element."""
    filler: ClassVar[float]
    """Blocks are filled up with rows log p = (filler, -inf, ..., -inf), which add nothing between themselves."""
    finite_at_certainty: ClassVar[bool]
    """Whether a one-hot prediction is at finite distance from the interior of the simplex."""

    def features(self, n_classes: int) -> int:
        """F, the length of an encoded row."""
        ...

    def encode(self, log_p: jax.Array) -> jax.Array:
        """What `block` eats [N, F, P], points last, from log-probabilities [P, N, C]."""
        ...

    def block(self, a: jax.Array, b: jax.Array) -> jax.Array:
        """K [P, Q]: the sum over samples of f between encodings a [N, F, P] and b [N, F, Q].

        N is a multiple of 16, or of 2 above 64 features.
        """
        ...

    def rounding(self, n_classes: int) -> float:
        """A bound on the rounding error of one sample's term of K where it cancels, at d = 0."""
        ...


UNIT = 2.0**-24
"""The unit roundoff of float32."""
LONGEST_SUM = 64
"""Terms that a matrix product adds up one after the other in float32; worst case LONGEST_SUM / 2 units.

Equal terms, as of a uniform prediction, all round the same way: longer sums would miss the stated accuracy.
"""


def padded(n_classes: int) -> int:
    """The least number of features, C or more, that sums of at most LONGEST_SUM terms divide evenly."""
    parts = -(-n_classes // LONGEST_SUM)
    return parts * -(-n_classes // parts)


def points_last(rows: jax.Array, fill: float) -> jax.Array:
    """[P, N, C] as [N, F, P], filled up to F features: a block of samples is one matrix, points fill registers."""
    missing = padded(rows.shape[2]) - rows.shape[2]
    turned = jnp.transpose(rows, (1, 2, 0))
    return jnp.pad(turned, ((0, 0), (0, missing), (0, 0)), constant_values=fill) if missing else turned


def products(a: jax.Array, b: jax.Array) -> jax.Array:
    """Inner products over features [N, P, Q], of a [N, F, P] and b [N, F, Q], in sums of LONGEST_SUM terms.

    Full float32 on every device: accelerators would use fewer bits by default.
    """
    size = _longest_part(a.shape[1])

    def add_part(i: jax.Array, total: jax.Array) -> jax.Array:
        x, y = (lax.dynamic_slice_in_dim(operand, i * size, size, axis=1) for operand in (a, b))
        return total + jnp.einsum("nfp,nfq->npq", x, y, precision=lax.Precision.HIGHEST)

    zero = jnp.zeros((a.shape[0], a.shape[2], b.shape[2]), dtype=jnp.float32)
    return lax.fori_loop(0, a.shape[1] // size, add_part, zero)


def sum_of_products(a: jax.Array, b: jax.Array) -> jax.Array:
    """sum_n <a_np, b_nq> [P, Q] of encodings a [N, F, P] and b [N, F, Q]: one long matrix product.

    It is taken in parts that are added with Kahan's compensation: their sum is far larger than the differences
    that matter.
    """
    size = _longest_part(a.shape[0] * a.shape[1])

    def add_part(
        carry: tuple[jax.Array, jax.Array], part: tuple[jax.Array, jax.Array]
    ) -> tuple[tuple[jax.Array, jax.Array], None]:
        total, lost = carry
        term = jnp.einsum("tp,tq->pq", *part, precision=lax.Precision.HIGHEST) - lost
        raised = total + term
        return (raised, (raised - total) - term), None

    zero = jnp.zeros((a.shape[2], b.shape[2]), dtype=jnp.float32)
    parts = a.reshape(-1, size, a.shape[2]), b.reshape(-1, size, b.shape[2])
    (total, lost), _ = lax.scan(add_part, (zero, zero), parts)
    return total - lost


def _longest_part(terms: int) -> int:
    """The largest divisor that is no longer than LONGEST_SUM."""
    return max(size for size in range(1, LONGEST_SUM + 1) if terms % size == 0)
