"""Everything that a comparison of runs says, made from predictions in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.predictions import Predictions
from infogeo.core.words import listed, percent
from infogeo.divergences.base import Divergence
from infogeo.geometry.geodesic import Geodesic
from infogeo.geometry.progress import GeodesicProgress
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.trajectories.block import Block, find_block
from infogeo.trajectories.configuration import block_codes, configuration_matrix, levels
from infogeo.trajectories.distances import at_steps, trajectory_divergence
from infogeo.trajectories.group_test import FactorTest, permanova, spread_share
from infogeo.trajectories.importance import FactorImportance, factor_importance
from infogeo.trajectories.progress import PUBLISHED, Progress, progress_of
from infogeo.trajectories.reindex import GRID, common_grid, reached, reindexed
from infogeo.trajectories.same_road import Pace, pace
from infogeo.trajectories.shape import Shapes, shapes
from infogeo.trajectories.tube import Tubes, tubes

SIGNIFICANT = 0.05
"""A p-value up to here is called evidence, each factor by itself: no correction is made for their number."""
SLIGHT = 0.01
"""A factor with less than this of the spread is said to shift trajectories, not to separate them."""

Stage = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""Names a part of the work and gives a function (done, in all) for its progress."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """How the trajectories of runs compare, and which factors of training separate them.

    Attributes:
        factors: the columns that were compared.
        progress: of all P checkpoints.
        shapes: lengths and speeds.
        grid: the T values of progress that all runs pass, at which they were compared.
        matrix: divergences between runs [R, R], integrated over equal progress.
        at_equal_steps: the same at the steps that all runs have, weighted by the progress that runs make there on
            average; None where runs share fewer than two steps within the grid.
        configurations: divergences between configurations [K, K], means over runs, of one level of the block.
        importance: of each factor on held-out configurations; None where there are too few, see `notes`.
        tests: one per factor, within the levels of all others where that leaves something to exchange.
        paces: one per factor, from equal progress and equal steps at the same places; empty without `at_equal_steps`.
        tubes: spread of runs around the mean of their configuration.
        notes: what was left out, and why, in sentences.
        block: within whose levels runs were compared, usually the seed; None where runs of a configuration were taken
            as independent repeats.
    """

    factors: tuple[str, ...]
    progress: Progress
    shapes: Shapes
    grid: NDArray[np.float64]
    matrix: PairwiseMatrix
    at_equal_steps: PairwiseMatrix | None
    configurations: PairwiseMatrix
    importance: FactorImportance | None
    tests: tuple[FactorTest, ...]
    paces: tuple[Pace, ...]
    tubes: Tubes
    notes: tuple[str, ...]
    block: Block | None = None

    def sentence(self) -> str:
        """The answer: which factors separate the trajectories, each with its share of the spread and its p-value."""
        ranked = sorted(self.tests, key=lambda test: -test.r_squared)
        weak = [t for t in ranked if t.smallest_p > SIGNIFICANT]
        found = [t for t in ranked if t.p_value <= SIGNIFICANT]
        clear, slight = ([t for t in found if (t.r_squared >= SLIGHT) == large] for large in (True, False))
        others = [t for t in ranked if t not in found and t not in weak]
        parts = []
        if clear:
            parts.append(f"{_shares(clear)} separate{_s(clear)} the trajectories at equal progress")
        if slight:
            parts.append(f"{_shares(slight)} shift{_s(slight)} the trajectories by little, though by more than chance")
        if others:
            names = listed([f"{t.factor} (p = {t.p_value:.2g})" for t in others], "or")
            parts.append(f"there is no evidence that {names} separates the trajectories")
        if weak:
            names = listed([f"{t.factor} (p cannot be below {t.smallest_p:.2g})" for t in weak], "or")
            parts.append(f"there are too few runs to tell whether {names} separates the trajectories")
        return "; ".join(parts)[0].upper() + "; ".join(parts)[1:] + "."


def compare_runs(
    predictions: Predictions,
    factors: Sequence[str],
    divergence: Divergence,
    *,
    definition: GeodesicProgress = PUBLISHED,
    along: Geodesic | None = None,
    block: str | bool = True,
    permutations: int = 999,
    seed: int = 0,
    memory: int | None = None,
    stage: Stage | None = None,
) -> Comparison:
    """Compare the trajectories of runs at equal progress, and test which factors separate them.

    Progress is along the geodesic from ignorance to truth, or another one. Runs are taken at the values of progress
    that all of them pass, out of 0.01, 0.02, ..., 1, and their divergences are averaged over these.

    A block is a column whose levels return in every configuration, such as a seed from which all of them begin alike.
    Runs are then compared within one level alone, in tests, ratios and divergences between configurations, and what the
    levels differ by is set apart. Without a block, runs of one configuration are taken as independent repeats.

    Args:
        predictions: P checkpoints of R runs, with labels.
        factors: columns of metadata that are constant along a run, for example the architecture.
        divergence: which divergence.
        definition: of progress.
        along: the geodesic, see `geodesic`; needed where labels are not known.
        block: its column; True for the column `seed`, or without one the only column that tells the runs of a
            configuration apart, where all configurations have the same levels; False for no block.
        permutations: of each test.
        seed: of permutations, splits and draws.
        memory: the bytes that a matrix of divergences may take.
        stage: told of each part of the work.

    Raises:
        InputError: neither labels nor a geodesic, a factor that is missing, has one level, one for every run, or
            changes along a run, a block that is missing or not crossed with the factors, fewer than three runs, or
            runs that share no progress.
    """
    names = (factors,) if isinstance(factors, str) else tuple(factors)
    check(predictions, names, along, block)
    during = stage or _silent
    with during("progress") as report:
        found = progress_of(predictions, definition, along, report)
    grid = common_grid(found)
    with during("lengths") as report:
        shape = shapes(predictions, found, report)
    equal = reindexed(predictions, found, grid)
    with during("divergences") as report:
        matrix = trajectory_divergence(equal, divergence, memory=memory, report=report)
    with during("tubes") as report:
        spread = tubes(equal, names, report=report)
    notes = _notes(found, grid)
    column, near_miss = find_block(matrix.points, names) if block is True else (block or None, None)
    notes += [near_miss] if near_miss else []
    if along is not None:
        notes.insert(0, "Progress is measured along a geodesic that was given, not towards truth.")
    in_time, paces = None, ()
    nodes = _nodes(found, grid)
    if nodes is None:
        notes.append(
            f"Runs have fewer than two steps in common between progress {grid[0]:.2f} and {grid[-1]:.2f}, so they are "
            "not compared at equal steps, and there are no ratios."
        )
    else:
        with during("equal steps") as report:
            there, here = at_steps(predictions, nodes.steps), reindexed(predictions, found, nodes.progress)
            options = {"weights": nodes.weights, "memory": memory}
            in_time = trajectory_divergence(there, divergence, report=report, **options)
            paces = _paces(trajectory_divergence(here, divergence, **options), in_time, names, column, seed)
    with during("tests") as report:
        tests = []
        for done, name in enumerate(names):
            tests.append(_test(matrix, name, names, column, permutations, seed, notes))
            report(done + 1, len(names))
    with during("importance") as report:
        try:
            importance = factor_importance(matrix, names, block=column, seed=seed)
        except InputError as error:
            importance = None
            notes.append(f"Importance is left out: {str(error).partition(': ')[2]}.")
        report(1, 1)
    return Comparison(
        factors=names,
        progress=found,
        shapes=shape,
        grid=grid,
        matrix=matrix,
        at_equal_steps=in_time,
        configurations=configuration_matrix(matrix, names, column),
        importance=importance,
        tests=tuple(tests),
        paces=paces,
        tubes=spread,
        notes=tuple(notes),
        block=None if column is None else _block(matrix, column, block is True),
    )


@contextmanager
def _silent(_: str) -> Iterator[Callable[[int, int], None]]:
    yield lambda done, total: None


def check(
    predictions: Predictions, factors: tuple[str, ...], along: Geodesic | None = None, block: str | bool = True
) -> None:
    """Refuse what cannot be compared, before any work; see `compare_runs`."""
    points = predictions.points
    if not factors:
        raise InputError(f"group: name a column to compare by, of {', '.join(points.metadata) or 'the metadata'}")
    if len(points.runs) < 3:
        raise InputError(f"input: holds {len(points.runs)} runs; a comparison needs at least three")
    if predictions.labels is None and along is None:
        raise InputError(
            "labels: progress towards truth needs the true class of each sample; give labels, or an end point instead "
            "(along=, in the shell --end FILE)"
        )
    for name in factors:
        names, codes = levels(points, name, "group")
        if len(names) < 2:
            raise InputError(f"group: '{name}' has one level, {names[0]}; name a column in which runs differ")
        if len(names) == len(points.runs):
            raise InputError(f"group: every run has a '{name}' of its own; name a column whose values runs share")
        for run in points.runs:
            if len(np.unique(codes[points.of_run(run)])) > 1:
                raise InputError(f"group: '{name}' changes along run '{run}'; name a column that is constant in a run")
    single = [run for run in points.runs if len(points.of_run(run)) < 2]
    if single:
        raise InputError(f"input: run '{single[0]}' has one checkpoint, which is no trajectory; leave it out")
    if not isinstance(block, bool):
        runs = points.per_run()
        if block in points.metadata and block not in runs.columns:
            raise InputError(f"block: '{block}' changes along a run; name a column that is constant in a run")
        block_codes(runs, factors, block)


def _notes(found: Progress, grid: NDArray[np.float64]) -> list[str]:
    ends = reached(found)
    notes = []
    if len(grid) < len(GRID):
        latest, furthest = max(ends, key=lambda run: ends[run][0]), min(ends, key=lambda run: ends[run][1])
        ways = [f"run '{latest}' begins at {ends[latest][0]:.3f}"] if grid[0] > GRID[0] else []
        ways += [f"run '{furthest}' gets no further than {ends[furthest][1]:.3f}"] if grid[-1] < GRID[-1] else []
        notes.append(
            f"Runs are compared from progress {grid[0]:.2f} to {grid[-1]:.2f}, which all of them pass: {listed(ways)}."
        )
    lost = found.setbacks()
    if lost:
        worst = max(lost, key=lambda run: lost[run])
        notes.append(
            f"{len(lost)} of {len(ends)} runs {'goes' if len(lost) == 1 else 'go'} backwards at some checkpoint, "
            f"'{worst}' the most, by {lost[worst]:.2g}; each run is taken where it first passes a value of progress."
        )
    return notes


class _Nodes(NamedTuple):
    """Where runs are compared at equal steps: the steps, the mean progress there, and the weight of each."""

    steps: NDArray[np.int64]
    progress: NDArray[np.float64]
    weights: NDArray[np.float64]


def _nodes(found: Progress, grid: NDArray[np.float64]) -> _Nodes | None:
    """The steps that all runs have at which their mean progress grows within the grid; None where they are too few."""
    steps, counts = np.unique(found.points["step"], return_counts=True)
    shared = steps[counts == len(found.points.runs)]
    mean = np.array([found.values[found.points["step"] == step].mean() for step in shared])
    inside = (mean >= grid[0]) & (mean <= grid[-1])
    shared, mean = shared[inside], mean[inside]
    grows = mean > np.concatenate([[-1.0], np.maximum.accumulate(mean)[:-1]])
    shared, mean = shared[grows], mean[grows]
    if len(shared) < 2:
        return None
    made = np.diff(mean)
    return _Nodes(shared, mean, np.append(made, 0.0) / 2 + np.append(0.0, made) / 2)


def _test(
    matrix: PairwiseMatrix,
    name: str,
    names: tuple[str, ...],
    block: str | None,
    permutations: int,
    seed: int,
    notes: list[str],
) -> FactorTest:
    """PERMANOVA of one factor within the others, or without them where nothing is left to exchange."""
    others = tuple(other for other in names if other != name)
    try:
        return permanova(matrix, name, strata=others, block=block, permutations=permutations, seed=seed)
    except InputError as error:
        if not others or not str(error).startswith("strata"):
            raise
    notes.append(f"The factors are not crossed, so {name} is tested without regard to {listed(others)}.")
    return permanova(matrix, name, block=block, permutations=permutations, seed=seed)


def _paces(
    matrix: PairwiseMatrix, in_time: PairwiseMatrix, names: tuple[str, ...], block: str | None, seed: int
) -> tuple[Pace, ...]:
    """Each factor's, among runs that agree in the others."""
    others = {name: tuple(other for other in names if other != name) for name in names}
    return tuple(pace(matrix, in_time, name, alike_in=others[name], block=block, seed=seed) for name in names)


def _block(matrix: PairwiseMatrix, column: str, found: bool) -> Block:
    count = len(levels(matrix.points, column)[0])
    return Block(column, count, spread_share(matrix, column), found)


def _shares(tests: list[FactorTest]) -> str:
    """Factors with share and p-value; shares in whole per cent where that says anything."""
    of_each = [f"{100 * t.r_squared:.0f} %" if t.r_squared >= SLIGHT else percent(t.r_squared) for t in tests]
    return listed(
        [f"{t.factor} ({share} of the spread, p = {t.p_value:.2g})" for t, share in zip(tests, of_each, strict=True)]
    )


def _s(tests: list[FactorTest]) -> str:
    """The ending of a verb."""
    return "s" if len(tests) == 1 else ""
