"""The same road, faster: what a factor changes at equal progress, beside what it changes at equal time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.trajectories.configuration import levels, run_divergences

INTERVAL = 0.95
MARGIN = 0.95
"""A ratio is called different from one beyond this: interpolation between checkpoints moves it by a few per cent."""


@dataclass(frozen=True)
class Pace:
    """How far apart runs of different levels of a factor are, at equal progress and at equal steps.

    Attributes:
        factor: the column.
        alike_in: the columns in which the runs of a pair agree.
        at_equal_progress: mean divergence between runs of different levels, nats.
        at_equal_steps: the same, at the same steps of training.
        within: mean divergence between runs of one level, from seed to seed, at equal progress.
        ratio: at_equal_progress / at_equal_steps: near 0 where levels walk one road at different speeds, near 1 where
            progress explains nothing.
        low, high: an interval of 95 % for the ratio; NaN where no two runs differ in nothing but their seed.
    """

    factor: str
    alike_in: tuple[str, ...]
    at_equal_progress: float
    at_equal_steps: float
    within: float
    ratio: float
    low: float
    high: float

    def sentence(self) -> str:
        """In plain words: whether the levels share a road that they walk at different speeds."""
        alike = f" and the same {' and '.join(self.alike_in)}" if self.alike_in else ""
        opening = (
            f"Runs of different {self.factor}{alike} are {self.at_equal_progress:.3g} nats apart at equal progress and "
            f"{self.at_equal_steps:.3g} at equal steps, a ratio of {self.ratio:.3g} (95 % interval {self.low:.3g} to "
            f"{self.high:.3g})"
        )
        if not self.low <= self.high:
            return f"{opening.partition(' (95')[0]}; repeat runs with other seeds to learn how sure that is."
        if self.high < MARGIN:
            return f"{opening}: part of what sets them apart in time is pace along the same road."
        if self.low > 1 / MARGIN:
            return f"{opening}: they are further apart where they have come equally far."
        return f"{opening}: too near one to say that pace explains any of it."


def pace(
    at_progress: PairwiseMatrix,
    at_steps: PairwiseMatrix,
    factor: str,
    *,
    alike_in: Sequence[str] = (),
    resamples: int = 999,
    seed: int = 0,
) -> Pace:
    """Compare the divergences between the levels of a factor at equal progress with those at equal steps.

    The ratio r is that of the means over all pairs of runs of different levels that agree in the columns `alike_in`, or
    over all pairs where there is none such. Its interval is exp(log r +- t s): runs are drawn with replacement from
    those that differ in their seed alone, M at most, s is the standard deviation of log r over draws, times
    sqrt(M / (M - 1)) for what so few draws hide, and t Student's quantile for as many degrees of freedom as there are
    runs beyond the first in each group.

    Args:
        at_progress: integrated divergences between runs [R, R] at equal progress.
        at_steps: the same between the same runs, at equal steps.
        factor: the column, for example the size of the network.
        alike_in: columns in which the runs of a pair are to agree: the other factors.
        resamples: how often runs are drawn anew.
        seed: of the draws.

    Raises:
        InputError: the two are of different runs, or the factor has one level.
    """
    d, other = run_divergences(at_progress), run_divergences(at_steps)
    if at_progress.points.runs != at_steps.points.runs:
        raise InputError("at_steps: is about other runs than at_progress, or in another order")
    names, codes = levels(at_progress.points, factor)
    if len(names) < 2:
        raise InputError(f"factor: '{factor}' has one level, {names[0]}; name a column in which runs differ")
    differ, apart, same = _pairs(at_progress.points, codes, tuple(alike_in))
    if not apart.any():
        alike_in, differ = (), codes
        _, apart, same = _pairs(at_progress.points, codes, ())
    rng = np.random.default_rng(seed)
    ratio = _ratio(d, other, apart, np.ones(len(codes)))
    ratios = [_ratio(d, other, apart, _drawn(differ, rng)) for _ in range(resamples)]
    low, high = _interval(ratio, np.array(ratios), np.unique(differ, return_counts=True)[1])
    return Pace(
        factor=factor,
        alike_in=tuple(alike_in),
        at_equal_progress=float(d[apart].mean()),
        at_equal_steps=float(other[apart].mean()),
        within=float(d[same].mean()) if same.any() else float("nan"),
        ratio=ratio,
        low=low,
        high=high,
    )


def _interval(ratio: float, ratios: NDArray[np.float64], sizes: NDArray[np.intp]) -> tuple[float, float]:
    """The interval of a ratio from its draws, for groups of so many runs."""
    freedom, most = int((sizes - 1).sum()), int(sizes.max())
    if not freedom or not ratio > 0:
        return float("nan"), float("nan")
    spread = np.log(ratios).std(ddof=1) * np.sqrt(most / (most - 1))
    reach = float(stdtrit(freedom, (1 + INTERVAL) / 2) * spread)
    return ratio * float(np.exp(-reach)), ratio * float(np.exp(reach))


def _pairs(
    points: Points, codes: NDArray[np.intp], alike_in: tuple[str, ...]
) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]:
    """Groups of runs that agree in level and in `alike_in` [R]; pairs that differ in the level alone, or in nothing."""
    others = np.zeros(len(codes), dtype=np.intp)
    if alike_in:
        columns = np.stack([levels(points, name, "alike_in")[1] for name in alike_in], axis=1)
        others = np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1)
    alike = others[:, None] == others
    differ = codes[:, None] != codes
    return others * (codes.max() + 1) + codes, alike & differ, alike & ~differ & ~np.eye(len(codes), dtype=bool)


def _drawn(groups: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.float64]:
    """How often each run is drawn [R], when as many are drawn from each group as it has."""
    counts = np.zeros(len(groups))
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        np.add.at(counts, rng.choice(members, len(members)), 1.0)
    return counts


def _ratio(
    d: NDArray[np.float64], other: NDArray[np.float64], apart: NDArray[np.bool_], counts: NDArray[np.float64]
) -> float:
    weights = np.outer(counts, counts) * apart
    return float((weights * d).sum() / (weights * other).sum())
