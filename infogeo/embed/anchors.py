"""New predictions on a map that was made without them, and its anchors: ignorance, truth and the geodesic between."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infogeo.core.arguments import check_divergence, check_record
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.core.predictions import Predictions, fingerprint
from infogeo.divergences.base import Divergence
from infogeo.embed.inpca import Embedding
from infogeo.embed.landmarks import LandmarkMap
from infogeo.embed.references import Map, Projection
from infogeo.geometry.geodesic import Geodesic
from infogeo.pairwise.run import pairwise_divergence

ROAD = "geodesic"
"""The run name of the points of the geodesic."""


def place(
    made: Map | LandmarkMap | Embedding,
    new: Predictions,
    fitted: Predictions,
    divergence: Divergence,
    memory: int | None = None,
) -> Projection:
    """New predictions on a map: their divergences [Q, P] to the fitted points, then `Embedding.project`.

    The map stays as it is, and the same predictions are always placed at the same coordinates, whatever is placed
    beside them (to the rounding of float32: tiles have the shape of all that is placed at once).

    Args:
        made: the map, or its embedding.
        new: Q checkpoints on the probe set of the map.
        fitted: the predictions that the map was made of, in their order; of a `LandmarkMap` all of them, or its
            landmarks alone.
        divergence: that of the map.
        memory: the bytes that the divergences may take; see `plan_pairwise`.

    Raises:
        InputError: another divergence, other fitted points, another probe set, or a point at infinite divergence.
    """
    if not isinstance(made, (Map, LandmarkMap)):
        check_record("made", made, Embedding)
    check_record("new", new, Predictions)
    check_record("fitted", fitted, Predictions)
    check_divergence(divergence)
    embedding = made if isinstance(made, Embedding) else made.embedding
    if isinstance(made, LandmarkMap) and fitted.n_points == len(made.points):
        fitted = fitted.take(made.landmarks)
    if divergence.name != embedding.divergence:
        raise InputError(f"divergence: {divergence.name}, but the map is of {embedding.divergence}; give that one")
    ours, theirs = fitted.points, embedding.points
    if len(ours) != len(theirs) or any(not np.array_equal(ours[name], theirs[name]) for name in ("run", "step")):
        raise InputError(
            f"fitted: {len(ours)} points are not the {len(theirs)} that the map was fitted to; give the predictions it "
            "was made of, in their order"
        )
    if new.labels is not None and fitted.labels is not None and not np.array_equal(new.labels, fitted.labels):
        raise InputError("new: has other labels than the map's predictions; give predictions on the same probe set")
    rows = pairwise_divergence(new, divergence, to=fitted, memory=memory)
    return Projection(new.points, embedding.project(rows))


def anchors(predictions: Predictions, n_geodesic: int = 50, truth: bool = True) -> Predictions:
    """Ignorance P0, truth P* and points of the geodesic between them, evenly spaced in t from 0 to 1, to be placed.

    Their runs are `ignorance`, `truth` and `geodesic`, and the column `progress` tells t. Without labels there is
    ignorance alone.

    Args:
        predictions: whose probe set and labels; its checkpoints do not matter.
        n_geodesic: points of the geodesic, both ends included; 0 for none.
        truth: whether truth is one of them, and with it the end of the geodesic: not so for a divergence that is
            infinite there, `truth=divergence.finite_at_certainty`.

    Raises:
        InputError: one point of the geodesic, or fewer than none.
    """
    check_record("predictions", predictions, Predictions)
    if n_geodesic < 0 or n_geodesic == 1:
        raise InputError(f"n_geodesic: {n_geodesic} points make no path; give at least 2, or 0 for none")
    both = predictions.references()
    ends = both if truth else predictions.references(truth=False)
    points = ends.points.with_columns(progress=np.arange(ends.n_points, dtype=np.float64))
    if both.n_points < 2 or not n_geodesic:
        return replace(ends, points=points)
    start, end = np.asarray(both.log_probs[0:2])
    times = np.linspace(0, 1, n_geodesic)[: None if truth else -1]
    road = Geodesic.between(start, end).at(times)
    along = Points.of_runs([ROAD], [np.arange(len(times))]).with_columns(progress=times)
    return replace(
        ends,
        log_probs=np.concatenate([np.asarray(ends.log_probs[0:2]), road]),
        points=points.joined(along),
        fingerprints=(*ends.fingerprints, *(fingerprint(row) for row in road)),
    )


def placed_anchors(
    made: Map | LandmarkMap | Embedding, fitted: Predictions, divergence: Divergence, n_geodesic: int = 50
) -> Projection:
    """`anchors` of the predictions that a map was made of, on this map.

    Truth, the end of the geodesic too, is left out under a divergence at which a certain prediction is infinitely far
    from everything.

    Args:
        made: the map, or its embedding.
        fitted: the predictions that it was made of; see `place`.
        divergence: that of the map.
        n_geodesic: points of the geodesic.
    """
    check_record("fitted", fitted, Predictions)
    check_divergence(divergence)
    return place(made, anchors(fitted, n_geodesic, divergence.finite_at_certainty), fitted, divergence)
