"""Divergences by disjoint groups of samples: how sure a divergence matrix is, from the computation that makes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.arguments import check_divergence, check_record, check_whole
from infogeo.core.errors import InputError
from infogeo.core.jackknife import jackknife, t_factor
from infogeo.core.predictions import LogProbReader, Predictions
from infogeo.divergences.base import Divergence
from infogeo.pairwise.directory import Tile
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.plan import Layout, Plan, plan_pairwise, sample_step, side
from infogeo.pairwise.run import Progress, computed
from infogeo.pairwise.tile import DEVIATION_SCALE

GROUPS = 16
"""The standard error of a standard error from R groups is about 1 / sqrt(2 (R - 1)) of it: 18 % here."""
TOTAL_BYTES = 8
"""Of a pair of points in the total after a group."""


@dataclass(frozen=True, eq=False)
class SampleGroups:
    """A divergence matrix, and what disjoint groups of the probe samples say apart from it.

    d = sum_r n_r d_r / N, where d_r is the mean over the n_r samples of group r. Samples are assigned to groups at
    random, so the groups are exchangeable and the spread of d_r tells the error of d.

    Attributes:
        matrix: d, the divergences by all samples.
        sizes: n_r [R].
        seed: of the assignment.
        tiles: (rows, columns, deviations d_r - d in units of 1 / 64 nats, float16 [R, rows, columns]), on and above
            the diagonal.
    """

    matrix: PairwiseMatrix
    sizes: NDArray[np.int64]
    seed: int
    tiles: tuple[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float16]], ...]

    @property
    def n_groups(self) -> int:
        """R."""
        return len(self.sizes)

    def without(self, group: int) -> NDArray[np.float64]:
        """The divergences [P, P] by all samples but those of a group: d - n_r / (N - n_r) (d_r - d)."""
        share = self.sizes[group] / (self.sizes.sum() - self.sizes[group])
        values = self.matrix.to_numpy()
        for rows, columns, apart in self.tiles:
            step = share / DEVIATION_SCALE * apart[group].astype(np.float64)
            values[np.ix_(rows, columns)] -= step
            if rows is not columns:
                values[np.ix_(columns, rows)] -= step.T
        return values

    def standard_error(self) -> NDArray[np.float64]:
        """The standard error of each divergence [P, P], by the jackknife; it has R - 1 degrees of freedom.

        It is the error of the mean over samples, as if the probe set were drawn at random from all that might be asked.
        """
        errors = np.zeros(self.matrix.shape)
        share = (self.sizes / (self.sizes.sum() - self.sizes))[:, None, None]
        for rows, columns, apart in self.tiles:
            left_out = -share / DEVIATION_SCALE * apart.astype(np.float64)
            found = jackknife(np.zeros(apart.shape[1:]), left_out, self.sizes).standard_error
            errors[np.ix_(rows, columns)] = found
            errors[np.ix_(columns, rows)] = found.T
        return errors

    def interval(self, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The lower and the upper end [P, P] of the interval of each divergence (Student's t)."""
        values, reach = self.matrix.to_numpy(), t_factor(level, self.n_groups - 1) * self.standard_error()
        return values - reach, values + reach


def divergence_by_groups(
    predictions: Predictions,
    divergence: Divergence,
    *,
    groups: int = GROUPS,
    seed: int = 0,
    progress: Progress | None = None,
    memory: int | None = None,
) -> SampleGroups:
    """The divergences of `pairwise_divergence`, and those by R disjoint groups of samples, from one computation.

    Groups are nearly of equal size, whole numbers of the samples that are summed at once (16, with many classes 2), and
    one takes the rest. They take R P^2 bytes more.

    Args:
        predictions: P checkpoints on one probe set.
        divergence: which divergence.
        groups: R at most; fewer where N / 16 (N / 2) or the memory is less.
        seed: of the assignment of samples to groups.
        progress: called with (tiles done, tiles in all).
        memory: the bytes that the computation may take.

    Raises:
        InputError: too few samples or too little memory for two groups, or less than two groups asked for.
    """
    check_record("predictions", predictions, Predictions)
    check_divergence(divergence)
    check_whole("groups", groups, least=2)
    n, points = predictions.n_samples, predictions.n_points
    step = sample_step(divergence, predictions.n_classes)
    if n < 2 * step:
        raise InputError(f"errors: {n} samples are too few for two groups; {2 * step} are enough")
    groups = min(groups, n // step)
    held = _in_memory(predictions)
    if memory is not None:
        least = plan_pairwise(held, divergence, memory=memory).memory_bytes
        of_group = points**2 + _bytes_of_totals(plan_pairwise(held, divergence))
        groups = min(groups, (memory - least) // of_group)
        if groups < 2:
            need = -(-(least + 2 * of_group) // 2**20)
            raise InputError(f"memory: {memory} bytes are not enough for errors; this needs at least {need} MB")
    usual = Layout.of(predictions, divergence)
    samples = min(usual.samples, step * (n // (groups * step)))
    order = np.random.default_rng(seed).permutation(n)
    dealt = replace(held, log_probs=_InOrder(held.log_probs, order))
    layout = Layout(usual.blocks, samples)
    plan = plan_pairwise(dealt, divergence, layout=layout)
    if memory is not None:
        for _ in range(2):  # the strips of a bounded plan are longer, and those of a tighter one no longer than these
            reserved = points**2 * (8 + groups) + groups * _bytes_of_totals(plan)
            plan = plan_pairwise(dealt, divergence, memory=memory - reserved, layout=layout)
    counts = [len(part) for part in np.array_split(np.arange(n // samples), groups)]
    counts[-1] += n % samples > 0
    sizes = np.diff(np.minimum(np.cumsum([0, *counts]) * samples, n))
    tiles: list[Tile] = []
    matrix = computed(plan, dealt, divergence, tuple(counts), tiles.append, progress)
    apart = ((plan.rows[made.row], plan.rows[made.column], made.deviations) for made in tiles)
    return SampleGroups(matrix, sizes, seed, tuple((i, j, x) for i, j, x in apart if x is not None))


def _bytes_of_totals(plan: Plan) -> int:
    """What the totals after each group take while the strips of a plan are computed."""
    longest = max(len(strip.rows) for group in plan.groups for strip in group.strips)
    return TOTAL_BYTES * plan.workers * longest * side(plan.rows[0]) ** 2


@dataclass(frozen=True)
class _InOrder:
    """Log-probabilities with their samples in another order."""

    log_probs: LogProbReader
    order: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.log_probs.shape

    @property
    def nbytes(self) -> int:
        """The bytes in memory of what is reordered."""
        return int(getattr(self.log_probs, "nbytes", 0))

    def __getitem__(self, block: slice | tuple[slice, slice], /) -> NDArray[np.float32]:
        points, samples = block if isinstance(block, tuple) else (block, slice(None))
        log_probs: Any = self.log_probs[points]
        return np.take(log_probs, self.order[samples], axis=1)


def _in_memory(predictions: Predictions) -> Predictions:
    """The same; what lies on disk is read, since groups take samples from everywhere."""
    if isinstance(predictions.log_probs, np.ndarray):
        return predictions
    return replace(predictions, log_probs=np.asarray(predictions.log_probs[:]))
