"""What a divergence is: frozen hyper-parameters, an encoding of predictions, and the sum over a block of samples."""

from __future__ import annotations

from typing import ClassVar, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray


class Divergence(Protocol):
    """A divergence d(p, q) = mean over samples of f(p_n, q_n), in nats; frozen and hashable.

    The engine computes K(p, q) = sum over samples of `block` in float32, float64 across sample blocks, and returns
    d(p, q) = (K(p, q) - K(p, p) / 2 - K(q, q) / 2) / N. In exact arithmetic K(p, p) = 0; in float32 it holds the
    rounding of p itself, which the subtraction removes, so that equal predictions are at exactly zero.
    """

    name: ClassVar[str]
    """The field's name, for axis titles and provenance."""
    fisher_factor: ClassVar[float]
    """d = fisher_factor * ds^2 for small distances, ds the Fisher line element."""
    filler: ClassVar[float]
    """Filling up a block takes rows (filler, 0, ..., 0): between them `block` adds exactly nothing."""
    finite_at_certainty: ClassVar[bool]
    """Whether a one-hot prediction is at finite distance from the interior of the simplex."""

    def features(self, n_classes: int) -> int:
        """F, the length of an encoded row."""
        ...

    def encode(self, log_p: NDArray[np.float32]) -> NDArray[np.float32]:
        """What `block` eats [P, N, F], from log-probabilities [P, N, C]; float64 arithmetic on the host."""
        ...

    def block(self, a: jax.Array, b: jax.Array) -> jax.Array:
        """K [P, Q]: the sum over samples of f between encodings a [N, P, F] and b [N, Q, F], samples first."""
        ...

    def rounding(self, n_classes: int) -> float:
        """A bound on the rounding error of one sample's term of K where it cancels, at d = 0."""
        ...


UNIT = 2.0**-24
"""The unit roundoff of float32."""
LONGEST_SUM = 64
"""Terms that a matrix product adds up one after the other in float32; worst case LONGEST_SUM / 2 units."""


def square_root_rows(log_p: NDArray[np.float32]) -> NDArray[np.float32]:
    """sqrt(p) [P, N, C] with rows of unit length: normalised in float64, then rounded to float32."""
    root = np.exp(log_p * np.float64(0.5))
    root *= 1 / np.sqrt(np.einsum("pnc,pnc->pn", root, root))[..., None]
    return root.astype(np.float32)


def in_groups(a: jax.Array, size: int, filler: float | jax.Array) -> jax.Array:
    """Encodings [N, P, F] as groups of samples [N / size, size, P, F], filled up with rows (filler, 0, ..., 0)."""
    missing = -a.shape[0] % size
    if missing:
        rows = jnp.zeros((missing, *a.shape[1:]), a.dtype).at[..., 0].set(filler)
        a = jnp.concatenate([a, rows])
    return a.reshape(-1, size, *a.shape[1:])


def products(a: jax.Array, b: jax.Array) -> jax.Array:
    """Inner products <a_np, b_nq> [G, P, Q] over features, of a [G, P, F] and b [G, Q, F].

    Sums of more than LONGEST_SUM terms are taken in parts: equal terms, as of a uniform prediction, all round
    the same way. Full float32 on every device: accelerators would use fewer bits by default.
    """
    features = a.shape[-1]
    total = None
    for start in range(0, features, LONGEST_SUM):
        part = slice(start, start + LONGEST_SUM)
        product = jnp.einsum("gpf,gqf->gpq", a[..., part], b[..., part], precision=lax.Precision.HIGHEST)
        total = product if total is None else total + product
    return jnp.zeros((a.shape[0], a.shape[1], b.shape[1]), a.dtype) if total is None else total


def sum_of_products(a: jax.Array, b: jax.Array) -> jax.Array:
    """sum_n <a_np, b_nq> [P, Q] of encodings a [N, P, F] and b [N, Q, F].

    Groups are added with Kahan's compensation: their sum is far larger than the differences that matter.
    """
    size = max(1, LONGEST_SUM // a.shape[-1])

    def add_group(
        carry: tuple[jax.Array, jax.Array], group: tuple[jax.Array, jax.Array]
    ) -> tuple[tuple[jax.Array, jax.Array], None]:
        total, lost = carry
        # the samples of a group stand beside each other, as one row of size * F features
        x, y = (jnp.swapaxes(part, 0, 1).reshape(1, part.shape[1], -1) for part in group)
        term = products(x, y)[0] - lost
        raised = total + term
        return (raised, (raised - total) - term), None

    zero = jnp.zeros((a.shape[1], b.shape[1]), dtype=jnp.float32)
    (total, lost), _ = lax.scan(add_group, (zero, zero), (in_groups(a, size, 0.0), in_groups(b, size, 0.0)))
    return total - lost
