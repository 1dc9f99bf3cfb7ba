"""The divergence matrix as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.plots import palette
from infogeo.plots.axes import escaped, scale_text, shortened
from infogeo.plots.paths import ordered_runs
from infogeo.plots.style import figure

MOST_TICKS = 24
MOST_SEPARATORS = 100


def matrix(matrix: PairwiseMatrix, limit: int = 400) -> go.Figure:
    """A heat map of the divergences [P, P], ordered by run and step, with a thin line between runs.

    Args:
        matrix: divergences; a rectangular one [P, Q] has its other points along the horizontal axis.
        limit: at most so many points per side are drawn, evenly picked; the title says so.

    Raises:
        InputError: a limit below 2.
    """
    if limit < 2:
        raise InputError(f"limit: {limit}; draw at least 2 points per side")
    rows = _picked(matrix.points, limit)
    other = matrix.points if matrix.columns is None else matrix.columns
    columns = _picked(other, limit)
    values = matrix.values[rows][:, columns].astype(np.float32)
    drawn = f"{len(rows)} of {len(matrix.points)} points drawn" if len(rows) < len(matrix.points) else "all points"
    title = f"{escaped(matrix.divergence)}, {drawn}"
    heat = go.Heatmap(
        z=values,
        x=_labels(other, columns),
        y=_labels(matrix.points, rows),
        colorscale=palette.sequential(),
        colorbar={"title": {"text": "nats"}, "thickness": 12, "outlinewidth": 0},
        hovertemplate="%{y}<br>%{x}<br><b>%{z:.4g}</b><extra></extra>",
    )
    across = {"showgrid": False, "type": "category", "ticks": ""}
    return figure(
        [heat],
        title={"text": title, "font": {"size": 15}, "subtitle": {"text": scale_text(matrix.fisher_factor)}},
        xaxis={**across, "showticklabels": False, "constrain": "domain", "title": {"text": _across_title(matrix)}},
        yaxis={
            **across,
            **_ticks(matrix.points, rows),
            "autorange": "reversed",
            "scaleanchor": "x",
            "constrain": "domain",
        },
        shapes=[*_separators(other, columns, "x"), *_separators(matrix.points, rows, "y")],
        margin={"t": 76},
    )


def _across_title(matrix: PairwiseMatrix) -> str:
    if matrix.columns is None:
        return "the same points, in the same order"
    return escaped(", ".join(shortened(run) for run in matrix.columns.runs[:3])) + (
        " …" if len(matrix.columns.runs) > 3 else ""
    )


def _picked(points: Points, limit: int) -> NDArray[np.intp]:
    """At most `limit` rows of the table, ordered by run and step: of each run its share, evenly, from first to last.

    Where runs are too many for that, rows are picked evenly from the whole table.
    """
    runs = ordered_runs(points)
    order = np.concatenate(runs)
    shares = [max(1, limit * len(rows) // len(order)) for rows in runs]
    if len(order) > limit >= sum(shares):
        picks = [np.linspace(0, len(rows) - 1, share).round() for rows, share in zip(runs, shares, strict=True)]
        return np.concatenate([rows[pick.astype(np.intp)] for rows, pick in zip(runs, picks, strict=True)])
    places = np.linspace(0, len(order) - 1, min(limit, len(order))).round().astype(np.intp)
    return order[places]


def _labels(points: Points, rows: NDArray[np.intp]) -> list[str]:
    """A name for each row, all different: the categories of the axis, shown on hover."""
    seen: dict[str, int] = {}
    labels = []
    for run, step in zip(points["run"][rows], points["step"][rows], strict=True):
        label = f"{escaped(run)} · step {step}"
        seen[label] = seen.get(label, 0) + 1
        labels.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return labels


def _blocks(points: Points, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], list[str]]:
    """The edges [R + 1] of the runs drawn, as positions, and the names of the runs [R]."""
    names = points["run"][rows]
    edges = np.concatenate([[0], np.flatnonzero(names[1:] != names[:-1]) + 1, [len(rows)]])
    return edges, [str(names[edge]) for edge in edges[:-1]]


def _ticks(points: Points, rows: NDArray[np.intp]) -> dict[str, Any]:
    """Ticks in the middle of runs, a few of them where there are many.

    They stand a little beside whole numbers: on a whole number plotly would show the tick's text on hover and
    not the category.
    """
    edges, names = _blocks(points, rows)
    stride = -(-len(names) // MOST_TICKS)
    chosen = range(0, len(names), stride)
    middles = [(float(edges[i]) + float(edges[i + 1]) - 1) / 2 for i in chosen]
    nudge = 0.2
    return {
        "tickmode": "array",
        "tickvals": [middle + nudge for middle in middles],
        "ticktext": [shortened(names[i]) for i in chosen],
    }


def _separators(points: Points, rows: NDArray[np.intp], axis: str) -> list[dict[str, Any]]:
    edges, names = _blocks(points, rows)
    if len(names) > MOST_SEPARATORS or len(names) == len(rows):
        return []
    across = "y" if axis == "x" else "x"
    return [
        {
            "type": "line",
            "layer": "above",
            f"{axis}0": edge - 0.5,
            f"{axis}1": edge - 0.5,
            f"{across}0": 0,
            f"{across}1": 1,
            f"{axis}ref": axis,
            f"{across}ref": f"{across} domain",
            "line": {"width": 0.7, "color": "rgba(255, 255, 255, 0.45)"},
        }
        for edge in edges[1:-1].tolist()
    ]
