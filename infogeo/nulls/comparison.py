"""NullComparison: a statistic beside what it is by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class NullComparison:
    """The explained stress of the data beside its values under a null model, for k = 1..K axes.

    Attributes:
        statistic: the explained stress of the data [K].
        replicates: the explained stress of R shuffled data sets [R, K].
        null_model: what was shuffled, in words.
        seed: of the shuffles.
    """

    statistic: NDArray[np.float64]
    replicates: NDArray[np.float64]
    null_model: str
    seed: int

    @property
    def null_mean(self) -> NDArray[np.float64]:
        """The mean over replicates [K]."""
        return self.replicates.mean(axis=0)

    @property
    def effect(self) -> NDArray[np.float64]:
        """(1 - stress) / (1 - null stress) [K]: what is left unexplained, relative to the null; 1 is no effect.

        NaN where the null explains everything to rounding.
        """
        left = 1 - self.null_mean
        tiny = left <= 1e-12
        return np.where(tiny, np.nan, (1 - self.statistic) / np.where(tiny, 1.0, left))

    @property
    def p_value(self) -> NDArray[np.float64]:
        """(1 + #{replicates >= statistic}) / (1 + R) [K]: a permutation p-value."""
        reached = (self.replicates >= self.statistic).sum(axis=0)
        return (1 + reached) / (1 + len(self.replicates))

    def sentence(self, k: int = 3) -> str:
        """In plain words, from the numbers at hand: how much of the stress of k axes is more than the null."""
        k = min(k, len(self.statistic))
        stress, null = float(self.statistic[k - 1]), float(self.null_mean[k - 1])
        axes = "One axis explains" if k == 1 else f"The first {k} axes explain"
        opening = (
            f"{axes} {100 * stress:.1f} % of the stress. With the examples of each class shuffled, independently "
            f"for each run, they still explain {100 * null:.1f} %"
        )
        if stress <= null:
            return f"{opening}: the stress of these runs is no more than the null."
        share = (stress - null) / stress
        verdict = (
            "nearly all of it is automatic, and the stress alone is no evidence of shared structure"
            if share < 0.05
            else "that part, and not the whole, is evidence that the runs share structure example by example"
        )
        return f"{opening}; {100 * share:.1f} % of the stress is more than the null: {verdict}."
