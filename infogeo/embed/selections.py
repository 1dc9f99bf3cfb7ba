"""Which points a map is fitted to, when it is not fitted to all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import Divergence
from infogeo.embed.view import view
from infogeo.pairwise.run import pairwise_divergence

POOL = 4
"""Candidates per landmark of `SpreadByDivergence`: their matrix is computed at once."""
GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it, modulo 1, fill the interval evenly, however many there are."""


class Landmarks(NamedTuple):
    """What was chosen.

    Attributes:
        rows: the row numbers [n] of the chosen points, ascending.
        weights: how much each counts in the map [n], see `inpca`; None where they count alike.
    """

    rows: NDArray[np.intp]
    weights: NDArray[np.float64] | None


class Selection(Protocol):
    """A way to choose landmarks; frozen, so that the same one chooses the same points again."""

    @property
    def n(self) -> int:
        """How many points it chooses."""
        ...

    def choose(self, predictions: Predictions, divergence: Divergence, memory: int | None = None) -> Landmarks:
        """The landmarks among P checkpoints, by a divergence that may take so much memory."""
        ...


@dataclass(frozen=True)
class SpreadByRun:
    """n points, evenly over runs and over the steps of each run; no divergence is looked at.

    Every run gives as many as the others, or one more, but no more than it has. Run r gives its checkpoints
    floor(T_r (j + phase_r) / n_r), j = 0..n_r - 1, of T_r in the order of steps: the phases, multiples of the golden
    ratio modulo 1, differ from run to run, so that all runs together cover the steps evenly.

    Attributes:
        n: how many.
    """

    n: int = 1000

    def choose(self, predictions: Predictions, divergence: Divergence, memory: int | None = None) -> Landmarks:
        """The landmarks among P checkpoints, by a divergence that may take so much memory.

        Raises:
            InputError: there are fewer points than n.
        """
        check_enough(self.n, predictions.n_points)
        runs = _rows_by_run(predictions.points)
        chosen = []
        for r, (own, count) in enumerate(zip(runs, _quotas([len(own) for own in runs], self.n), strict=True)):
            at = (np.arange(count) + (r + 1) * GOLDEN % 1) * len(own) / max(count, 1)
            chosen.append(own[at.astype(np.intp)])
        return Landmarks(np.sort(np.concatenate(chosen)), None)


@dataclass(frozen=True)
class SpreadByDivergence:
    """n points far from each other: each next one is that farthest from all chosen before (k-centre, greedily).

    The first is the most central one, of least mean divergence. The search looks at 4 n points, drawn at random, all
    of them where there are fewer, whose matrix is computed at once. Every point of this pool is then within twice the
    best possible covering radius of a landmark where the divergence obeys the triangle inequality. Rare points are
    chosen as readily as common ones; so that common ones shape the map as much as they do in a map of all points,
    each landmark weighs as many points of the pool as are nearest to it.

    Attributes:
        n: how many.
        seed: of the pool.

    Source: Gonzalez, Theor. Comput. Sci. 38 (1985) 293; for landmarks de Silva and Tenenbaum, Stanford (2004).
    """

    n: int = 1000
    seed: int = 0

    def choose(self, predictions: Predictions, divergence: Divergence, memory: int | None = None) -> Landmarks:
        """The landmarks among P checkpoints, by a divergence that may take so much memory.

        Raises:
            InputError: there are fewer points than n.
        """
        check_enough(self.n, predictions.n_points)
        size = min(POOL * self.n, predictions.n_points)
        rng = np.random.default_rng(self.seed)
        pool = np.sort(rng.choice(predictions.n_points, size, replace=False))
        d = pairwise_divergence(view(predictions, pool), divergence, memory=memory).to_numpy()
        chosen = [int(d.mean(axis=1).argmin())]
        nearest = d[chosen[0]].copy()
        while len(chosen) < self.n:
            nearest[chosen[-1]] = -1.0  # never again, even where all others coincide with a landmark
            chosen.append(int(nearest.argmax()))
            np.minimum(nearest, d[chosen[-1]], out=nearest)
        rows = np.sort(chosen)
        nearest_landmark = d[:, rows].argmin(axis=1)
        nearest_landmark[rows] = np.arange(self.n)  # its own, also where another coincides with it
        return Landmarks(pool[rows], np.bincount(nearest_landmark).astype(np.float64))


def check_enough(n: int, n_points: int) -> None:
    """At least two landmarks, and no more than there are points."""
    if not 2 <= n <= n_points:
        raise InputError(f"landmarks: {n} of {n_points} points; give from 2 to {n_points}")


def _rows_by_run(points: Points) -> list[NDArray[np.intp]]:
    """The rows of each run in the order of its steps, runs in the order of their first point: one sort for all."""
    _, first, run_of = np.unique(points["run"], return_index=True, return_inverse=True)
    order = np.lexsort((points["step"], run_of))
    parts = np.split(order, np.cumsum(np.bincount(run_of))[:-1])
    return [parts[r] for r in np.argsort(first)]


def _quotas(lengths: list[int], n: int) -> list[int]:
    """How many of n each run gives: as equal as lengths allow; what does not divide is spread evenly over runs."""
    quotas, left, owed = [0] * len(lengths), n, 0.0
    shortest_first = sorted(range(len(lengths)), key=lengths.__getitem__)
    for done, r in enumerate(shortest_first):
        share = left / (len(lengths) - done) + owed
        quotas[r] = min(lengths[r], int(share + 1e-9))
        owed = max(0.0, share - quotas[r]) if quotas[r] < lengths[r] else 0.0
        left -= quotas[r]
    return quotas
