"""The data of the page as JSON: numbers as typed arrays in base64, text as levels and codes."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.points import Points
from infogeo.embed.inpca import Embedding
from infogeo.embed.references import Projection
from infogeo.nulls.comparison import NullComparison
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.plots import matrix as matrix_figure
from infogeo.plots import palette
from infogeo.plots import spectrum as spectrum_figure
from infogeo.plots import stress as stress_figure
from infogeo.plots.axes import axis_title, log_axis, shading, step_axis, stretched
from infogeo.plots.colouring import colouring
from infogeo.plots.curves import positive
from infogeo.plots.paths import ASPECT, CAMERA, ordered_runs

CODES = {"f4": "<f4", "f8": "<f8", "i4": "<i4"}


def payload(
    embedding: Embedding,
    matrix: PairwiseMatrix | None,
    references: Projection | None,
    projected: Projection | None,
    null: NullComparison | None,
    provenance: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Everything that the script of the page draws, P fitted points first and then Q projected ones."""
    points, coords = embedding.points, embedding.coords
    if projected is not None:
        points = points.joined(projected.points)
        coords = np.concatenate([coords, projected.coords])
    figures = {"stress": stress_figure(embedding, null), "spectrum": spectrum_figure(embedding)}
    if matrix is not None:
        figures["matrix"] = matrix_figure(matrix)
    names = [name for name in ("accuracy", "loss") if _numeric(points, name)]
    steps = points["step"].astype(np.float64)
    return {
        "fitted": len(embedding.points),
        "total": len(points),
        "axes": [_axis(embedding, k) for k in range(1, embedding.n_components + 1)],
        "coords": typed(coords, "f4"),
        "runs": _runs(points, len(embedding.points)),
        "columns": [_column(points, name) for name in points.columns],
        "references": None if references is None else _references(references),
        "step": {"axis": step_axis(steps), "log": stretched(steps)},
        "sequential": {paper: palette.sequential(paper) for paper in ("light", "dark")},
        "camera": CAMERA,
        "aspect": ASPECT,
        "loss": _loss_axis(points),
        "spectrum": _spectrum(embedding, null),
        "figures": {name: _figure(made) for name, made in figures.items()},
        "provenance": None if provenance is None else plain(provenance),
        "has": {name: name in names or name in figures for name in ("accuracy", "loss", "matrix")},
    }


def typed(values: NDArray[Any], kind: str) -> dict[str, str]:
    """A flat array as base64 of little-endian numbers: `f4`, `f8` or `i4`."""
    data = np.ascontiguousarray(values, dtype=CODES[kind])
    return {"dtype": kind, "bdata": base64.b64encode(data.tobytes()).decode()}


def plain(value: Any) -> Any:
    """Nested values as JSON knows them: NumPy's become Python's, numbers that are not finite become text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)


def _numeric(points: Points, name: str) -> bool:
    values = points.columns.get(name)
    return values is not None and values.dtype.kind in "iuf" and bool(np.isfinite(values).any())


def _loss_axis(points: Points) -> dict[str, Any]:
    values = points["loss"].astype(np.float64) if _numeric(points, "loss") else np.zeros(1)
    return log_axis(values) if positive(values) else {}


def _axis(embedding: Embedding, k: int) -> dict[str, Any]:
    timelike = bool(embedding.signature[k - 1] < 0)
    return {"title": axis_title(embedding, k), "title3d": axis_title(embedding, k, "<br>"), "timelike": timelike}


def _runs(points: Points, fitted: int) -> dict[str, Any]:
    """The rows in the order of runs and steps, and where each run starts and stops in that order."""
    parts = ordered_runs(points.take(np.arange(fitted)))
    parts += [fitted + rows for rows in ordered_runs(points.take(np.arange(fitted, len(points))))]
    stops = np.cumsum([len(rows) for rows in parts])
    return {"order": typed(np.concatenate(parts), "i4"), "stops": typed(stops, "i4")}


def _column(points: Points, name: str) -> dict[str, Any]:
    paint = colouring(points, name)
    column: dict[str, Any] = {"name": name}
    if paint.values is not None:
        scale = shading(name, paint.values)
        column |= {"values": typed(paint.values, "f8"), "log": scale.log, "offset": scale.offset, "ticks": scale.ticks}
    if not paint.continuous:
        column |= {"levels": list(paint.levels), "codes": typed(paint.codes, "i4")}
        column["colours"] = {paper: paint.colours(paper) for paper in ("light", "dark")}
    return column


def _references(references: Projection) -> dict[str, Any]:
    return {"names": references.points["run"].tolist(), "coords": references.coords.tolist()}


def _spectrum(embedding: Embedding, null: NullComparison | None) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "k": list(range(1, embedding.n_components + 1)),
        "eigenvalue": embedding.eigenvalues.tolist(),
        "signature": embedding.signature.tolist(),
        "explained_stress": embedding.explained_stress.tolist(),
    }
    if null is not None:
        columns |= {
            "null_mean": null.null_mean.tolist(),
            "null_low": null.replicates.min(axis=0).tolist(),
            "null_high": null.replicates.max(axis=0).tolist(),
            "null_p_value": null.p_value.tolist(),
        }
    return columns


def _figure(made: Any) -> dict[str, Any]:
    """A figure as plotly.js takes it, without the template: the page has its own look, light and dark."""
    content = made.to_dict()
    content["layout"].pop("template", None)
    return plain(content)
