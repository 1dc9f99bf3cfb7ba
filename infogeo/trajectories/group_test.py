"""PERMANOVA: does a factor of training separate trajectories, by a permutation test on their divergences?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import factorial, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.core.words import listed, percent
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.trajectories.block import whole_configurations
from infogeo.trajectories.configuration import block_codes, levels, run_divergences

BATCH_BYTES = 2**25
"""What the group indicators of a batch of permutations, and their products, may take together."""


@dataclass(frozen=True)
class FactorTest:
    """How far one factor separates the runs, and how often chance does as well.

    Attributes:
        factor: the column that was tested.
        pseudo_f: ((SS_T - SS_W) / (a - 1)) / (SS_W / (n - a)), with a block as in `permanova`; infinite where nothing
            is left in the denominator.
        p_value: (1 + #{F_permuted >= F}) / (1 + permutations), and no less than `smallest_p`.
        r_squared: SS_between / SS_total; below zero only for divergences that are far from Euclidean.
        smallest_p: 1 / the number of ways to group the runs by relabelling them (within strata), or
            1 / (1 + permutations) where that is larger.
        permutations: how many relabellings were drawn.
        n_groups: a, the levels of the factor.
        n_runs: n.
        strata: the columns within which labels were exchanged, the block last.
        block: the column whose share of the spread was set apart; None without one.
        whole: the columns in which configurations of one label and one stratum differ, where each of them kept one
            label in all levels of the block; empty where levels were exchanged by themselves.
    """

    factor: str
    pseudo_f: float
    p_value: float
    r_squared: float
    smallest_p: float
    permutations: int
    n_groups: int
    n_runs: int
    strata: tuple[str, ...]
    block: str | None = None
    whole: tuple[str, ...] = ()

    def sentence(self) -> str:
        """In plain words: what the factor accounts for, and whether chance would do as well."""
        opening = (
            f"{self.factor} accounts for {percent(self.r_squared)} of the spread of {self.n_runs} runs in "
            f"{self.n_groups} groups (pseudo-F {self.pseudo_f:.3g}). Against {self.permutations} random exchanges of "
            f"its labels{self._among()}, p = {self.p_value:.2g}"
        )
        if self.smallest_p > 0.05:
            cure = f"add runs, or compare by {listed(self.whole)} as well" if self.whole else "add runs"
            return f"{opening}; so few exchanges are possible that p cannot be below {self.smallest_p:.2g}: {cure}."
        if self.p_value > 0.05:
            return f"{opening}: no evidence that it separates the trajectories."
        least = " (it cannot be smaller)" if self.p_value == self.smallest_p else ""
        return f"{opening}{least}: by more than chance, its groups lie apart or are spread differently."

    def _among(self) -> str:
        if not self.whole:
            return f" among runs that agree in {listed(self.strata)}" if self.strata else ""
        held = f" that agree in {listed(self.strata[:-1])}" if self.strata[1:] else ""
        return (
            f" among whole configurations{held}, which also differ in {listed(self.whole)} and return in every level "
            f"of {self.block}"
        )


class _Exchange(NamedTuple):
    """What is exchanged: U units, each of one or more of the n runs, that have one label and stay in one stratum."""

    unit: NDArray[np.intp]  # [n]
    labels: NDArray[np.intp]  # [U]
    stratum: NDArray[np.intp]  # [U], sorted


def permanova(
    matrix: PairwiseMatrix,
    factor: str,
    *,
    strata: str | Sequence[str] = (),
    block: str | None = None,
    permutations: int = 999,
    seed: int = 0,
) -> FactorTest:
    """F = ((SS_T - SS_W) / (a - 1)) / (SS_W / (n - a)), tested by exchanging the labels of runs.

        SS_T = sum_{i<j} d_ij / n        SS_W = sum_g sum_{i<j in g} d_ij / n_g

    for n runs in a groups g of n_g runs. d is a divergence and enters as it is, in the place of the squared distance.

    A block is a column of b levels that return in every configuration, such as a seed that sets where all of them
    begin. What its levels differ by, SS_B = SS_T - SS_W(block), is no noise of the factor and is set apart:

        F = ((SS_T - SS_W) / (a - 1)) / ((SS_W - SS_B) / (n - a - b + 1))

    and labels are exchanged only among runs of one level. Where the runs of a stratum differ in factor and block alone,
    each level is exchanged by itself: if the factor changes nothing in any run, they are exchangeable whatever the
    block does, as in Friedman's test, and p is exact. Where a stratum holds several configurations of one label, told
    apart by the other metadata, each of them returns in every level with whatever else sets it apart; its runs are no
    independent witnesses, and exchanges of them would find an effect of any labels. Then configurations are exchanged
    whole, in all levels alike, which is exact for configurations that are exchangeable.

    With strata, labels are exchanged only among runs that agree in all of these columns: for crossed factors, test
    one with all others as strata. F stays that of the factor alone; what the strata spread remains in SS_W. Groups
    that have one centre but different spreads can be significant too. The result does not depend on the order of
    the runs. The time is that of 2 n^2 a multiplications and additions per permutation.

    Args:
        matrix: divergences between whole trajectories [n, n], one row per run.
        factor: the column of its points to test.
        strata: a column or columns that hold what must not be exchanged.
        block: a column that is crossed with factor and strata: as many runs of every level in each combination.
        permutations: how many relabellings to draw; p cannot be below 1 / (1 + permutations).
        seed: of the permutations.

    Raises:
        InputError: no such column; a run without a value; the factor has one level, or one for every run; nothing
            can be exchanged within the strata; a block that is not crossed; a rectangular matrix, or one with several
            points of a run.

    Source: Anderson, Austral Ecology 26 (2001) 32; what may be exchanged: Anderson and ter Braak, J. Stat. Comput.
    Simul. 73 (2003) 85; the +1 of p: Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010) 39.
    """
    strata = (strata,) if isinstance(strata, str) else tuple(strata)
    if permutations < 1:
        raise InputError(f"permutations: {permutations}; give at least 1")
    d, points = run_divergences(matrix), matrix.points
    names, groups = levels(points, factor)
    n, a = len(points), len(names)
    if a == 1:
        raise InputError(f"factor: '{factor}' has one level, {names[0]}; name a column in which runs differ")
    if a == n:
        raise InputError(f"factor: every run has a '{factor}' of its own; name a column whose values runs share")
    order, exchange, whole = _exchange(points, factor, groups, strata, block)
    within_columns = strata if block is None else (*strata, block)
    n_groupings = _groupings(exchange.labels, exchange.stratum)
    if n_groupings == 1:
        raise InputError(
            f"strata: no exchange among runs that agree in {listed(within_columns)} changes which runs share a "
            f"'{factor}'; leave a column out, or add runs that differ in the factor alone"
        )
    d, groups = d[np.ix_(order, order)], groups[order]

    total = float(d.sum()) / (2 * n)
    if total == 0:
        raise InputError("matrix: all divergences are zero; there is nothing to separate")
    within = float(_within_squares(d, groups[None], a)[0])
    left, freedom = within, n - a
    if block is not None:
        names_of_block, codes = levels(points, block)
        left, freedom = _left(d, total, within, a, codes[order]), n - a - len(names_of_block) + 1
    drawn = _relabellings(exchange.labels, exchange.stratum, permutations, max(1, BATCH_BYTES // (17 * n * a)), seed)
    # Sums of n, n and a terms, none negative, are off by (2n + a + 2) eps / 2 relative at most, two of them by twice
    # that. F falls with SS_W, so F_permuted >= F where SS_W is no larger; SS_T and SS_B stay what they are.
    reach = within * (1 + (2 * n + a + 4) * np.finfo(np.float64).eps)
    reached = sum(int((_within_squares(d, labels[:, exchange.unit], a) <= reach).sum()) for labels in drawn)
    smallest_p = 1 / min(n_groupings, permutations + 1)
    return FactorTest(
        factor=factor,
        pseudo_f=(total - within) / (a - 1) / (left / freedom) if left else float("inf"),
        p_value=max((1 + reached) / (1 + permutations), smallest_p),
        r_squared=(total - within) / total,
        smallest_p=smallest_p,
        permutations=permutations,
        n_groups=a,
        n_runs=n,
        strata=within_columns,
        block=block,
        whole=whole,
    )


def _left(d: NDArray[np.float64], total: float, within: float, n_groups: int, block: NDArray[np.intp]) -> float:
    """SS_W - SS_B, and zero where that is rounding: three sums, each off by (2n + a + 2) eps / 2 relative at most."""
    n_levels = int(block.max()) + 1
    within_block = float(_within_squares(d, block[None], n_levels)[0])
    left = within + within_block - total
    rounding = (len(d) + max(n_groups, n_levels) / 2 + 2) * np.finfo(np.float64).eps
    return left if abs(left) > rounding * (total + within + within_block) else 0.0


def spread_share(matrix: PairwiseMatrix, column: str) -> float:
    """SS_between / SS_total of the levels of a column, see `permanova`."""
    d = run_divergences(matrix)
    names, codes = levels(matrix.points, column)
    return float(1 - _within_squares(d, codes[None], len(names))[0] / (d.sum() / (2 * len(d))))


def _exchange(
    points: Points, factor: str, groups: NDArray[np.intp], strata: tuple[str, ...], block: str | None
) -> tuple[NDArray[np.intp], _Exchange, tuple[str, ...]]:
    """The order of runs [n], what is exchanged in that order, and the columns that tell whole configurations apart."""
    stratum = _strata(points, strata)
    if block is not None:
        levels_of_block = block_codes(points, (*strata, factor), block)
        configuration, telling = whole_configurations(points, (*strata, factor), levels_of_block)
        if telling:
            first = np.unique(configuration, return_index=True)[1]
            order = np.lexsort((points["run"], configuration))
            return order, _Exchange(configuration[order], groups[first], stratum[first]), telling
        stratum = _strata(points, (*strata, block))
    order = np.lexsort((points["run"], stratum))
    return order, _Exchange(np.arange(len(points)), groups[order], stratum[order]), ()


def _strata(points: Points, columns: tuple[str, ...]) -> NDArray[np.intp]:
    """Numbers [n] that are equal for runs that agree in all columns."""
    if not columns:
        return np.zeros(len(points), dtype=np.intp)
    codes = np.stack([levels(points, column, "strata")[1] for column in columns], axis=1)
    return np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)


def _groupings(groups: NDArray[np.intp], stratum: NDArray[np.intp]) -> int:
    """In how many ways exchanges within strata can group the runs: those that only rename groups are one.

    prod_s n_s! / prod_g n_sg!, over the renamings: m! for every m groups of equal counts in all strata.
    """
    counts = np.zeros((stratum.max() + 1, groups.max() + 1), dtype=np.int64)
    np.add.at(counts, (stratum, groups), 1)
    labellings = prod(factorial(sum(row)) // prod(map(factorial, row)) for row in counts.tolist())
    alike = np.unique(counts, axis=1, return_counts=True)[1]
    return labellings // prod(map(factorial, alike.tolist()))


def _relabellings(
    groups: NDArray[np.intp], stratum: NDArray[np.intp], permutations: int, batch: int, seed: int
) -> Iterator[NDArray[np.intp]]:
    """The labels of units sorted by stratum, exchanged within strata: [B, U] at a time."""
    rng = np.random.default_rng(seed)
    for start in range(0, permutations, batch):
        keys = rng.random((min(batch, permutations - start), len(groups)))
        yield groups[np.lexsort((keys, np.broadcast_to(stratum, keys.shape)), axis=1)]


def _within_squares(d: NDArray[np.float64], labels: NDArray[np.intp], n_groups: int) -> NDArray[np.float64]:
    """SS_W = sum_g z_g^T d z_g / (2 n_g) for each row of labels [B, n]; z_g [n] is 1 for the runs of group g."""
    z = (labels.T[:, :, None] == np.arange(n_groups)).astype(np.float64)
    dz = (d @ z.reshape(len(d), -1)).reshape(z.shape)
    return (np.einsum("nbg,nbg->bg", z, dz) / (2 * z.sum(axis=0))).sum(axis=1)
