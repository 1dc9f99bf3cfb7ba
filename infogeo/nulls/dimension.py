"""The dimension against scale of data, beside that of a null model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from infogeo.core.arguments import check_divergence, check_null, check_record, check_whole
from infogeo.core.predictions import Predictions
from infogeo.dimension.extrapolated import MOST_NEIGHBOURS
from infogeo.dimension.neighbours import nearest_neighbours
from infogeo.dimension.records import DimensionCurve, DimensionNull
from infogeo.dimension.study import scale_curve
from infogeo.divergences.base import Divergence
from infogeo.embed.inpca import inpca
from infogeo.nulls.model import NullModel, derived
from infogeo.nulls.subsample import SMALL, Subsample
from infogeo.nulls.within_class import WITHIN_CLASS
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.run import pairwise_divergence

AXES = 20


def dimension_null(
    predictions: Predictions,
    divergence: Divergence,
    *,
    null: NullModel = WITHIN_CLASS,
    replicates: int = 20,
    subsample: Subsample | None = SMALL,
    seed: int = 0,
    memory: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DimensionNull:
    """The dimension against scale, and the explained stress, of data sets under a null model and of the data.

    Both on the same part of the data, as in `explained_stress_null`: a dimension depends on how dense the points are.

    Args:
        predictions: P checkpoints.
        divergence: which divergence.
        null: which null model; its docstring says which claim it tests.
        replicates: R, how many data sets under the null; parallel analysis at the level 0.95 takes 20.
        subsample: which part of the data is compared; None for all.
        seed: of the null and of the part.
        memory: the bytes that the divergences may take; see `plan_pairwise`.
        progress: called with (replicates done, replicates in all).

    Raises:
        InputError: no replicate is wanted, the null cannot be made of these predictions, or they are too few for a
            dimension.
    """
    check_record("predictions", predictions, Predictions)
    check_divergence(divergence)
    check_null(null)
    check_whole("replicates", replicates)
    part = predictions if subsample is None else subsample.of(predictions, derived(seed, 0), memory)
    data, stress = _looked_at(pairwise_divergence(part, divergence, memory=memory), "data")
    rounds = replicates if null.random else 1
    curves, stresses = [], np.empty((rounds, AXES))
    for r in range(rounds):
        matrix = pairwise_divergence(null.replicate(part, derived(seed, 1, r)), divergence, memory=memory)
        curve, stresses[r] = _looked_at(matrix, f"replicate {r + 1}")
        curves.append(curve)
        if progress is not None:
            progress(r + 1, rounds)
    return DimensionNull(null.words, tuple(curves), data, stress, stresses)


def _looked_at(matrix: PairwiseMatrix, name: str) -> tuple[DimensionCurve, np.ndarray]:
    stress = inpca(matrix, AXES).explained_stress
    curve = scale_curve(nearest_neighbours(matrix, MOST_NEIGHBOURS), name)
    return curve, np.append(stress, np.ones(AXES - len(stress)))
