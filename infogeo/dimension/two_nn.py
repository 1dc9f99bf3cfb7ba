"""TwoNN: the dimension from the ratio of the distances of the two nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infogeo.dimension.local import LocalEstimator
from infogeo.dimension.rows import Array


@dataclass(frozen=True)
class TwoNN(LocalEstimator):
    """d = (M - 1) / sum_i log(r_i2 / r_i1), the maximum likelihood less its bias.

    r_i1 and r_i2 are the distances sqrt(divergence) from point i to its two nearest neighbours, M the number of points.
    Where the density is constant up to the second neighbour, the ratio mu has the density d mu^-(d + 1), whatever the
    density is. It needs no parameter, looks at the smallest scale that there is, and thus also at the noise there.

    Source: Facco, d'Errico, Rodriguez and Laio, Scientific Reports 7 (2017) 12140; by likelihood instead of a fit to
    the distribution, as Denti et al., Scientific Reports 12 (2022) 20005, eqs. 4-6.
    """

    name = "TwoNN"  # type: ignore[assignment]
    k = 2  # type: ignore[assignment]

    def score(self, distances: Array, d: float) -> Array:
        """1/d - log mu_i."""
        return 1 / d - np.log(distances[:, 1] / distances[:, 0])

    def slope(self, distances: Array, d: float) -> Array:
        """1: linear in 1/d."""
        return np.ones(len(distances))

    def unbiased(self, root: float, n_points: int) -> float:
        """root (M - 1) / M."""
        return root * (n_points - 1) / n_points
