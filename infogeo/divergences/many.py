"""Many classes: log-probabilities stay as they are, and a sample is a few matrix products of what is made of them.

A matrix product adds up its terms one after the other in float32, which errs in two ways that do not average out over
samples. Where one class dominates, terms below half a unit of the sum are lost: a product of L terms loses up to
L 2^-25, so products are short. And equal terms, as of a uniform prediction, all round the same way: so the terms of
every sample and of every product are multiplied by a factor of its own, which their sum is rid of afterwards, and their
rounding falls as one over the root of the number of products. Where there are few samples, products are shorter still.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

AT_ONCE = 1024
"""Classes whose products are written out one after the other; the sum goes on with a remainder."""
LONGEST_PRODUCT = 96
"""Terms of one matrix product."""
FEW_SAMPLES, SHORT_PRODUCT = 32, 16
"""Up to so many samples in all, products are as short as this, and slow."""
OF_SAMPLES, OF_PARTS = (np.sqrt(5) - 1) / 2, np.sqrt(2) - 1
"""Multiples of each are evenly spread modulo 1, however many, and so are the sums of multiples of both."""

EXACT = lax.Precision.HIGHEST
"""Full float32 on every device: accelerators would use fewer bits by default."""
Factor = Callable[[jax.Array], jax.Array]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ManyClasses:
    """Predictions of P points on n samples, of more classes than `base.FEW`.

    Attributes:
        log_p: [P, n, C].
        dither: the factor of each sample [n]; None where sums are to be short.
        points: which of the points are meant, start and stop; by default all.
    """

    log_p: jax.Array
    dither: jax.Array | NDArray[np.float32] | None
    points: tuple[int, int] | None = field(default=None, metadata={"static": True})

    @property
    def span(self) -> tuple[int, int]:
        """Start and stop of the points that are meant."""
        return self.points or (0, self.log_p.shape[0])

    @property
    def n_points(self) -> int:
        """How many are meant."""
        start, stop = self.span
        return stop - start

    def take(self, start: int, stop: int) -> ManyClasses:
        """The points start:stop; nothing is copied."""
        return replace(self, points=(start, stop))


def dither_of(first: int, n_samples: int, n_in_all: int) -> NDArray[np.float32] | None:
    """The factors of the samples from `first` on, between 1 / sqrt(2) and sqrt(2), for all points alike."""
    if n_in_all <= FEW_SAMPLES:
        return None
    return _factors(np.arange(first, first + n_samples) * OF_SAMPLES)


def dither_of_parts(n_parts: int) -> jax.Array:
    """The factors of the parts into which the classes of a sample are cut, likewise."""
    return jnp.asarray(_factors(np.arange(n_parts) * OF_PARTS))


def _factors(exponents: NDArray[np.float64]) -> NDArray[np.float32]:
    return (2.0 ** (exponents % 1 - 0.5)).astype(np.float32)


def inner_products(a: ManyClasses, b: ManyClasses, n: jax.Array | int, left: Factor, right: Factor) -> jax.Array:
    """sum_c left(log p_c) right(log q_c) of sample n [P, Q], times its dither."""
    n_classes = a.log_p.shape[2]
    at_once = SHORT_PRODUCT if a.dither is None else AT_ONCE
    size = -(-n_classes // -(-n_classes // at_once))
    n_cuts = -(-size // LONGEST_PRODUCT)
    whole, rest = divmod(n_classes, size)
    of_all_cuts = dither_of_parts((whole + 1) * n_cuts)
    of_sample = jnp.float32(1) if a.dither is None else jnp.asarray(a.dither)[n]

    def products(i: jax.Array | int, size_here: int) -> jax.Array:
        x, y = (classes_of(operand, n, i * size, size_here) for operand in (a, b))
        width = -(-size_here // n_cuts)
        factors = lax.dynamic_slice(of_all_cuts, (i * n_cuts,), (n_cuts,))
        x, y = left(x) * (of_sample * jnp.repeat(factors, width)[:size_here]), right(y)
        cuts = [slice(start, start + width) for start in range(0, size_here, width)]
        return _sum_of(
            [
                jnp.einsum("pc,qc->pq", x[:, cut], y[:, cut], precision=EXACT) / factor
                for cut, factor in zip(cuts, factors, strict=False)
            ]
        )

    total = products(0, size)
    if size == n_classes:
        return total
    so_far = total, jnp.zeros_like(total)
    so_far = lax.fori_loop(1, whole, lambda i, so_far: added(so_far, products(i, size)), so_far)
    total, excess = added(so_far, products(whole, rest)) if rest else so_far
    return total - excess


def sum_over_samples(a: ManyClasses, b: ManyClasses, term: Callable[[jax.Array], jax.Array]) -> jax.Array:
    """sum_n term(n) [P, Q], rid of the dither."""

    def step(n: jax.Array, so_far: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        return added(so_far, term(n) if a.dither is None else term(n) / jnp.asarray(a.dither)[n])

    zero = jnp.zeros((a.n_points, b.n_points), dtype=jnp.float32)
    total, excess = lax.fori_loop(0, a.log_p.shape[1], step, (zero, zero))
    return total - excess


def added(so_far: tuple[jax.Array, jax.Array], term: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A sum and its excess, one term further (Kahan): it is far larger than the differences that matter."""
    total, excess = so_far
    term = term - excess
    raised = total + term
    return raised, (raised - total) - term


def _sum_of(terms: list[jax.Array]) -> jax.Array:
    """By halves: beside one that dominates, small terms are added up among themselves first."""
    half = len(terms) // 2
    return _sum_of(terms[:half]) + _sum_of(terms[half:]) if half else terms[0]


def classes_of(operand: ManyClasses, n: jax.Array | int, first: jax.Array | int, size: int) -> jax.Array:
    """The log-probabilities [P, size] of some classes in sample n."""
    start, _ = operand.span
    return lax.dynamic_slice(operand.log_p, (start, n, first), (operand.n_points, 1, size))[:, 0]
