"""Turning: how a path through predictions bends at a checkpoint."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeo.geometry.geodesic import log_map


class Turn(NamedTuple):
    """Sums over samples of the two steps at a checkpoint, as tangents [N, C] there on the spheres of square roots.

    Attributes:
        inner: <arrival, departure>, where the arrival goes on in the direction of the step that ends here.
        sq_arrival: |arrival|^2.
        sq_departure: |departure|^2.
    """

    inner: float
    sq_arrival: float
    sq_departure: float

    @property
    def angle(self) -> float:
        """Between arrival and departure, radians from 0 (straight on) to pi (back); NaN where a step has no length."""
        scale = np.sqrt(self.sq_arrival * self.sq_departure)
        return float(np.arccos(np.clip(self.inner / scale, -1.0, 1.0))) if scale > 0 else float("nan")


def turn(before: NDArray[np.float32], here: NDArray[np.float32], after: NDArray[np.float32]) -> Turn:
    """The turn at `here`, from log-probabilities [N, C] of three checkpoints that follow each other.

    The arrival is minus the log map of the checkpoint before, the departure the log map of the one after, both at
    `here`; the inner product sums over samples, so that a sample counts by how far it moves.
    """
    arrival, departure = -log_map(here, before), log_map(here, after)
    return Turn(float((arrival * departure).sum()), float((arrival**2).sum()), float((departure**2).sum()))
