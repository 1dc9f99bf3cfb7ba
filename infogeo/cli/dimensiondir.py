"""The directory of a study of dimensions: tables, report and provenance."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infogeo.cli.mapdir import PROVENANCE, holds_only, is_of_infogeo, write_provenance

if TYPE_CHECKING:
    from infogeo.dimension import DimensionCurve, DimensionEstimate, DimensionStudy

DIMENSION_FILES = frozenset({"dimension.csv", "curves.csv", "report.html", PROVENANCE})
ESTIMATES = (
    "estimator",
    "value",
    "standard_error",
    "low",
    "high",
    "scale",
    "n_points",
    "excluded",
    "excluded_pairs",
    "note",
)
CURVES = ("curve", "variable", "at", "value", "standard_error", "low", "high", "estimator")
INFINITELY_MANY = "inf"
"""Where a curve that is extrapolated has its last row."""


def is_dimension(path: Path) -> bool:
    """Whether a directory holds a study of dimensions that infogeo wrote, and nothing else."""
    return holds_only(path, DIMENSION_FILES) and is_of_infogeo(path / PROVENANCE)


def write_dimension_directory(directory: Path, study: DimensionStudy, provenance: Mapping[str, Any]) -> None:
    """The files of a study, into a directory that is made here. Numbers are in full, intervals of 95 %."""
    from infogeo import report

    directory.mkdir()
    _write(directory / "dimension.csv", ESTIMATES, map(_estimate, study.estimates))
    _write(directory / "curves.csv", CURVES, _curves(study))
    report.write_dimension(directory / "report.html", study, provenance=provenance)
    write_provenance(directory, provenance)


def _estimate(estimate: DimensionEstimate) -> list[Any]:
    names = ("scale", "n_points", "excluded", "excluded_pairs")
    facts = [getattr(estimate, name) for name in names]
    return [estimate.estimator, *_numbers(estimate), *facts, "; ".join(estimate.warnings)]


def _curves(study: DimensionStudy) -> Iterator[list[Any]]:
    """One row per estimate of every curve, the extrapolated ones, the replicates of the null and the data beside."""
    for curve in study.curves:
        yield from _points(curve, curve.name)
        if curve.limit is not None:
            yield [curve.name, curve.variable, INFINITELY_MANY, *curve.limit, "", "", "a line in 1 / N"]
    if study.null is not None:
        for curve in (study.null.data, *study.null.curves):
            yield from _points(curve, f"null: {curve.name}")


def _points(curve: DimensionCurve, name: str) -> Iterator[list[Any]]:
    for at, estimate in zip(curve.at.tolist(), curve.estimates, strict=True):
        yield [name, curve.variable, at, *_numbers(estimate), estimate.estimator]


def _numbers(estimate: DimensionEstimate) -> list[float]:
    return [estimate.value, estimate.standard_error, *estimate.interval()]


def _write(path: Path, header: Iterable[str], rows: Iterable[list[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([["" if isinstance(v, float) and isnan(v) else v for v in row] for row in rows])
