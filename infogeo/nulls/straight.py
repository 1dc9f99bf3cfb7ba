"""The geodesic null: every run on the straight road between its ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.predictions import LogProbReader, Predictions
from infogeo.geometry.geodesic import Geodesic
from infogeo.nulls.model import Seed
from infogeo.pairwise.steps import trajectory_steps


@dataclass(frozen=True)
class GeodesicNull:
    """Every run replaced by the geodesic between its first and last checkpoint: p'_rt = gamma_r(s_rt / s_rT).

    gamma_r goes from 0 to 1, sample by sample, and s_rt is the Fisher length that the run has travelled until its
    checkpoint t. Keeps both ends of every run exactly, all that runs share there, and the pace. Loses every bend.
    So it tests one claim: that bends are shared. Where the data explain less than their straight roads, which is
    usual, bends and detours take axes of their own, and the low dimension is that of straight roads between ends.

    There is no chance in it: one replicate, and no p-value.
    """

    name: ClassVar[str] = "geodesics"
    words: ClassVar[str] = "the geodesic between its ends in place of each run"
    claim: ClassVar[str] = "the runs bend together, beyond the straight roads between their ends"
    needs_labels: ClassVar[bool] = False
    random: ClassVar[bool] = False

    def replicate(self, predictions: Predictions, seed: Seed = 0) -> Predictions:
        """The straight runs; the data are read once, for the lengths of their steps. The seed changes nothing.

        Raises:
            InputError: no run has a checkpoint between its first and its last.
        """
        points = predictions.points
        rows = [points.of_run(run) for run in points.runs]
        if max(len(own) for own in rows) < 3:
            raise InputError("null: geodesics need runs of at least three checkpoints; there is nothing between ends")
        steps = trajectory_steps(predictions).fisher
        first, last = (np.empty(len(points), dtype=np.intp) for _ in range(2))
        share = np.zeros(len(points))
        for own in rows:
            first[own], last[own] = own[0], own[-1]
            travelled = np.cumsum(steps[own[1:]])
            if len(travelled) and travelled[-1] > 0:
                share[own[1:]] = travelled / travelled[-1]
        straight = _Straight(predictions.log_probs, first, last, share)
        return replace(predictions, log_probs=straight, fingerprints=())


@dataclass(frozen=True)
class _Straight:
    """Log-probabilities [P, N, C] on geodesics between checkpoints, computed when they are read."""

    log_probs: LogProbReader
    first: NDArray[np.intp]  # [P]
    last: NDArray[np.intp]  # [P]
    share: NDArray[np.float64]  # [P]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.log_probs.shape

    @property
    def nbytes(self) -> int:
        """The bytes in memory of what has the ends."""
        return int(getattr(self.log_probs, "nbytes", 0))

    def __getitem__(self, block: slice | tuple[slice, slice], /) -> NDArray[np.float32]:
        points, samples = block if isinstance(block, tuple) else (block, slice(None))
        found = [self._point(row, samples) for row in range(self.shape[0])[points]]
        return np.stack(found) if found else np.asarray(self.log_probs[0:0, samples])

    def _point(self, row: int, samples: slice) -> NDArray[np.float32]:
        first, last = (np.asarray(self.log_probs[at : at + 1, samples])[0] for at in (self.first[row], self.last[row]))
        if self.share[row] in (0.0, 1.0):
            return last if self.share[row] else first
        return Geodesic.between(first, last).at(self.share[row])[0]
