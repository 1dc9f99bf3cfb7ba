"""DimensionEstimate: a dimension with its error, its scale, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infogeo.core.jackknife import t_factor


@dataclass(frozen=True)
class DimensionEstimate:
    """How many dimensions a set of points has, at a scale.

    Attributes:
        estimator: which, with its parameters and among what it looked.
        value: the dimension; NaN where it cannot be told, and the warnings say why.
        standard_error: as if other runs (or points, where each is a run) had been drawn; NaN where there are too few.
        scale: the distance sqrt(divergence) at which it was looked, the median over points; NaN for an estimator that
            has none.
        n_points: how many points took part; 0 where that is not known.
        excluded: how many points were left out.
        excluded_pairs: how many pairs of points did not count, beside those of the points left out.
        degrees: degrees of freedom of the standard error.
        along: how many dimensions of the value were not estimated but added: 1 for the direction along runs.
        warnings: what limits the estimate, one sentence each.
    """

    estimator: str
    value: float
    standard_error: float
    scale: float
    n_points: int
    excluded: int = 0
    excluded_pairs: int = 0
    degrees: int = 0
    along: int = 0
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        points = f", {self.n_points} points" if self.n_points else ""
        notes = "".join(f"\n  {warning}" for warning in self.warnings)
        return f"DimensionEstimate({self.estimator}: {self.in_words()}{points}){notes}"

    def in_words(self) -> str:
        """The value, its standard error and scale: 2.03 ± 0.11 at distance 0.12."""
        error = "" if np.isnan(self.standard_error) else f" ± {self.standard_error:.2g}"
        at = "" if np.isnan(self.scale) else f" at distance {self.scale:.3g}"
        return f"{self.value:.3g}{error}{at}" if not np.isnan(self.value) else "no single number"

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The interval of this level for the dimension: d exp(± t SE / d), Student's t; NaN without an error.

        It is symmetric in log d, in which a ratio of distances is nearly normal, and never below zero. Of a total
        dimension d is that across runs, and one is added to the ends as well.
        """
        if np.isnan(self.standard_error) or not self.value > self.along:
            return float("nan"), float("nan")
        value = self.value - self.along
        with np.errstate(over="ignore"):
            reach = float(np.exp(t_factor(level, self.degrees) * self.standard_error / value))
        return value / reach + self.along, value * reach + self.along
