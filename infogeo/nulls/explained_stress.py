"""From predictions to their explained stress and that of a null model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from infogeo.core.arguments import check_divergence, check_null, check_record, check_whole
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import Divergence
from infogeo.embed.inpca import inpca
from infogeo.embed.weights import PointWeights, point_weights
from infogeo.nulls.comparison import NullComparison
from infogeo.nulls.model import NullModel, derived
from infogeo.nulls.subsample import SMALL, Subsample
from infogeo.nulls.within_class import WITHIN_CLASS
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.run import pairwise_divergence

AXES = 10
"""How many axes are compared where the stress of all of the data is not given."""


def explained_stress_null(
    predictions: Predictions,
    divergence: Divergence,
    statistic: NDArray[np.float64] | None = None,
    *,
    null: NullModel = WITHIN_CLASS,
    weights: PointWeights | None = None,
    replicates: int = 20,
    subsample: Subsample | None = SMALL,
    seed: int = 0,
    memory: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NullComparison:
    """The explained stress of the data beside that of data sets under a null model, on the same points and samples.

    By default on a part of the data, at most 400 checkpoints and 1000 samples: each replicate costs as much as a map
    of its own. The stress depends on how many points there are and which, so that of the data is computed on the
    same part: like is compared with like. Every replicate has a seed of its own, derived from `seed`.

    Args:
        predictions: P checkpoints.
        divergence: which divergence.
        statistic: the explained stress of all of the data [K], from `inpca`, for the record; it sets K, else 10.
        null: which null model; its docstring says which claim it tests.
        weights: how the points of the map are weighted. The data and the replicates get the weights that the rule
            gives the data, on the part that is compared.
        replicates: R, how many data sets under the null; p-values cannot be below 1 / (1 + R).
        subsample: which part of the data is compared; None for all.
        seed: of the null and of the part.
        memory: the bytes that the divergences may take; see `plan_pairwise`.
        progress: called with (replicates done, replicates in all).

    Raises:
        InputError: no replicate is wanted, or the null cannot be made of these predictions, see its `replicate`.
    """
    check_record("predictions", predictions, Predictions)
    check_divergence(divergence)
    check_null(null)
    check_whole("replicates", replicates)
    k = AXES if statistic is None else len(statistic)
    free = None if memory is None else memory - predictions.bytes_in_memory
    part = predictions if subsample is None else subsample.of(predictions, derived(seed, 0), free)
    copied = part is not predictions and isinstance(part.log_probs, np.ndarray)
    limit = free if copied else memory  # the data stay in memory beside a copy of a part of them
    matrix = pairwise_divergence(part, divergence, memory=limit)
    given = point_weights(matrix, weights)
    rounds = replicates if null.random else 1
    stresses = np.empty((rounds, k))
    for r in range(rounds):
        replicate = null.replicate(part, derived(seed, 1, r))
        stresses[r] = _stress(pairwise_divergence(replicate, divergence, memory=limit), k, given)
        if progress is not None:
            progress(r + 1, rounds)
    return NullComparison(
        statistic=_stress(matrix, k, given),
        replicates=stresses,
        null_model=null.words,
        seed=seed,
        model=null,
        n_points=part.n_points,
        n_samples=part.n_samples,
        full_statistic=statistic,
    )


def _stress(matrix: PairwiseMatrix, k: int, weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """The explained stress of k axes [k]: all of it beyond the axes that there are."""
    found = inpca(matrix, k, weights).explained_stress
    return np.append(found, np.ones(k - len(found)))
