"""PERMANOVA: does a factor of training separate trajectories, by a permutation test on their divergences?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import factorial, prod

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.trajectories.configuration import levels, run_divergences

BLOCK_BYTES = 2**25
"""What the group indicators of a block of permutations, and their products, may take together."""


@dataclass(frozen=True)
class FactorTest:
    """How far one factor separates the runs, and how often chance does as well.

    Attributes:
        factor: the column that was tested.
        pseudo_f: ((SS_T - SS_W) / (a - 1)) / (SS_W / (n - a)); infinite where groups have no spread at all.
        p_value: (1 + #{F_permuted >= F}) / (1 + permutations), and no less than `smallest_p`.
        r_squared: SS_between / SS_total; below zero only for divergences that are far from Euclidean.
        smallest_p: 1 / the number of ways to group the runs by relabelling them (within strata), or
            1 / (1 + permutations) where that is larger.
        permutations: how many relabellings were drawn.
        n_groups: a, the levels of the factor.
        n_runs: n.
        strata: the columns within which labels were exchanged.
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

    def sentence(self) -> str:
        """In plain words: what the factor accounts for, and whether chance would do as well."""
        within = f" among runs that agree in {', '.join(self.strata)}" if self.strata else ""
        opening = (
            f"{self.factor} accounts for {100 * self.r_squared:.1f} % of the spread of {self.n_runs} runs in "
            f"{self.n_groups} groups (pseudo-F {self.pseudo_f:.3g}). Against {self.permutations} random exchanges of "
            f"its labels{within}, p = {self.p_value:.2g}"
        )
        if self.smallest_p > 0.05:
            return f"{opening}; with so few runs to exchange, p cannot be below {self.smallest_p:.2g}: add runs."
        if self.p_value > 0.05:
            return f"{opening}: no evidence that it separates the trajectories."
        least = " (it cannot be smaller)" if self.p_value == self.smallest_p else ""
        return f"{opening}{least}: the groups differ, in place or in spread, by more than chance."


def permanova(
    matrix: PairwiseMatrix,
    factor: str,
    *,
    strata: str | Sequence[str] = (),
    permutations: int = 999,
    seed: int = 0,
) -> FactorTest:
    """F = ((SS_T - SS_W) / (a - 1)) / (SS_W / (n - a)), tested by exchanging the labels of runs.

        SS_T = sum_{i<j} d_ij / n        SS_W = sum_g sum_{i<j in g} d_ij / n_g

    for n runs in a groups g of n_g runs. d is a divergence and enters as it is, in the place of the squared distance.

    With strata, labels are exchanged only among runs that agree in all of these columns: for crossed factors, test
    one with all others as strata. F stays that of the factor alone; what the strata spread remains in SS_W. Groups
    that have one centre but different spreads can be significant too. The result does not depend on the order of
    the runs. The time is that of 2 n^2 a multiplications and additions per permutation.

    Args:
        matrix: divergences between whole trajectories [n, n], one row per run.
        factor: the column of its points to test.
        strata: a column or columns that hold what must not be exchanged.
        permutations: how many relabellings to draw; p cannot be below 1 / (1 + permutations).
        seed: of the permutations.

    Raises:
        InputError: no such column; a run without a value; the factor has one level, or one for every run; nothing
            can be exchanged within the strata; a rectangular matrix, or one with several points of a run.

    Source: Anderson, Austral Ecology 26 (2001) 32; the +1 of p: Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 9
    (2010) 39.
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
    stratum = _strata(points, strata)
    n_groupings = _groupings(groups, stratum)
    if n_groupings == 1:
        raise InputError(
            f"strata: no exchange among runs that agree in {', '.join(strata)} changes which runs share a '{factor}'; "
            "leave a column out, or add runs that differ in the factor alone"
        )
    order = np.lexsort((points["run"], stratum))
    d, groups, stratum = d[np.ix_(order, order)], groups[order], stratum[order]

    total = float(d.sum()) / (2 * n)
    if total == 0:
        raise InputError("matrix: all divergences are zero; there is nothing to separate")
    within = float(_within_squares(d, groups[None], a)[0])
    blocks = _relabellings(groups, stratum, permutations, max(1, BLOCK_BYTES // (17 * n * a)), seed)
    # Sums of n, n and a terms, none negative, are off by (2n + a + 2) eps / 2 relative at most, two of them by twice
    # that. F falls with SS_W, so F_permuted >= F where SS_W is no larger.
    reach = within * (1 + (2 * n + a + 4) * np.finfo(np.float64).eps)
    reached = sum(int((_within_squares(d, labels, a) <= reach).sum()) for labels in blocks)
    smallest_p = 1 / min(n_groupings, permutations + 1)
    return FactorTest(
        factor=factor,
        pseudo_f=(total - within) / (a - 1) / (within / (n - a)) if within > 0 else float("inf"),
        p_value=max((1 + reached) / (1 + permutations), smallest_p),
        r_squared=(total - within) / total,
        smallest_p=smallest_p,
        permutations=permutations,
        n_groups=a,
        n_runs=n,
        strata=strata,
    )


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
    groups: NDArray[np.intp], stratum: NDArray[np.intp], permutations: int, block: int, seed: int
) -> Iterator[NDArray[np.intp]]:
    """The labels of runs sorted by stratum, exchanged within strata: [B, n] at a time."""
    rng = np.random.default_rng(seed)
    for start in range(0, permutations, block):
        keys = rng.random((min(block, permutations - start), len(groups)))
        yield groups[np.lexsort((keys, np.broadcast_to(stratum, keys.shape)), axis=1)]


def _within_squares(d: NDArray[np.float64], labels: NDArray[np.intp], n_groups: int) -> NDArray[np.float64]:
    """SS_W = sum_g z_g^T d z_g / (2 n_g) for each row of labels [B, n]; z_g [n] is 1 for the runs of group g."""
    z = (labels.T[:, :, None] == np.arange(n_groups)).astype(np.float64)
    dz = (d @ z.reshape(len(d), -1)).reshape(z.shape)
    return (np.einsum("nbg,nbg->bg", z, dz) / (2 * z.sum(axis=0))).sum(axis=1)
