"""What a page about a map is made of."""

from __future__ import annotations

from dataclasses import dataclass

from infogeo.core.errors import InputError
from infogeo.embed.inpca import Embedding
from infogeo.embed.references import Projection
from infogeo.embed.uncertainty import EmbeddingErrors
from infogeo.nulls.comparison import NullComparison
from infogeo.pairwise.matrix import PairwiseMatrix


@dataclass(frozen=True, eq=False)
class MapRecords:
    """A map and what is known beside it; see `infogeo.report.write`.

    Raises:
        InputError: the records are not of one map.
    """

    embedding: Embedding
    matrix: PairwiseMatrix | None = None
    references: Projection | None = None
    projected: Projection | None = None
    rows: PairwiseMatrix | None = None
    null: NullComparison | None = None
    errors: EmbeddingErrors | None = None

    def __post_init__(self) -> None:
        points, axes = len(self.embedding.points), self.embedding.n_components
        if self.matrix is not None and self.matrix.shape != (points, points):
            raise InputError(
                f"matrix: {self.matrix.shape[0]} rows for an embedding of {points} points; give the matrix "
                "that was embedded"
            )
        for name, placed in (("references", self.references), ("projected", self.projected)):
            if placed is not None and placed.coords.shape != (len(placed.points), axes):
                raise InputError(
                    f"{name}: coordinates of shape {placed.coords.shape}, expected ({len(placed.points)}, {axes}); "
                    "project them on this embedding"
                )
        if self.rows is not None and (self.projected is None or len(self.projected.points) != self.rows.shape[0]):
            raise InputError(f"rows: {self.rows.shape[0]} of them; give one for each point of `projected`")
        if self.errors is not None and self.errors.coords.shape != (points, axes):
            raise InputError(
                f"errors: of a map of {self.errors.coords.shape}, expected ({points}, {axes}); give those of this map"
            )
