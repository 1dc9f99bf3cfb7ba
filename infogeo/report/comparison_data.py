"""The data of the page of a comparison: checkpoints as on the page of a map, and runs at equal progress."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.points import Points
from infogeo.embed.inpca import Embedding
from infogeo.plots import palette
from infogeo.plots.axes import axis_title, step_axis, stretched
from infogeo.plots.clusters import clusters, dendrogram
from infogeo.plots.colouring import colouring
from infogeo.plots.comparison import (
    PROGRESS_TITLE,
    SPREAD_TITLE,
    distance_title,
    importance_bars,
    run_embedding,
    second_axis,
)
from infogeo.plots.looks import first_rows
from infogeo.plots.paths import ASPECT, CAMERA
from infogeo.plots.style import INK
from infogeo.report.payload import _axis, _column, _runs, figure_data, typed
from infogeo.trajectories.comparison import Comparison
from infogeo.trajectories.reindex import crossings

AXES = 3
"""Of the map, at most."""
DISTANCE = "distance to the geodesic"


def comparison_data(comparison: Comparison, embedding: Embedding | None, rows: list[int] | None) -> dict[str, Any]:
    """Everything that the script of the page draws.

    Args:
        comparison: of R runs with P checkpoints.
        embedding: a map of them, or None.
        rows: its row of each checkpoint [P].
    """
    progress = comparison.progress
    points = progress.points.with_columns(**{"progress": progress.values, DISTANCE: progress.distance})
    shown = 0 if embedding is None else min(AXES, embedding.n_components)
    coords = np.zeros((len(points), 0)) if embedding is None else embedding.coords[rows, :shown]
    steps = points["step"].astype(np.float64)
    figures = {"dendrogram": dendrogram(comparison)}
    if comparison.importance is not None:
        figures["importance"] = importance_bars(comparison)
    widths = comparison.tubes.widths
    kept, rows_of = np.flatnonzero(np.isfinite(widths).any(axis=1)), first_rows(comparison)
    colours = colour_columns(progress.points, comparison.factors)
    return {
        "fitted": len(points),
        "total": len(points),
        "axes": [] if embedding is None else [_axis(embedding, k) for k in range(1, shown + 1)],
        "coords": typed(coords, "f4"),
        "runs": _runs(points, len(points)),
        "columns": [_column(points, name) for name in points.columns],
        "references": None,
        "step": {"axis": step_axis(steps), "log": stretched(steps)},
        "ink": INK,
        "on_dark": palette.ON_DARK,
        "sequential": {paper: palette.sequential(paper) for paper in ("light", "dark")},
        "camera": CAMERA,
        "aspect": ASPECT,
        "colours": colours,
        "shared": [name for name in colours if _is_shared(comparison, name)],
        "grid": typed(comparison.grid, "f8"),
        "moving": typed(moving(comparison, coords), "f4"),
        "titles": {"progress": PROGRESS_TITLE, "spread": SPREAD_TITLE, "distance": distance_title(comparison)},
        "distance": DISTANCE,
        "roads": _roads(comparison),
        "tubes": {
            "labels": [comparison.tubes.labels[k] for k in kept],
            "rows": [rows_of[k] for k in kept],
            "grid": typed(comparison.tubes.grid, "f8"),
            "widths": typed(widths[kept], "f8"),
        },
        "leaves": _leaves(comparison),
        "figures": {name: figure_data(made) for name, made in figures.items()},
        "has": {"map": embedding is not None, "tubes": len(kept) > 0, "importance": "importance" in figures},
    }


def moving(comparison: Comparison, coords: NDArray[np.float64]) -> NDArray[np.float64]:
    """The coordinates of the R runs at the T values of progress [R, T, K], straight between checkpoints [P, K]."""
    found = crossings(comparison.progress, comparison.grid)
    return np.stack(
        [(1 - c.share)[:, None] * coords[c.before] + c.share[:, None] * coords[c.after] for c in found.values()]
    )


def colour_columns(points: Points, factors: tuple[str, ...]) -> list[str]:
    """The columns that are constant along every run: the factors, then the other ones, then the run."""
    own = [points.of_run(run) for run in points.runs]
    others = [name for name in points.metadata if name not in factors]
    fixed = []
    for name in others:
        paint = colouring(points, name)
        keys = paint.codes if paint.values is None else np.nan_to_num(paint.values, nan=np.inf)
        if all(len(np.unique(keys[rows])) == 1 for rows in own) and len(np.unique(keys)) > 1:
            fixed.append(name)
    return [*dict.fromkeys([*factors, *fixed, "run"])]


def _is_shared(comparison: Comparison, name: str) -> bool:
    """Whether the runs of every configuration agree in a column, so that it can colour configurations."""
    tubes = comparison.tubes
    values = tubes.runs[name].astype(str)
    return all(len(np.unique(values[tubes.configuration == k])) == 1 for k in range(len(tubes.labels)))


def _roads(comparison: Comparison) -> dict[str, Any]:
    """The map on which each point is a run, in the order of the runs."""
    embedding = run_embedding(comparison)
    row_of = {run: row for row, run in enumerate(embedding.points["run"].tolist())}
    rows = [row_of[run] for run in comparison.progress.points.runs]
    places = np.stack([embedding.coords[:, 0], second_axis(embedding)], axis=1)[rows]
    titles = [axis_title(embedding, k) for k in range(1, min(2, embedding.n_components) + 1)]
    return {"coords": typed(places, "f8"), "titles": [*titles, ""][:2]}


def _leaves(comparison: Comparison) -> dict[str, Any]:
    """The configurations as the dendrogram orders them, and a checkpoint that stands for each."""
    order = clusters(comparison)[1]
    labels, rows = comparison.configurations.points["run"], first_rows(comparison)
    return {"labels": [str(labels[k]) for k in order], "rows": [rows[k] for k in order]}
