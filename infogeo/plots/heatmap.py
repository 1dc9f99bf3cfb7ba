"""The divergence matrix as a picture."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from infogeo.core.arguments import check_record
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.plots import palette
from infogeo.plots.axes import divergence_name, escaped, scale_text, shortened, unit
from infogeo.plots.paths import ordered_runs
from infogeo.plots.style import figure

MOST_POINTS = 400
"""Per side."""
MOST_RUNS = 24
"""With more runs than this blocks and names of runs would be too small to be read."""
TIMES = 6
"""Moments of training that are drawn where the order is by time."""


def matrix(matrix: PairwiseMatrix, limit: int = MOST_POINTS) -> go.Figure:
    """A heat map of the divergences [P, P] in blocks, with thin lines between them.

    Up to 24 runs, a block is a run, in the order of its steps. With more runs of several checkpoints, a block is a
    moment of training, in which the runs follow each other in the order of the points: moments are evenly spaced
    along each run from its first checkpoint to its last.

    Args:
        matrix: divergences; a rectangular one [P, Q] has its other points along the horizontal axis.
        limit: at most so many points per side are drawn, evenly picked; the title says so.

    Raises:
        InputError: a limit below 2.
    """
    check_record("matrix", matrix, PairwiseMatrix)
    if limit < 2:
        raise InputError(f"limit: {limit}; draw at least 2 points per side")
    side = _side(matrix.points, limit)
    other = matrix.points if matrix.columns is None else matrix.columns
    across_side = side if matrix.columns is None else _side(other, limit)
    rows, columns = side.rows, across_side.rows
    values = matrix.values[rows][:, columns].astype(np.float32)
    drawn = f"{len(rows)} of {len(matrix.points)} points drawn" if len(rows) < len(matrix.points) else "all points"
    title = f"{divergence_name(matrix.divergence)}, {drawn}"
    heat = go.Heatmap(
        z=values,
        x=_labels(other, columns),
        y=_labels(matrix.points, rows),
        colorscale=palette.sequential(),
        colorbar={"title": {"text": unit(matrix.divergence)}, "thickness": 12, "outlinewidth": 0},
        hovertemplate="%{y}<br>%{x}<br><b>%{z:.4g}</b><extra></extra>",
    )
    across = {"showgrid": False, "type": "category", "ticks": ""}
    return figure(
        [heat],
        title={"text": title, "font": {"size": 15}, "subtitle": {"text": scale_text(matrix.fisher_factor)}},
        xaxis={**across, "showticklabels": False, "constrain": "domain", "title": {"text": _across_title(matrix)}},
        yaxis={
            **across,
            **_ticks(side),
            "autorange": "reversed",
            "scaleanchor": "x",
            "constrain": "domain",
        },
        shapes=[*_separators(across_side, "x"), *_separators(side, "y")],
        margin={"t": 76},
    )


def _across_title(matrix: PairwiseMatrix) -> str:
    if matrix.columns is None:
        return "the same points, in the same order"
    return escaped(", ".join(shortened(run) for run in matrix.columns.runs[:3])) + (
        " …" if len(matrix.columns.runs) > 3 else ""
    )


class _Side(NamedTuple):
    """The points along one side of the picture: their rows, the edges [B + 1] of its blocks and the blocks' names."""

    rows: NDArray[np.intp]
    edges: list[int]
    names: list[str]


def by_time(points: Points) -> bool:
    """Whether the heat map of these points is ordered by time and not by run."""
    return MOST_RUNS < len(points.runs) < len(points)


def _side(points: Points, limit: int) -> _Side:
    """At most `limit` points in blocks: of each run its share from first to last, or of each moment all runs."""
    runs = ordered_runs(points)
    if by_time(points):
        blocks = _moments(runs, limit)
        names = [_span(points["step"][rows]) for rows in blocks]
    else:
        runs = [runs[i] for i in _evenly(len(runs), limit)]
        more, places = sum(map(len, runs)) - len(runs), limit - len(runs)  # one of each run, and a share of the rest
        shares = [1 + places * (len(rows) - 1) // max(more, 1) for rows in runs]
        blocks = [rows[_evenly(len(rows), share)] for rows, share in zip(runs, shares, strict=True)]
        names = [str(points["run"][rows[0]]) for rows in blocks]
    edges = np.cumsum([0, *map(len, blocks)]).tolist()
    return _Side(np.concatenate(blocks), edges, names)


def _moments(runs: list[NDArray[np.intp]], limit: int) -> list[NDArray[np.intp]]:
    """The points of all runs, or of so many as the limit allows, at a few moments; none twice."""
    longest = max(map(len, runs))
    times = min(TIMES, longest, max(2, limit // len(runs)), limit)
    chosen = [runs[i] for i in _evenly(len(runs), limit // times)]
    picks = [_evenly(len(rows), times) for rows in chosen]
    blocks = [[rows[pick[t]] for rows, pick in zip(chosen, picks, strict=True) if t < len(pick)] for t in range(times)]
    return [np.asarray(block, dtype=np.intp) for block in blocks]


def _evenly(length: int, count: int) -> NDArray[np.intp]:
    """At most `count` of the places 0..length-1, from the first to the last; the last where there is but one."""
    count = min(length, count)
    return np.array([length - 1]) if count == 1 else np.linspace(0, length - 1, count).round().astype(np.intp)


def _span(steps: NDArray[Any]) -> str:
    low, high = int(steps.min()), int(steps.max())
    return f"step {low:,}" if low == high else f"steps {low:,} to {high:,}"


def _labels(points: Points, rows: NDArray[np.intp]) -> list[str]:
    """A name for each row, all different: the categories of the axis, shown on hover."""
    seen: dict[str, int] = {}
    labels = []
    for run, step in zip(points["run"][rows], points["step"][rows], strict=True):
        label = f"{escaped(run)} · step {step}"
        seen[label] = seen.get(label, 0) + 1
        labels.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return labels


def _ticks(side: _Side) -> dict[str, Any]:
    """Ticks in the middle of blocks.

    They stand a little beside whole numbers: on a whole number plotly would show the tick's text on hover and
    not the category.
    """
    nudge, stride = 0.2, -(-len(side.names) // MOST_RUNS)
    return {
        "tickmode": "array",
        "tickvals": [(start + stop - 1) / 2 + nudge for start, stop in pairwise(side.edges)][::stride],
        "ticktext": [shortened(name) for name in side.names][::stride],
    }


def _separators(side: _Side, axis: str) -> list[dict[str, Any]]:
    if len(side.names) == len(side.rows):
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
        for edge in side.edges[1:-1]
    ]
