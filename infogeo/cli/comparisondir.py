"""The directory of a comparison: tables, report and provenance."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from infogeo.cli.mapdir import PROVENANCE, cells, holds_only, is_of_infogeo, write_provenance
from infogeo.core.points import Points
from infogeo.embed import Embedding
from infogeo.trajectories.comparison import Comparison

COMPARISON_FILES = frozenset(
    {
        "trajectories.csv",
        "runs.csv",
        "trajectory_distances.csv",
        "importance.csv",
        "tests.csv",
        "report.html",
        PROVENANCE,
    }
)


def is_comparison(path: Path) -> bool:
    """Whether a directory holds a comparison that infogeo wrote, and nothing else."""
    return holds_only(path, COMPARISON_FILES) and is_of_infogeo(path / PROVENANCE)


def write_comparison_directory(
    directory: Path, comparison: Comparison, embedding: Embedding, provenance: Mapping[str, Any]
) -> None:
    """The files of a comparison, into a directory that is made here; the embedding is that of all checkpoints."""
    from infogeo import report

    directory.mkdir()
    _write_trajectories(directory / "trajectories.csv", comparison)
    _write_runs(directory / "runs.csv", comparison)
    _write_distances(directory / "trajectory_distances.csv", comparison)
    _write_importance(directory / "importance.csv", comparison)
    _write_tests(directory / "tests.csv", comparison)
    report.write_comparison(directory / "report.html", comparison, embedding=embedding, provenance=provenance)
    write_provenance(directory, provenance)


def _write_trajectories(path: Path, comparison: Comparison) -> None:
    shapes = comparison.shapes
    points = shapes.points.with_columns(
        progress=comparison.progress.values,
        distance_to_geodesic=comparison.progress.distance,
        speed=shapes.speed,
        length=shapes.travelled,
        curvature=shapes.curvature,
    )
    _write_points(path, points)


def _write_runs(path: Path, comparison: Comparison) -> None:
    shapes = comparison.shapes
    names = ("length", "coarse_length", "direct", "tortuosity", "near_ignorance", "near_truth")
    runs = Points({name: values for name, values in shapes.runs.columns.items() if name not in ("accuracy", "loss")})
    last = [runs_own[-1] for runs_own in map(shapes.points.of_run, runs.runs)]
    found: dict[str, Any] = {name: getattr(shapes, name) for name in names}
    found = {**found, "final_progress": comparison.progress.values[last]}
    if "accuracy" in shapes.points.columns:
        found["final_accuracy"] = shapes.points["accuracy"][last]
    _write_points(path, runs.with_columns(**found), leave_out=("step",))


def _write_points(path: Path, points: Points, leave_out: tuple[str, ...] = ()) -> None:
    names = [name for name in points.columns if name not in leave_out]
    _write(path, names, zip(*(cells(points, name) for name in names), strict=True))


def _write_distances(path: Path, comparison: Comparison) -> None:
    """One row per pair of runs."""
    runs = comparison.matrix.points.runs
    steps = comparison.at_equal_steps
    at_progress = comparison.matrix.to_numpy()
    at_steps = np.full(at_progress.shape, np.nan) if steps is None else steps.to_numpy()
    rows = (
        (runs[i], runs[j], at_progress[i, j], "" if steps is None else at_steps[i, j])
        for i in range(len(runs))
        for j in range(i + 1, len(runs))
    )
    _write(path, ["run", "other_run", "at_equal_progress", "at_equal_steps"], rows)


def _write_importance(path: Path, comparison: Comparison) -> None:
    header = ["factor", "importance", "standard_error", "in_sample", "score"]
    found = comparison.importance
    if found is None:
        _write(path, header, [])
        return
    columns = (found.factors, found.importance, found.standard_error, found.in_sample)
    _write(path, header, ((*row, found.score) for row in zip(*columns, strict=True)))


def _write_tests(path: Path, comparison: Comparison) -> None:
    tests = ["factor", "strata", "pseudo_f", "p_value", "r_squared", "smallest_p", "permutations", "n_groups", "n_runs"]
    paces = ["at_equal_progress", "at_equal_steps", "ratio", "low", "high"]
    pace_of = {pace.factor: pace for pace in comparison.paces}
    rows = []
    for test in comparison.tests:
        row = [" ".join(test.strata) if name == "strata" else getattr(test, name) for name in tests]
        pace = pace_of.get(test.factor)
        rows.append(row + [getattr(pace, name) if pace else "" for name in paces])
    _write(path, [*tests, *paces[:2], "ratio", "ratio_low", "ratio_high"], rows)


def _write(path: Path, header: list[str], rows: Iterable[Any]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
