"""The maximum likelihood dimension of Levina and Bickel, averaged as MacKay and Ghahramani found right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infogeo.core.arguments import check_whole
from infogeo.dimension.local import LocalEstimator
from infogeo.dimension.rows import Array


@dataclass(frozen=True)
class MaximumLikelihood(LocalEstimator):
    """1/d = mean over points and j < k of log(r_ik / r_ij), times M (k - 1) / (M (k - 1) - 1).

    r_ij is the distance sqrt(divergence) from point i to its j-th neighbour, j = 1..k, and M the number of points. It
    takes the points of a ball with k points in it for a Poisson process of constant density. MacKay and Ghahramani
    average 1/d over the points, as the likelihood of all of them demands; the mean of d, as first published, is too
    large for small k.

    Attributes:
        neighbours: k, at least 2; larger looks at a larger scale, with less variance and more bias from curvature and
            borders.

    Source: Levina and Bickel, NeurIPS 17 (2005), eq. 8; MacKay and Ghahramani, comments on it (2005).
    """

    neighbours: int = 20

    def __post_init__(self) -> None:
        check_whole("neighbours", self.neighbours, 2)

    @property
    def name(self) -> str:
        """With its parameter."""
        return f"maximum likelihood (k = {self.neighbours})"

    @property
    def k(self) -> int:
        """How many neighbours it uses."""
        return self.neighbours

    def score(self, distances: Array, d: float) -> Array:
        """(k - 1) / d - sum_j log(r_ik / r_ij)."""
        logs = np.log(distances)
        return (self.k - 1) * (1 / d - logs[:, -1]) + logs[:, :-1].sum(axis=1)

    def slope(self, distances: Array, d: float) -> Array:
        """k - 1: linear in 1/d."""
        return np.full(len(distances), self.k - 1.0)

    def unbiased(self, root: float, n_points: int) -> float:
        """root less 1 / (M (k - 1)) of it."""
        return root * (1 - 1 / (n_points * (self.k - 1)))
