"""A small map with both signatures, for plots and report: 4 runs of 6 checkpoints with metadata and scores."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from infogeo.core.points import Points
from infogeo.embed import Embedding, Projection, inpca
from infogeo.nulls import NullComparison
from infogeo.pairwise import PairwiseMatrix

STEPS = [0, 1, 3, 10, 30, 100]


@dataclass(frozen=True)
class Sample:
    embedding: Embedding
    matrix: PairwiseMatrix
    references: Projection
    projected: Projection
    null: NullComparison


@pytest.fixture(scope="session")
def sample() -> Sample:
    names = ["run/a0", "run/b1", "run/a2", "run/b3"]
    rng = np.random.default_rng(7)
    metadata = [{"group": "ab"[i % 2], "rate": 10.0**-i} for i in range(len(names))]
    points = Points.of_runs(names, [STEPS] * len(names), metadata)
    time = np.tile(np.log1p(STEPS), len(names))
    places = np.stack([time, *rng.normal(size=(3, len(points)))], axis=1)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    points = points.with_columns(accuracy=1 - np.exp(-time) * 0.9, loss=np.exp(-time) + 0.05 * rng.random(len(points)))
    given = PairwiseMatrix.from_array(distances**2.6 / 10, points)
    matrix = replace(given, divergence="Bhattacharyya", fisher_factor=0.125, n_samples=50)
    embedding = inpca(matrix, n_components=5)
    rows = matrix.values[:6] * 1.05
    projected = Projection(Points.of_runs(["new"], [STEPS], [{"group": "a", "rate": 1.0}]), embedding.project(rows))
    references = Projection(
        Points.of_runs(["ignorance", "truth"], [[0], [0]]), embedding.project(matrix.values[[0, 5]])
    )
    stress = embedding.explained_stress
    null = NullComparison(stress, np.stack([stress * share for share in (0.8, 0.85, 0.9)]), "shuffled", seed=0)
    return Sample(embedding, matrix, references, projected, null)
