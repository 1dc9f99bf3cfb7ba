"""Which factor of training predicts how far apart two configurations are: permutation importance, held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.words import listed
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.trajectories.configuration import configuration_matrix, configurations

SHUFFLES = 10
"""How often the column of a factor is shuffled; its importance is the mean."""
FEWEST = 3
"""The fewest configurations on either side of a split: two have a single pair, which has no variance."""


@dataclass(frozen=True, eq=False)
class FactorImportance:
    """How much worse the divergence between two configurations is predicted without one factor.

    Attributes:
        factors: the names of the columns [F].
        replicates: the drop in R^2 on held-out pairs when the column of a factor is shuffled, split by split [R, F].
        scores: R^2 on held-out pairs, split by split [R]; zero or below where nothing is predicted.
        in_sample: the same drop [F] when a forest is fitted to all pairs and scored on them, as published; it is
            positive for noise as well.
        n_configurations: K; the table has K (K - 1) / 2 pairs.
        protocol: what was held out, in words.
        seed: of splits, forests and shuffles.
    """

    factors: tuple[str, ...]
    replicates: NDArray[np.float64]
    scores: NDArray[np.float64]
    in_sample: NDArray[np.float64]
    n_configurations: int
    protocol: str
    seed: int

    @property
    def importance(self) -> NDArray[np.float64]:
        """The mean over splits [F]."""
        return self.replicates.mean(axis=0)

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """Standard deviation over splits / sqrt(R) [F].

        Splits share configurations: it describes this table and says nothing of other ones; to test, see `permanova`.
        """
        return self.replicates.std(axis=0, ddof=1) / np.sqrt(len(self.replicates))

    @property
    def score(self) -> float:
        """The mean R^2 on held-out pairs: an importance means little where this is near zero."""
        return float(self.scores.mean())


@dataclass(frozen=True, eq=False)
class _PairTable:
    """One row per pair of configurations k < l."""

    ends: NDArray[np.intp]  # [M, 2]
    codes: NDArray[np.intp]  # [M, F]: which unordered pair of levels, within its factor
    sizes: list[int]  # [F]: how many there are
    target: NDArray[np.float64]  # [M]

    def one_hot(self, codes: NDArray[np.intp]) -> NDArray[np.float32]:
        """Features [m, sum of sizes] of codes [m, F]."""
        return np.concatenate(
            [column[:, None] == np.arange(size) for column, size in zip(codes.T, self.sizes, strict=True)],
            axis=1,
            dtype=np.float32,
        )

    def among(self, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
        """The rows whose two configurations are both chosen."""
        return np.flatnonzero(np.isin(self.ends, chosen).all(axis=1))


def factor_importance(
    matrix: PairwiseMatrix,
    factors: Sequence[str],
    *,
    block: str | None = None,
    held_out: float = 0.25,
    repeats: int = 20,
    trees: int = 200,
    seed: int = 0,
) -> FactorImportance:
    """importance_f = R^2(y, forest(x)) - R^2(y, forest(x with the column of f shuffled)), on held-out pairs.

    The table has one row per pair of configurations (runs that agree in all factors). Its target y is the mean
    divergence between runs of the two, with a block between those of one level, as of one seed; its features x are the
    unordered pair of levels of each factor ("adam sgd"). A random forest learns the pairs among some configurations and
    is scored on the pairs among the others, which it has never seen from either side; so for several random splits.

        R^2 = 1 - (mean of (y - forest)^2 over held-out pairs) / (variance of y over all pairs)

    with one denominator for all splits, so a split whose few pairs happen to be alike does not outweigh the others.
    Factors that are tied to each other (a learning rate that follows the batch size) share their importance: name
    one of them only. A drop can exceed 1, for a shuffled column misleads.

    Almost all of the time goes into fitting forests: 20 of 200 trees take seconds for 24 configurations and a minute
    for 216 (13,000 pairs) on two cores.

    Args:
        matrix: divergences between whole trajectories [R, R], one row per run.
        factors: the columns of its points that describe a configuration, without the seed.
        block: a column whose levels return in every configuration, usually the seed.
        held_out: the share of configurations to hold out.
        repeats: how many splits.
        trees: of each forest.
        seed: of splits, forests and shuffles.

    Raises:
        InputError: no such column, a run without a value, a factor with one level, a block that is not crossed with
            them, too few configurations, all of them equally far apart, a rectangular matrix, or one with several
            points of a run.

    Source: Mao et al., PNAS 121 (2024) e2310002121, whose code scores on the table that it was fitted to
    (`in_sample`); the forest and the held-out configurations are ours.
    """
    if not 0 < held_out < 1:
        raise InputError(f"held_out: {held_out}; give a share of the configurations between 0 and 1")
    if repeats < 2 or trees < 1:
        raise InputError(f"repeats: {repeats} with {trees} trees; give at least 2 repeats and 1 tree")
    names = (factors,) if isinstance(factors, str) else tuple(factors)
    table, n_configurations = _pair_table(matrix, names, block)
    n_held = _held(n_configurations, held_out, names)
    scale = float(table.target.var())
    rng = np.random.default_rng(seed)
    replicates, scores = [], []
    for _ in range(repeats):
        order = rng.permutation(n_configurations)
        score, drops = _score(table, table.among(order[n_held:]), table.among(order[:n_held]), trees, scale, rng)
        scores.append(score)
        replicates.append(drops)
    everything = np.arange(len(table.target))
    return FactorImportance(
        factors=names,
        replicates=np.stack(replicates),
        scores=np.asarray(scores),
        in_sample=_score(table, everything, everything, trees, scale, rng)[1],
        n_configurations=n_configurations,
        protocol=(
            f"{n_held} of {n_configurations} configurations held out, in {repeats} random splits; forests of {trees} "
            "trees fitted to the pairs among the others and scored on the pairs among those held out"
        ),
        seed=seed,
    )


def _held(n_configurations: int, held_out: float, factors: tuple[str, ...]) -> int:
    """How many configurations are held out: the share, rounded."""

    def enough(size: int) -> bool:
        return FEWEST <= int(held_out * size + 0.5) <= size - FEWEST

    if not enough(n_configurations):
        needed = next(size for size in count(2 * FEWEST) if enough(size))
        raise InputError(
            f"factors: there are {n_configurations} configurations of {listed(factors)}; it takes at least {needed} to "
            f"hold out a share of {held_out:g} with {FEWEST} or more on either side"
        )
    return int(held_out * n_configurations + 0.5)


def _pair_table(matrix: PairwiseMatrix, factors: Sequence[str], block: str | None = None) -> tuple[_PairTable, int]:
    """The table of pairs, and K."""
    found = configurations(matrix.points, factors)
    for factor, values in zip(found.factors, found.levels, strict=True):
        if len(values) < 2:
            raise InputError(f"factors: '{factor}' has one level, {values[0]}; leave it out")
    means = configuration_matrix(matrix, found.factors, block).to_numpy()
    ends = np.stack(np.triu_indices(len(found), 1), axis=1)
    target = means[ends[:, 0], ends[:, 1]]
    if np.ptp(target) <= len(matrix.points) * np.finfo(np.float64).eps * target.max():
        raise InputError("matrix: all configurations are equally far apart; there is nothing to predict")
    low, high = np.sort(found.level_codes[ends], axis=1).transpose(1, 0, 2)
    pairs = low * [len(values) for values in found.levels] + high
    codes = [np.unique(column, return_inverse=True)[1] for column in pairs.T]
    return _PairTable(ends, np.stack(codes, axis=1), [int(c.max()) + 1 for c in codes], target), len(found)


def _score(
    table: _PairTable,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    trees: int,
    scale: float,
    rng: np.random.Generator,
) -> tuple[float, NDArray[np.float64]]:
    """R^2 on the rows `test` of a forest fitted to the rows `train`, and its drop for each factor [F]."""
    from sklearn.ensemble import RandomForestRegressor

    forest: Any = RandomForestRegressor(n_estimators=trees, random_state=int(rng.integers(2**31)), n_jobs=-1)
    forest.fit(table.one_hot(table.codes[train]), table.target[train])
    forest.set_params(n_jobs=1)  # threads would add up the trees in an order of their own: not the same numbers twice
    codes, target = table.codes[test], table.target[test]

    def sq_error(rows: NDArray[np.intp]) -> float:
        distinct, of_row = np.unique(rows, axis=0, return_inverse=True)  # few: combinations of levels repeat
        predicted = forest.predict(table.one_hot(distinct))[of_row.reshape(-1)]
        return float(np.square(predicted.reshape(-1, len(target)) - target).mean()) / scale

    kept = sq_error(codes)
    drops = np.empty(len(table.sizes))
    for f in range(len(drops)):
        shuffled = np.tile(codes, (SHUFFLES, 1, 1))
        shuffled[:, :, f] = rng.permuted(shuffled[:, :, f], axis=1)
        drops[f] = sq_error(shuffled.reshape(-1, len(drops))) - kept
    return 1 - kept, drops
