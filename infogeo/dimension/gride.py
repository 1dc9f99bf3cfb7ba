"""Gride: the dimension from the ratio of the distances of two neighbours of higher order, at any scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infogeo.core.arguments import check_whole
from infogeo.dimension.local import LocalEstimator
from infogeo.dimension.rows import Array


@dataclass(frozen=True)
class Gride(LocalEstimator):
    """The maximum likelihood d of the ratios mu_i = r_i,2n / r_i,n of the 2n-th and n-th neighbour's distances.

    Where the density is constant up to the 2n-th neighbour, mu has the density

        f(mu) = d (mu^d - 1)^(n - 1) / (mu^(d (2 n - 1) + 1) B(n, n)),  B the beta function,

    and a larger n looks at a larger scale, where noise is smaller. n = 1 is TwoNN.

    Attributes:
        order: n, at least 1.

    Source: Denti, Doimo, Laio and Mira, Scientific Reports 12 (2022) 20005, eq. 7 with n1 = n, n2 = 2 n.
    """

    order: int = 2

    def __post_init__(self) -> None:
        check_whole("order", self.order)

    @property
    def name(self) -> str:
        """With its parameter."""
        return f"Gride (neighbours {self.order} and {2 * self.order})"

    @property
    def k(self) -> int:
        """How many neighbours it uses."""
        return 2 * self.order

    @property
    def first(self) -> int:
        """The nearest neighbour that it uses."""
        return self.order

    def score(self, distances: Array, d: float) -> Array:
        """d/dd log f = 1/d + (n - 1) log mu / (1 - mu^-d) - (2 n - 1) log mu."""
        log_mu = self._log_ratio(distances)
        n, shrunk = self.order, -np.expm1(-d * log_mu)  # 1 - mu^-d
        grown = np.where(shrunk > 0, log_mu / np.where(shrunk > 0, shrunk, 1.0), 1 / d)
        return 1 / d + (n - 1) * grown - (2 * n - 1) * log_mu

    def slope(self, distances: Array, d: float) -> Array:
        """-d^2 times the derivative by d: 1 + (n - 1) d^2 log^2 mu mu^-d / (1 - mu^-d)^2."""
        log_mu = self._log_ratio(distances)
        x = d * log_mu
        half = np.where(x > 0, x / 2, 1.0)
        with np.errstate(over="ignore"):
            grown = np.where(x > 0, (half / np.sinh(half)) ** 2, 1.0)
        return 1 + (self.order - 1) * grown

    def unbiased(self, root: float, n_points: int) -> float:
        """The root; less the bias of TwoNN for n = 1."""
        return root * (n_points - 1) / n_points if self.order == 1 else root

    def _log_ratio(self, distances: Array) -> Array:
        return np.log(distances[:, 2 * self.order - 1] / distances[:, self.order - 1])
