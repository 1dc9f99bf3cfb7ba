"""The directory of a map: tables, matrix, report and provenance, written whole and read again."""

from __future__ import annotations

import csv
import json
import platform
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.checks import LOG_FLOOR
from infogeo.core.coarse import CoarseGraining
from infogeo.core.errors import InputError
from infogeo.core.linalg import CentredMatrix
from infogeo.core.points import Points
from infogeo.core.predictions import Predictions
from infogeo.embed import Embedding, EmbeddingErrors, Projection
from infogeo.embed.stress import explained_stress
from infogeo.nulls import NullComparison
from infogeo.pairwise import PairwiseMatrix
from infogeo.pairwise.storage import load_matrix, save_matrix

PROVENANCE = "provenance.json"
KEPT_CLASSES = "kept_classes.npy"
KEPT = "classes kept for each sample (K)"
MAP_FILES = frozenset(
    {"embedding.csv", "spectrum.csv", "errors.csv", "divergence.zarr", "report.html", KEPT_CLASSES, PROVENANCE}
)
PROJECTION_FILES = frozenset({"projection.csv", "report.html", PROVENANCE})
DEMO_FILES = frozenset({"train.zarr", "test.zarr", "map"})
PACKAGES = ("infogeo", "jax", "numpy", "scipy", "plotly", "zarr")


@dataclass(frozen=True)
class MapContents:
    """Everything that one map directory holds."""

    embedding: Embedding
    matrix: PairwiseMatrix
    references: Projection | None
    null: NullComparison | None
    provenance: Mapping[str, Any]
    coarse_graining: CoarseGraining | None = None
    errors: EmbeddingErrors | None = None


def is_map(path: Path) -> bool:
    """Whether a directory holds a map that infogeo wrote, and nothing else."""
    return holds_only(path, MAP_FILES) and is_of_infogeo(path / PROVENANCE)


def is_projection(path: Path) -> bool:
    """Whether a directory holds a projection that infogeo wrote, and nothing else."""
    return holds_only(path, PROJECTION_FILES) and is_of_infogeo(path / PROVENANCE)


def is_demo(path: Path) -> bool:
    """Whether a directory holds a demo that infogeo wrote, and nothing else."""
    return holds_only(path, DEMO_FILES) and is_map(path / "map")


def holds_only(path: Path, names: frozenset[str]) -> bool:
    """Whether a directory holds some of these files, and nothing else."""
    return path.is_dir() and {entry.name for entry in path.iterdir()} <= names


def is_of_infogeo(provenance: Path) -> bool:
    """Whether a provenance.json is one that infogeo wrote."""
    try:
        return "infogeo" in json.loads(provenance.read_text(encoding="utf-8")).get("versions", {})
    except (OSError, ValueError, AttributeError):
        return False


def write_map(directory: Path, contents: MapContents) -> None:
    """The files of a map, into a directory that is made here."""
    from infogeo import report

    directory.mkdir()
    write_coordinates(directory / "embedding.csv", contents.embedding, contents.references)
    _write_spectrum(directory / "spectrum.csv", contents.embedding, contents.null, contents.errors)
    if contents.errors is not None:
        write_coordinates(directory / "errors.csv", Projection(contents.embedding.points, contents.errors.coords))
    save_matrix(directory / "divergence.zarr", contents.matrix)
    if contents.coarse_graining is not None:
        np.save(directory / KEPT_CLASSES, contents.coarse_graining.kept)
    report.write(
        directory / "report.html",
        contents.embedding,
        matrix=contents.matrix,
        references=contents.references,
        null=contents.null,
        errors=contents.errors,
        provenance=contents.provenance,
    )
    write_provenance(directory, contents.provenance)


def write_provenance(directory: Path, provenance: Mapping[str, Any]) -> None:
    """provenance.json, indented."""
    (directory / PROVENANCE).write_text(json.dumps(provenance, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_map(directory: Path) -> tuple[Embedding, Projection | None, dict[str, Any]]:
    """The embedding of a map directory, bit for bit, the references placed on it, and its provenance.

    Raises:
        InputError: not a map, or a file is missing or damaged.
    """
    if not (directory / PROVENANCE).is_file() or not (directory / "embedding.csv").is_file():
        raise InputError(f"{directory}: is no map; make one with infogeo embed")
    try:
        provenance = json.loads((directory / PROVENANCE).read_text(encoding="utf-8"))
        with (directory / "embedding.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        with (directory / "spectrum.csv").open(newline="", encoding="utf-8") as file:
            spectrum = list(csv.DictReader(file))
        eigenvalues = np.array([float(row["eigenvalue"]) for row in spectrum])
        matrix = load_matrix(directory / "divergence.zarr")
        names = [f"x{k + 1}" for k in range(len(eigenvalues))]
        every = np.array([[float(row[name]) for name in names] for row in rows])
        coords, placed = np.split(every, [len(matrix.points)])
        solver = provenance["embedding"]
        weights = None
        if solver.get("weights", "points") != "points" and "weight" in rows[0]:
            weights = np.array([float(row["weight"]) for row in rows[: len(matrix.points)]])
        if coords.shape != (len(matrix.points), solver["components"]):
            raise ValueError("its tables are incomplete")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{directory}: is a damaged map ({error}); make it again") from error
    embedding = Embedding(
        points=matrix.points,
        coords=coords,
        eigenvalues=eigenvalues,
        signature=np.sign(eigenvalues).astype(np.int64),
        explained_stress=explained_stress(eigenvalues, solver["norm"]),
        column_means=CentredMatrix(matrix.values, weights).column_means,
        norm=solver["norm"],
        residual=solver["residual"],
        converged=solver["converged"],
        divergence=matrix.divergence,
        weights=weights,
    )
    names = [row["run"] for row in rows[len(coords) :]]
    references = Projection(Points.of_runs(names, [[0]] * len(names)), placed) if names else None
    return embedding, references, provenance


def read_merging(directory: Path, provenance: Mapping[str, Any], fitted: Predictions) -> CoarseGraining | None:
    """The classes that a map keeps, of the predictions that it was made from; None where it keeps all.

    Raises:
        InputError: the list of them is missing or damaged.
    """
    if fitted.coarse_graining is not None or KEPT not in provenance:
        return fitted.coarse_graining
    try:
        return CoarseGraining(np.load(directory / KEPT_CLASSES, allow_pickle=False), fitted.label_space)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{directory}: is a damaged map ({KEPT_CLASSES}: {error}); make it again") from error


def write_coordinates(path: Path, placed: Embedding | Projection, references: Projection | None = None) -> None:
    """One row per point: run, step, metadata, x1..xK; ignorance and truth at the end. Numbers in full precision."""
    points = placed.points
    if isinstance(placed, Embedding) and placed.weights is not None:
        points = points.with_columns(weight=placed.weights)
    tables = [(points, placed.coords)]
    if references is not None:
        tables.append((references.points, references.coords))
    names = list(points.columns)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*names, *(f"x{k + 1}" for k in range(placed.coords.shape[1]))])
        for table, coords in tables:
            columns = [cells(table, name) for name in names]
            writer.writerows([*cells, *x] for *cells, x in zip(*columns, coords.tolist(), strict=True))


def provenance_of_predictions(predictions: Predictions, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What was read, with a fingerprint over all checkpoints and one per run."""
    return {
        "inputs": dict(inputs),
        "fingerprint": _digest(predictions.fingerprints),
        "fingerprint of labels": None if predictions.labels is None else _digest(predictions.labels.astype(str)),
        "fingerprints of runs": {
            run: _digest([predictions.fingerprints[i] for i in predictions.points.of_run(run)])
            for run in predictions.points.runs
        },
        "points (P)": predictions.n_points,
        "samples (N)": predictions.n_samples,
        "classes (C)": predictions.n_classes,
        "floor of log p": LOG_FLOOR,
        "entries raised to the floor": predictions.floored,
        "largest correction of a row's sum": predictions.correction,
        "notes": list(predictions.notes),
    }


def provenance_of_merging(predictions: Predictions) -> dict[str, Any]:
    """How many classes were kept, where the others were merged, and how much they hold."""
    if predictions.coarse_graining is None:
        return {}
    return {KEPT: predictions.coarse_graining.n_kept, "notes": list(predictions.notes)}


def provenance_of_map(matrix: PairwiseMatrix, embedding: Embedding, weights: str) -> dict[str, Any]:
    """The divergence and its scale, the rule for weights, and what the eigensolver did."""
    factor = matrix.fisher_factor
    return {
        "divergence": {
            "name": matrix.divergence,
            "unit": "nats, mean over samples",
            "scale": "not known" if factor is None else f"{factor:g} times the squared Fisher distance, when small",
            "pairs rounded from below zero": matrix.clipped,
        },
        "embedding": {
            "method": "InPCA",
            "weights": weights,
            "components": embedding.n_components,
            "norm": embedding.norm,
            "residual": embedding.residual,
            "converged": embedding.converged,
        },
    }


def provenance_of_environment(seconds: float) -> dict[str, Any]:
    """The command, when, how long, with which versions, on what machine."""
    import jax

    return {
        "command": " ".join(["infogeo", *sys.argv[1:]]),
        "time": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "seconds": round(seconds, 1),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "machine": f"{platform.system()} {platform.machine()}, {jax.default_backend()} x{jax.local_device_count()}",
    }


def _digest(fingerprints: Iterable[str]) -> str:
    return blake2b(",".join(fingerprints).encode(), digest_size=16).hexdigest()


def cells(points: Points, name: str) -> list[Any]:
    """A column as CSV cells; missing is empty."""
    if name not in points.columns:
        return [""] * len(points)
    values: NDArray[Any] = points[name]
    if values.dtype.kind == "f":
        return ["" if np.isnan(v) else v for v in values.tolist()]
    return values.tolist()


def _write_spectrum(
    path: Path, embedding: Embedding, null: NullComparison | None, errors: EmbeddingErrors | None
) -> None:
    header = ["k", "eigenvalue", "signature", "explained_stress"]
    columns: list[Any] = [
        range(1, embedding.n_components + 1),
        embedding.eigenvalues.tolist(),
        embedding.signature.tolist(),
        embedding.explained_stress.tolist(),
    ]
    if null is not None:
        header += ["compared_explained_stress", "null_explained_stress", "effect", "p_value"]
        columns += [x.tolist() for x in (null.statistic, null.null_mean, null.effect, null.p_value)]
    if errors is not None:
        header += ["eigenvalue_error", "eigenvalue_bias", "explained_stress_error"]
        columns += [x.tolist() for x in (errors.eigenvalues, errors.eigenvalue_bias, errors.explained_stress)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(zip(*columns, strict=True))
