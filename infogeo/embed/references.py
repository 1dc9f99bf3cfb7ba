"""A map of predictions with ignorance and truth placed on it as projected points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.arguments import check_divergence, check_record, check_whole
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import Divergence
from infogeo.embed.inpca import Embedding, inpca
from infogeo.embed.uncertainty import EmbeddingErrors, embedding_errors
from infogeo.embed.weights import PointWeights
from infogeo.pairwise.groups import divergence_by_groups
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.plan import plan_pairwise
from infogeo.pairwise.run import pairwise_divergence


@dataclass(frozen=True, eq=False)
class Projection:
    """Points placed on a map that was fitted without them.

    Attributes:
        points: one row per placed point.
        coords: their coordinates [Q, K].
    """

    points: Points
    coords: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"Projection({self.points.counted()}, K={self.coords.shape[1]} axes)"


@dataclass(frozen=True, eq=False)
class Map:
    """An embedding with the matrix it came from and the reference points placed on it.

    Attributes:
        embedding: the fitted points.
        matrix: their divergences [P, P].
        references: `ignorance` and, with labels, `truth`: projected, so they do not move the map.
        errors: of the embedding, where they were asked for.
    """

    embedding: Embedding
    matrix: PairwiseMatrix
    references: Projection
    errors: EmbeddingErrors | None = None

    def __repr__(self) -> str:
        beside = ["matrix", *self.references.points.runs, *(["errors"] if self.errors is not None else [])]
        return f"Map with {', '.join(beside)} of\n{self.embedding!r}"


def embed_predictions(
    predictions: Predictions,
    divergence: Divergence,
    n_components: int = 10,
    progress: Callable[[int, int], None] | None = None,
    memory: int | None = None,
    directory: str | PathLike[str] | None = None,
    *,
    weights: PointWeights | ArrayLike | None = None,
    groups: int = 0,
    seed: int = 0,
) -> Map:
    """Divergences, InPCA, and ignorance and truth as projected points.

    With labels the first axis points from ignorance to truth. Truth is left out under a divergence at which a
    certain prediction is infinitely far from everything.

    Args:
        predictions: P checkpoints on one probe set.
        divergence: which divergence, for example `Bhattacharyya()`.
        n_components: K, how many axes to return at most.
        progress: called with (tiles done, tiles in all).
        memory: the bytes that the divergences may take; see `plan_pairwise`.
        directory: where the tiles of the matrix are kept; see `pairwise_divergence`.
        weights: how much each point counts; see `inpca`.
        groups: R groups of samples for the errors of the map; see `divergence_by_groups`. 0 for none.
        seed: of the assignment of samples to groups.

    Raises:
        InputError: as in these functions, or both groups and a directory, which keeps no groups.
    """
    check_record("predictions", predictions, Predictions)
    check_divergence(divergence)
    check_whole("n_components", n_components)
    if groups and directory is not None:
        raise InputError("groups: are kept in memory; leave out the directory of tiles, or the errors")
    references = predictions.references(truth=divergence.finite_at_certainty)
    plan_pairwise(references, divergence, to=predictions, memory=memory)  # what does not fit is said before any work
    apart = None
    if groups:
        apart = divergence_by_groups(
            predictions, divergence, groups=groups, seed=seed, progress=progress, memory=memory
        )
        matrix = apart.matrix
    else:
        matrix = pairwise_divergence(predictions, divergence, progress=progress, memory=memory, directory=directory)
    embedding = inpca(matrix, n_components, weights)
    rows = pairwise_divergence(references, divergence, to=predictions, memory=memory)
    embedding, placed = oriented(embedding, references.points, rows)
    return Map(embedding, matrix, placed, None if apart is None else embedding_errors(apart, embedding))


def oriented(
    embedding: Embedding, references: Points, rows: PairwiseMatrix | ArrayLike
) -> tuple[Embedding, Projection]:
    """The map with its first axis from ignorance to truth, where both are known, and the two placed on it.

    Args:
        embedding: P fitted points.
        references: ignorance, and truth or not.
        rows: their divergences [1 or 2, P] to the fitted points.
    """
    coords = embedding.project(rows)
    if len(coords) == 2 and coords[1, 0] < coords[0, 0]:
        embedding = embedding.flipped(0)
        coords = embedding.project(rows)
    return embedding, Projection(references, coords)
