"""The family between Hellinger and Bhattacharyya: what M replicas of the data would make of a divergence."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from infogeo.core.arguments import check_record
from infogeo.core.errors import InputError
from infogeo.divergences import Bhattacharyya
from infogeo.pairwise.matrix import PairwiseMatrix


def replicated_hellinger(matrix: PairwiseMatrix, replicas: float) -> PairwiseMatrix:
    """(1 - exp(-M d)) / M of a Bhattacharyya matrix d, in nats: the Hellinger divergence of M replicas, divided by M.

    The coefficient of M independent copies of the data is the M-th power. With M replicas of the N samples that d is a
    mean over, M = N is the squared Hellinger distance of the predictions of all samples together, per sample: it
    saturates at 1 / M, the curse of dimension. In the limit M to 0 (`replicas=0`) d itself remains, which is
    intensive: |difference| <= M d^2 / 2. For small distances every member is ds^2 / 8.

    Args:
        matrix: Bhattacharyya divergences, square or not.
        replicas: M, not negative.

    Raises:
        InputError: another divergence, or M negative or not finite.

    Source: Quinn et al., PNAS 116 (2019) 13762, eqs. 3-7 (there with the factor 8 of the Fisher scale).
    """
    check_record("matrix", matrix, PairwiseMatrix)
    if matrix.divergence != Bhattacharyya.name:
        raise InputError(f"matrix: holds {matrix.divergence} divergences; replicas need those of Bhattacharyya()")
    if not (replicas >= 0 and math.isfinite(replicas)):
        raise InputError(f"replicas: {replicas}; give a number from 0 on")
    values = matrix.to_numpy()
    if replicas > 0:
        values = -np.expm1(-replicas * values) / replicas
    return replace(matrix, values=values, divergence=f"Hellinger of {replicas:g} replicas")
