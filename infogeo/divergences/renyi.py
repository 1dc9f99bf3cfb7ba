"""The symmetrised Renyi divergence: the intensive family between Bhattacharyya and symmetric Kullback-Leibler."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from infogeo.core.errors import InputError
from infogeo.divergences.base import UNIT, Total, points_last
from infogeo.divergences.many import ManyClasses, inner_products
from infogeo.divergences.products import (
    SCALE_BITS,
    inner_products_of_few,
    no_product,
    samples_at_once,
    times_over_rows,
    times_over_samples,
)


@dataclass(frozen=True)
class Renyi:
    """d(p, q) = -(1/N) sum_n [log sum_c p^a q^(1-a) + log sum_c p^(1-a) q^a] / (a (1 - a)), in nats, 0 < a < 1.

    For small distances d = ds^2 with ds the Fisher line element, for every a. It adds over independent samples. At
    a = 1/2 it is 8 times Bhattacharyya; for a to 0 or 1 it becomes the symmetric Kullback-Leibler divergence. Infinite
    between certainties in different classes; with the package's floor (log p >= -174) such a sample counts at most
    174 / max(a, 1 - a) nats, twice. Rounding stays within 2e-6 max(1, d) at a = 1/2, and grows as 1 / (4 a (1 - a)).

    Attributes:
        alpha: a.

    Raises:
        InputError: alpha is not between 0 and 1.

    Source: the family of intensive divergences of Teoh et al., Phys. Rev. Research 2 (2020) 033221, from Renyi (1961).
    """

    alpha: float = 0.5

    fisher_factor = 1.0
    filler: ClassVar[float] = 0.0  # certain of class 0: both sums are 1, whose logarithm is 0
    finite_at_certainty: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise InputError(f"alpha: {self.alpha}; give a number between 0 and 1 (the limit is symmetric KL)")

    @property
    def name(self) -> str:
        """Renyi(alpha)."""
        return f"Renyi({float(self.alpha)})"

    @property
    def unit(self) -> float:
        """Exponents count factors of 2."""
        return math.log(2) * self._scale

    @property
    def _scale(self) -> float:
        return 1 / (self.alpha * (1 - self.alpha))

    @property
    def _powers(self) -> tuple[float, float]:
        return self.alpha, 1 - self.alpha

    def features(self, n_classes: int) -> int:
        """The length of an encoded row."""
        return 2 * n_classes

    def encode(self, log_p: jax.Array) -> jax.Array:
        """p^a and p^(1-a) above each other [N, 2C, P], times the powers of two of their products.

        What is below the range of float32 in spite of these is lost: its product is a vanishing part of its sum.
        """
        powers = zip(self._powers, SCALE_BITS, strict=True)
        return points_last(jnp.concatenate([_power(log_p, power, bits) for power, bits in powers], axis=2))

    def start(self, height: int, width: int) -> Total:
        """The product of no coefficients."""
        return no_product(height, width)

    def block(self, total: Total, a: jax.Array, b: jax.Array) -> Total:
        """Times both sums over classes of every sample [P, Q], between encodings a [N, 2C, P] and b [N, 2C, Q]."""
        n_classes = a.shape[1] // 2

        def coefficients(x: jax.Array, y: jax.Array) -> list[jax.Array]:
            (x_low, x_high), (y_low, y_high) = ((z[:, :n_classes], z[:, n_classes:]) for z in (x, y))
            return [*inner_products_of_few(x_low, y_high), *inner_products_of_few(x_high, y_low)]

        return times_over_rows(total, a, b, samples_at_once(a.shape[1]), coefficients)

    def block_of_many(self, total: Total, a: ManyClasses, b: ManyClasses) -> Total:
        """The same between P and Q points, and times the dither, for all pairs alike."""
        low, high = (
            lambda log_p, power=power, bits=bits: _power(log_p, power, bits)
            for power, bits in zip(self._powers, SCALE_BITS, strict=True)
        )
        return times_over_samples(
            total, a.log_p.shape[1], lambda n: [inner_products(a, b, n, low, high), inner_products(a, b, n, high, low)]
        )

    def finish(self, total: Total) -> tuple[jax.Array, jax.Array]:
        """-log of the product: of its mantissa, here between 1 and 2, and minus its exponent."""
        mantissas, exponents = total
        return -jnp.log(2 * mantissas) * jnp.float32(self._scale), 1 - exponents

    def rounding(self, n_classes: int) -> float:
        """Powers lose |log p| units, which p outweighs, products and sums C each; twice, and divided by a (1 - a)."""
        return 2 * self._scale * (n_classes + 16 + math.log(n_classes)) * UNIT


def _power(log_p: jax.Array, power: float, bits: int) -> jax.Array:
    """p^power 2^bits, by its square root, which float32 holds: a power of two in the exponent would cost precision."""
    root = jnp.exp(jnp.float32(power / 2) * log_p)
    return (root * jnp.float32(2.0 ** (bits // 2))) * (root * jnp.float32(2.0 ** (bits - bits // 2)))
