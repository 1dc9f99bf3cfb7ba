"""Steps between neighbouring checkpoints, in difference form: accurate however small they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class StepTerms(NamedTuple):
    """What each sample contributes to a step; the step is its mean over samples.

    Attributes:
        bhattacharyya: -log BC, nats.
        hellinger: 1 - BC, from 0 to 1.
        sq_fisher: the squared Fisher length (2 arccos BC)^2, from 0 to pi^2; the Fisher step is the root of its mean.
    """

    bhattacharyya: NDArray[np.float64]
    hellinger: NDArray[np.float64]
    sq_fisher: NDArray[np.float64]


def step_terms(log_p: NDArray[np.float32], log_q: NDArray[np.float32]) -> StepTerms:
    """The terms [N] of a step from q to p, of log-probabilities [N, C] (nats, at the floor or above), in float64.

    With BC = sum_c sqrt(p q), the chord between square roots, chord^2 = sum_c (sqrt p - sqrt q)^2, gives all three:

        sqrt p - sqrt q = sqrt(q) expm1((log p - log q) / 2)
        1 - BC = chord^2 / 2,   -log BC = -log1p(-chord^2 / 2),   2 arccos BC = 4 arcsin(chord / 2).

    Nothing is subtracted from one, so small steps keep their accuracy; where BC < 1/2, -log BC is taken from the sum
    of products, so large steps do too. Rows are normalised in the difference: stored in float32 they sum to one
    within 1e-7 only, which is more than many a step.

    Relative error, against exact arithmetic on the same stored numbers, normalised: C units of float64 for the sums
    and |log p - log q| of them for exponentials, at most 1e-13 and typically 1e-15, for divergences of any size down
    to 1e-24. (The rounding u of the log masses moves all classes alike, which the chord sees as (u / chord)^2 only.)
    Equal rows are at exactly zero.

    Source: Amari, Information Geometry and Its Applications (2016), section 2.4, for the sphere of square roots.
    """
    x, y = log_p.astype(np.float64), log_q.astype(np.float64)
    p, q = np.exp(x), np.exp(y)
    mass_p, mass_q = p.sum(axis=-1), q.sum(axis=-1)
    log_ratio = x - y - np.log(mass_p / mass_q)[:, None]
    chord = np.linalg.norm(np.sqrt(q / mass_q[:, None]) * np.expm1(log_ratio / 2), axis=-1)
    hellinger = chord**2 / 2
    bhattacharyya = -np.log1p(-np.minimum(hellinger, 0.5))
    far = hellinger > 0.5
    overlap = np.sqrt(p[far] * q[far]).sum(axis=-1) / np.sqrt(mass_p[far] * mass_q[far])
    bhattacharyya[far] = -np.log(overlap)
    return StepTerms(bhattacharyya, hellinger, (4 * np.arcsin(chord / 2)) ** 2)
