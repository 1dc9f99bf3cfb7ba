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
from infogeo.embed.uncertainty import EmbeddingErrors
from infogeo.nulls.comparison import NullComparison
from infogeo.plots import matrix as matrix_figure
from infogeo.plots import misfit_by_run, palette
from infogeo.plots import spectrum as spectrum_figure
from infogeo.plots import stress as stress_figure
from infogeo.plots.axes import axis_title, log_axis, shading, step_axis, stretched
from infogeo.plots.colouring import colouring
from infogeo.plots.curves import positive
from infogeo.plots.fit import FAR, NEAR, SYMBOLS
from infogeo.plots.heatmap import by_time
from infogeo.plots.pairs import shepard_of
from infogeo.plots.paths import ASPECT, CAMERA, ordered_runs
from infogeo.plots.style import INK
from infogeo.report.fit import Fit
from infogeo.report.records import MapRecords

RUNS = 24
"""Runs whose misfit the page draws, the worst ones; its table has all."""
CODES = {"f4": "<f4", "f8": "<f8", "i4": "<i4"}


def payload(records: MapRecords, fit: Fit, provenance: Mapping[str, Any] | None) -> dict[str, Any]:
    """Everything that the script of the page draws, P fitted points first and then Q projected ones."""
    embedding, projected = records.embedding, records.projected
    points, coords = embedding.points, embedding.coords
    if projected is not None:
        points = points.joined(projected.points)
        coords = np.concatenate([coords, projected.coords])
    figures = {
        "stress": stress_figure(embedding, records.null, records.errors),
        "spectrum": spectrum_figure(embedding, records.errors),
    }
    if records.matrix is not None:
        figures["matrix"] = matrix_figure(records.matrix)
    misfits = None if fit.residuals is None or fit.residuals.right else fit.residuals
    if misfits is not None:
        figures["misfit-runs"] = misfit_by_run(misfits, RUNS)
    if fit.pairs is not None:
        figures["shepard"] = shepard_of(fit.pairs, embedding, fit.k)
    names = [name for name in ("accuracy", "loss") if _numeric(points, name)]
    steps = points["step"].astype(np.float64)
    return {
        "fitted": len(embedding.points),
        "total": len(points),
        "axes": [_axis(embedding, k) for k in range(1, embedding.n_components + 1)],
        "coords": typed(coords, "f4"),
        "runs": _runs(points, len(embedding.points)),
        "columns": [*(_column(points, name) for name in points.columns), *_fit_columns(points, fit)],
        "references": None if records.references is None else _references(records.references),
        "step": {"axis": step_axis(steps), "log": stretched(steps)},
        "ink": INK,
        "on_dark": palette.ON_DARK,
        "sequential": {paper: palette.sequential(paper) for paper in ("light", "dark")},
        "camera": CAMERA,
        "aspect": ASPECT,
        "loss": _loss_axis(points),
        "spectrum": _spectrum(embedding, records.null, records.errors),
        "pairs": _pairs(figures.get("shepard")),
        "fit": None if fit.residuals is None and fit.of_new is None else _fit(embedding.points, projected, fit),
        "figures": {name: figure_data(made) for name, made in figures.items()},
        "provenance": None if provenance is None else plain(provenance),
        "has": {
            "misfit": misfits is not None or fit.of_new is not None,
            "runs": misfits is not None,
            "errors": records.errors is not None,
            "by_time": records.matrix is not None and by_time(records.matrix.points),
            **{name: name in names or name in figures for name in ("accuracy", "loss", "matrix", "shepard")},
        },
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


def _column(points: Points, name: str, kind: str = "f8") -> dict[str, Any]:
    paint = colouring(points, name)
    column: dict[str, Any] = {"name": name}
    if paint.values is not None:
        scale = shading(name, paint.values)
        column |= {"values": typed(paint.values, kind), "log": scale.log, "offset": scale.offset, "ticks": scale.ticks}
    if not paint.continuous:
        column |= {"levels": list(paint.levels), "codes": typed(paint.codes, "i4")}
        column["colours"] = {paper: paint.colours(paper) for paper in ("light", "dark")}
    return column


def _fit_columns(points: Points, fit: Fit) -> list[dict[str, Any]]:
    """The misfit and the bias of every point, as columns beside those of the points; empty where not known."""
    found = [(part, part is fit.of_new) for part in (fit.residuals, fit.of_new) if part is not None]
    if not found:
        return []
    columns = {name: np.full(len(points), np.nan) for name in fit.names}
    for part, is_new in found:
        rows = slice(-len(part.points), None) if is_new else slice(len(part.points))
        for name, values in zip(fit.names, (part.misfit, part.bias), strict=True):
            columns[name][rows] = values
    table = points.with_columns(**columns)
    return [_column(table, name, "f4") for name in columns]


def _fit(points: Points, projected: Projection | None, fit: Fit) -> dict[str, Any]:
    """The names of the columns, how the sign of the bias is drawn, and the misfit of each run in their order."""
    misfit, bias = fit.names
    of_runs = []
    for table, found in ((points, fit.residuals), (None if projected is None else projected.points, fit.of_new)):
        if table is not None:
            known = {} if found is None else dict(zip(*found.per_run()[:2], strict=True))
            of_runs += [known.get(run, np.nan) for run in table.runs]
    symbols = {"far": SYMBOLS[FAR], "near": SYMBOLS[NEAR]}
    return {"misfit": misfit, "bias": bias, "symbols": symbols, "runs": typed(np.array(of_runs), "f4")}


def _pairs(made: Any) -> list[dict[str, str] | None]:
    """The rows [M, 2] of the pairs in each trace of a Shepard diagram, of which the page makes its texts."""
    traces = [] if made is None else made.data
    return [None if trace.customdata is None else typed(trace.customdata, "i4") for trace in traces]


def _references(references: Projection) -> dict[str, Any]:
    return {"names": references.points["run"].tolist(), "coords": references.coords.tolist()}


def _spectrum(embedding: Embedding, null: NullComparison | None, errors: EmbeddingErrors | None) -> dict[str, Any]:
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
            "null_p_value": [p if math.isfinite(p) else None for p in null.p_value.tolist()],
        }
    if errors is not None:
        columns |= {
            "eigenvalue_standard_error": errors.eigenvalues.tolist(),
            "explained_stress_standard_error": errors.explained_stress.tolist(),
        }
    return columns


def figure_data(made: Any) -> dict[str, Any]:
    """A figure as plotly.js takes it, without the template: the page has its own look, light and dark."""
    content = made.to_dict()
    content["layout"].pop("template", None)
    for trace, known in zip(content["data"], made.data, strict=True):
        if known.customdata is not None and np.ndim(known.customdata) == 2:
            del trace["customdata"], trace["text"]  # the page has them as rows
    return plain(content)
