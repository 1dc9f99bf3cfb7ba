"""NullComparison: a statistic beside what it is by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.embed.stress import stress_line
from infogeo.nulls.model import NullModel
from infogeo.nulls.verdict import Verdict, verdict_of
from infogeo.nulls.within_class import WITHIN_CLASS


@dataclass(frozen=True, eq=False)
class NullComparison:
    """The explained stress of the data beside its values under a null model, for k = 1..K axes.

    Attributes:
        statistic: the explained stress of the data [K], on the same points and samples as the replicates.
        replicates: the explained stress of R data sets under the null [R, K].
        null_model: what was done to the data, in words.
        seed: of the null, and of the points and samples drawn.
        model: the null model.
        n_points, n_samples: how many points and samples were compared; 0 where not known.
        full_statistic: the explained stress of all of the data [K], where it was given.
    """

    statistic: NDArray[np.float64]
    replicates: NDArray[np.float64]
    null_model: str
    seed: int
    model: NullModel = WITHIN_CLASS
    n_points: int = 0
    n_samples: int = 0
    full_statistic: NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        return (
            f"NullComparison({self.model.name}, R={len(self.replicates)} replicates, K={len(self.statistic)} axes)\n"
            f"  {stress_line(self.statistic)}\n  with the null: {stress_line(self.null_mean)}"
        )

    @property
    def null_mean(self) -> NDArray[np.float64]:
        """The mean over replicates [K]."""
        return self.replicates.mean(axis=0)

    @property
    def effect(self) -> NDArray[np.float64]:
        """(1 - stress) / (1 - null stress) [K]: what is left unexplained, relative to the null.

        1 is no effect, 0 a map without rest; above 1 the null explains more than the data. NaN where the null explains
        everything to rounding.
        """
        left = 1 - self.null_mean
        tiny = left <= 1e-12
        return np.where(tiny, np.nan, (1 - self.statistic) / np.where(tiny, 1.0, left))

    @property
    def excess(self) -> NDArray[np.float64]:
        """(stress - null stress) / stress [K]: the share of the stress that is more than the null; below 0, less."""
        return np.where(self.statistic > 0, 1 - self.null_mean / np.where(self.statistic > 0, self.statistic, 1.0), 0.0)

    @property
    def p_value(self) -> NDArray[np.float64]:
        """(1 + #{replicates >= statistic}) / (1 + R) [K]: a permutation p-value; NaN for a null without chance."""
        if not self.model.random:
            return np.full(len(self.statistic), np.nan)
        reached = (self.replicates >= self.statistic).sum(axis=0)
        return (1 + reached) / (1 + len(self.replicates))

    def band(self, level: float = 0.9) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Below and above which (1 - level) / 2 of the replicates lie, [K] each; with few replicates, the outermost."""
        low, high = np.quantile(self.replicates, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return low, high

    def verdict(self, k: int = 3) -> Verdict:
        """What the stress of k axes is evidence of: by its effect sizes, not its p-value; see `verdict_of`."""
        at = self._axis(k)
        return verdict_of(float(self.effect[at]), float(self.excess[at]))

    def sentence(self, k: int = 3) -> str:
        """In plain words, from the numbers at hand: stress, null, effect sizes, p-value and verdict for k axes."""
        at = self._axis(k)
        stress, null = float(self.statistic[at]), float(self.null_mean[at])
        axes = "One axis explains" if at == 0 else f"The first {at + 1} axes explain"
        still = "it still explains" if at == 0 else "they still explain"
        verdict = self.verdict(k).sentence(self.model.claim)
        return (
            f"{axes} {100 * stress:.1f} % of the stress{self._on(at)}. With {self.null_model}, "
            f"{still} {100 * null:.1f} %{self._sizes(at)}{self._chance(at)}. {verdict}"
        )

    def _axis(self, k: int) -> int:
        if k < 1:
            raise InputError(f"k: {k}; give at least one axis")
        return min(k, len(self.statistic)) - 1

    def _on(self, at: int) -> str:
        """What was compared, where the stress of all of the data is another."""
        full = self.full_statistic
        if full is None or f"{full[at]:.3f}" == f"{self.statistic[at]:.3f}":
            return ""
        return f" of {self.n_points} checkpoints on {self.n_samples} samples ({100 * float(full[at]):.1f} % of all)"

    def _sizes(self, at: int) -> str:
        excess, effect = float(self.excess[at]), float(self.effect[at])
        if excess <= 0:
            return ""
        left = "" if np.isnan(effect) else f"; what stays unexplained is {effect:.2f} times what the null leaves"
        points = 100 * float(self.statistic[at] - self.null_mean[at])
        return f". That is {points:.1f} points, or {100 * excess:.1f} % of the stress, more than the null{left}"

    def _chance(self, at: int) -> str:
        if not self.model.random:
            return ""
        count, p = len(self.replicates), float(self.p_value[at])
        least = "; it cannot be smaller" if p <= 1 / (1 + count) else ""
        return f" (p = {p:.2g} from {count} replicate{'s' if count > 1 else ''}{least})"
