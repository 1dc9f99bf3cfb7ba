"""A small map with both signatures, for plots and report: 4 runs of 6 checkpoints with metadata and scores."""

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import numpy as np
import pytest

from infogeo.core.points import Points
from infogeo.embed import Embedding, EmbeddingErrors, Projection, inpca
from infogeo.nulls import NullComparison
from infogeo.pairwise import PairwiseMatrix


def pytest_configure(config):
    """What one process of these tests has compiled, whether it runs tests or the command, no other compiles again.

    Where several run at once, each has one thread of linear algebra: more than there are cores wait for each other.
    """
    if config.getoption("numprocesses", None):
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
            os.environ.setdefault(name, "1")
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:  # or another process of these tests has set it
        folder = tempfile.TemporaryDirectory(prefix="infogeo-tests-")
        config.add_cleanup(folder.cleanup)
        options = {"jax_compilation_cache_dir": folder.name, "jax_persistent_cache_min_compile_time_secs": 0}
        for name, value in options.items():
            os.environ[name.upper()] = str(value)
            jax.config.update(name, value)


def pytest_collection_modifyitems(items):
    """Notebooks first: they take longest, and files are dealt to the processes in this order."""
    items.sort(key=lambda item: item.path.name != "test_notebooks.py")


MOST_MAPPINGS = 20_000
"""Of memory: each program that JAX has compiled holds some fifty, and Linux grants a process 65,530."""


@pytest.fixture(autouse=True, scope="module")
def room_for_compiled_programs():
    """Forget the compiled programs of earlier modules before there are too many: LLVM would crash."""
    mappings = Path("/proc/self/maps")
    if mappings.exists() and mappings.read_bytes().count(b"\n") > MOST_MAPPINGS:
        jax.clear_caches()


STEPS = [0, 1, 3, 10, 30, 100]


@dataclass(frozen=True)
class Sample:
    embedding: Embedding
    matrix: PairwiseMatrix
    references: Projection
    projected: Projection
    rows: PairwiseMatrix
    null: NullComparison
    errors: EmbeddingErrors


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
    new = Points.of_runs(["new"], [STEPS], [{"group": "a", "rate": 1.0}])
    rows = PairwiseMatrix(matrix.values[:6] * 1.05, new, columns=points)
    projected = Projection(new, embedding.project(rows))
    references = Projection(
        Points.of_runs(["ignorance", "truth"], [[0], [0]]), embedding.project(matrix.values[[0, 5]])
    )
    stress = embedding.explained_stress
    null = NullComparison(stress, np.stack([stress * share for share in (0.8, 0.85, 0.9)]), "shuffled", seed=0)
    return Sample(embedding, matrix, references, projected, rows, null, errors_of(embedding))


def errors_of(embedding: Embedding) -> EmbeddingErrors:
    """Errors of which those of the last two eigenvalues are so large that these cannot be told apart."""
    size = np.abs(embedding.eigenvalues)
    errors = np.where(np.arange(len(size)) < len(size) - 2, 0.01, 0.3) * size
    return EmbeddingErrors(
        embedding,
        eigenvalues=errors,
        eigenvalue_bias=0.1 * errors,
        explained_stress=np.full(len(size), 0.004),
        stress_bias=np.full(len(size), 0.001),
        coords=np.full(embedding.coords.shape, 0.01),
        n_groups=16,
    )
