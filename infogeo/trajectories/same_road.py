"""The same road, faster: what a factor changes at equal progress, beside what it changes at equal time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.core.words import listed
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.trajectories.configuration import block_codes, levels, run_divergences

INTERVAL = 0.95
MARGIN = 0.95
"""A ratio is called different from one beyond this: interpolation between checkpoints moves it by a few per cent."""


@dataclass(frozen=True)
class Pace:
    """How far apart runs of different levels of a factor are, at equal progress and at equal steps.

    Attributes:
        factor: the column.
        alike_in: the columns in which the runs of a pair agree, the block last.
        at_equal_progress: mean divergence between runs of different levels, nats.
        at_equal_steps: the same, at the same steps of training.
        within: mean divergence between runs of one level that agree in `alike_in`, at equal progress: what they differ
            by without the factor; NaN where no two do.
        ratio: at_equal_progress / at_equal_steps: near 0 where levels walk one road at different speeds, near 1 where
            progress explains nothing; NaN where nothing sets runs apart at equal steps.
        low, high: an interval of 95 % for the ratio; NaN where nothing repeats, neither levels of a block nor runs.
        block: the column within whose levels runs are compared, and whose levels the interval is about.
    """

    factor: str
    alike_in: tuple[str, ...]
    at_equal_progress: float
    at_equal_steps: float
    within: float
    ratio: float
    low: float
    high: float
    block: str | None = None

    def sentence(self) -> str:
        """In plain words: whether the levels share a road that they walk at different speeds."""
        alike = f" and agree in {listed(self.alike_in)}" if self.alike_in else ""
        who = f"Runs that differ in {self.factor}{alike}"
        if not self.at_equal_steps > 0:
            return f"{who} make the same predictions at equal steps, so there is no difference for pace to explain."
        opening = (
            f"{who} are {self.at_equal_progress:.3g} nats apart at equal progress and {self.at_equal_steps:.3g} at "
            f"equal steps, a ratio of {self.ratio:.3g}"
        )
        if not self.low <= self.high:
            return f"{opening}; to learn how sure that ratio is, repeat the runs with other seeds."
        opening += f" (95 % interval {self.low:.3g} to {self.high:.3g})"
        if self.high < MARGIN:
            return f"{opening}: part of what sets them apart in time is pace along the same road."
        if self.low > 1 / MARGIN:
            return f"{opening}: they are further apart at equal progress than at equal steps."
        return f"{opening}: the interval holds ratios near one, so pace may explain nothing of the difference."


def pace(
    at_progress: PairwiseMatrix,
    at_steps: PairwiseMatrix,
    factor: str,
    *,
    alike_in: Sequence[str] = (),
    block: str | None = None,
    resamples: int = 999,
    seed: int = 0,
) -> Pace:
    """Compare the divergences between the levels of a factor at equal progress with those at equal steps.

    The ratio r is that of the means over all pairs of runs of different levels that agree in the columns `alike_in`, or
    over all pairs where there is none such. Its interval is exp(log r +- t s): runs are drawn with replacement from
    those that differ in their seed alone, M at most, s is the standard deviation of log r over draws, times
    sqrt(M / (M - 1)) for what so few draws hide, and t Student's quantile for as many degrees of freedom as there are
    runs beyond the first in each group.

    With a block, as of seeds from which all configurations begin, the pairs are those of one level: what levels differ
    by is in none of them. Runs of one level are no independent repeats, so its M levels are drawn, each with all of its
    runs, and t has M - 1 degrees of freedom: the interval is about other seeds.

    Args:
        at_progress: integrated divergences between runs [R, R] at equal progress.
        at_steps: the same between the same runs, at equal steps.
        factor: the column, for example the size of the network.
        alike_in: columns in which the runs of a pair are to agree: the other factors.
        block: a column whose levels return in every configuration, usually the seed.
        resamples: how often runs are drawn anew.
        seed: of the draws.

    Raises:
        InputError: the two are of different runs, the factor has one level, or the block is not crossed with it.
    """
    d, other = run_divergences(at_progress), run_divergences(at_steps)
    if at_progress.points.runs != at_steps.points.runs:
        raise InputError("at_steps: is about other runs than at_progress, or in another order")
    names, codes = levels(at_progress.points, factor)
    if len(names) < 2:
        raise InputError(f"factor: '{factor}' has one level, {names[0]}; name a column in which runs differ")
    points = at_progress.points
    alike = tuple(alike_in)
    level = None if block is None else block_codes(points, tuple(dict.fromkeys([*alike, factor])), block)
    differ, apart, same = _pairs(points, codes, alike, level)
    if not apart.any():
        alike = ()
        differ, apart, same = _pairs(points, codes, (), level)
    rng = np.random.default_rng(seed)
    low = high = ratio = float("nan")
    if other[apart].any():
        ratio = float(d[apart].sum() / other[apart].sum())
        if level is None:
            drawn = [_ratio(d, other, apart, _drawn(differ, rng)) for _ in range(resamples)]
            low, high = _interval(ratio, np.array(drawn), np.unique(differ, return_counts=True)[1])
        else:
            drawn = _block_ratios(d, other, apart, level, resamples, rng)
            low, high = _interval(ratio, drawn, np.array([level.max() + 1]))
    return Pace(
        factor=factor,
        alike_in=alike if block is None else (*alike, block),
        at_equal_progress=float(d[apart].mean()),
        at_equal_steps=float(other[apart].mean()),
        within=float(d[same].mean()) if same.any() else float("nan"),
        ratio=ratio,
        low=low,
        high=high,
        block=block,
    )


def _interval(ratio: float, ratios: NDArray[np.float64], sizes: NDArray[np.intp]) -> tuple[float, float]:
    """The interval of a ratio from its draws, for groups of so many runs, or a block of so many levels."""
    freedom, most = int((sizes - 1).sum()), int(sizes.max())
    if not freedom or not ratio > 0 or not (ratios > 0).all():
        return float("nan"), float("nan")
    spread = np.log(ratios).std(ddof=1) * np.sqrt(most / (most - 1))
    reach = float(stdtrit(freedom, (1 + INTERVAL) / 2) * spread)
    return ratio * float(np.exp(-reach)), ratio * float(np.exp(reach))


def _pairs(
    points: Points, codes: NDArray[np.intp], alike_in: tuple[str, ...], level: NDArray[np.intp] | None
) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]:
    """Groups of runs that agree in factor and `alike_in` [R]; pairs that differ in the factor alone, or in nothing.

    Pairs are of one level of the block, where there is one.
    """
    others = np.zeros(len(codes), dtype=np.intp)
    if alike_in:
        columns = np.stack([levels(points, name, "alike_in")[1] for name in alike_in], axis=1)
        others = np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1)
    alike = others[:, None] == others
    if level is not None:
        alike &= level[:, None] == level
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


def _block_ratios(
    d: NDArray[np.float64],
    other: NDArray[np.float64],
    apart: NDArray[np.bool_],
    level: NDArray[np.intp],
    resamples: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """The ratio when as many levels of a block are drawn as it has, each with all of its pairs [resamples]."""
    count = int(level.max()) + 1
    sums = [np.bincount(level, (matrix * apart).sum(axis=1), count) for matrix in (d, other)]
    draws = rng.multinomial(count, np.full(count, 1 / count), resamples)
    above, below = (draws @ own for own in sums)
    return np.divide(above, below, out=np.full(resamples, np.nan), where=below > 0)
