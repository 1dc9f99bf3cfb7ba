"""Trajectories on the axes of a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from infogeo.core.arguments import check_record
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.embed.inpca import Embedding
from infogeo.embed.references import Projection
from infogeo.plots import palette
from infogeo.plots.axes import Shading, axis_title, escaped, hover_texts, shading, step_axis, step_positions, stretched
from infogeo.plots.colouring import Colouring, colouring, column_of
from infogeo.plots.style import INK, figure

ASPECT = {"x": 1.7, "y": 1.0, "z": 1.0}
CAMERA = {"eye": {"x": 0.36, "y": -2.0, "z": 0.54}, "center": {"x": 0.0, "y": 0.0, "z": -0.16}}
"""Axis 1 runs from left to right, axis 2 away from the reader, axis 3 upwards."""

Columns = list[NDArray[np.float64]]  # two or three coordinates, each [P]


def trajectories(
    embedding: Embedding,
    color: str | None = None,
    axes: Sequence[int] = (1, 2, 3),
    references: Projection | None = None,
    projected: Projection | None = None,
) -> go.Figure:
    """The runs as lines through their checkpoints: open circle at the start, full circle at the end.

    Two of K axes give a plane, and a single axis is drawn against the step. References are named points;
    projected runs are dashed, with diamonds.

    Args:
        embedding: P points on K axes.
        color: a column of the points; by default the run.
        axes: which axes, counted from 1; those beyond K are left out.
        references: points such as `ignorance` and `truth`, one row each.
        projected: new points placed on the map.

    Raises:
        InputError: there is no such column, an axis below 1, or none of the axes is there.
    """
    check_record("embedding", embedding, Embedding)
    check_record("references", references, Projection, optional=True)
    check_record("projected", projected, Projection, optional=True)
    wanted = [int(k) for k in ([axes] if isinstance(axes, int) else axes)]
    chosen = [k for k in wanted if k <= embedding.n_components][:3]
    if not chosen or min(wanted) < 1:
        raise InputError(f"axes: {tuple(axes)}; choose up to three of 1 to {embedding.n_components}")
    column_of(embedding.points, color or "run")
    joined = embedding.points if projected is None else embedding.points.joined(projected.points)
    paint = colouring(joined, color or "run")
    count, log = len(embedding.points), stretched(joined["step"])
    groups = [(embedding.points, embedding.coords, np.arange(count), False)]
    if projected is not None:
        groups.append((projected.points, projected.coords, np.arange(count, len(joined)), True))
    traces: list[Any] = []
    for points, coords, rows, new in groups:
        texts = hover_texts(points)
        places = _columns(coords, chosen, points, log)
        traces += _of_group(points, places, texts, paint, rows, new)
    if references is not None:
        traces += _references(references, _columns(references.coords, chosen, references.points, log))
    return figure(traces, **_layout(embedding, chosen, joined, paint))


def ordered_runs(points: Points) -> list[NDArray[np.intp]]:
    """The rows of each run, in the order of the runs and of their steps."""
    codes = np.unique(points["run"], return_inverse=True)[1]
    order = np.lexsort((points["step"], codes))
    parts = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if len(order) else []
    return sorted(parts, key=lambda rows: int(rows.min()))


def with_gaps(values: NDArray[Any], runs: Sequence[NDArray[np.intp]], gap: Any = np.nan) -> NDArray[Any]:
    """The values [P] in the order of the runs, with a gap after each: one trace, many lines."""
    pieces = [piece for rows in runs for piece in (values[rows], np.asarray([gap]))]
    return np.concatenate(pieces) if pieces else values[:0]


def _columns(coords: NDArray[np.float64], chosen: list[int], points: Points, log: bool) -> Columns:
    places = [coords[:, k - 1] for k in chosen]
    return places if len(places) > 1 else [step_positions(points["step"], log), *places]


def _of_group(
    points: Points, places: Columns, texts: NDArray[np.str_], paint: Colouring, rows: NDArray[np.intp], new: bool
) -> list[Any]:
    """The traces of the fitted or of the projected points: one per level, or one along a scale."""
    runs = ordered_runs(points)
    dash: dict[str, Any] = {"dash": "dash" if len(places) == 2 else "dot"} if new else {}
    if paint.continuous:
        shades = _shading(paint).places(_numbers(paint))[rows]
        marker = {"color": with_gaps(shades, runs), "coloraxis": "coloraxis"}
        line = {"width": 1.5, "color": palette.NEUTRAL, **dash}
        return [_line(places, texts, runs, marker, line, new, "projected" if new else "runs", False)]
    colours, codes, traces = paint.colours(), paint.codes[rows], []
    for code in np.unique(codes):
        members = [run[codes[run] == code] for run in runs]
        members = [run for run in members if len(run)]
        look = {"color": colours[code]}
        name = escaped(paint.levels[code]) + (" (projected)" if new else "")
        traces.append(_line(places, texts, members, look, {"width": 2, **look, **dash}, new, name, True))
    return traces


def _line(
    places: Columns,
    texts: NDArray[np.str_],
    runs: list[NDArray[np.intp]],
    marker: dict[str, Any],
    line: dict[str, Any],
    new: bool,
    name: str,
    legend: bool,
) -> Any:
    flat = len(places) == 2
    plain, start, end = ("diamond", "diamond-open", "diamond") if new else ("circle", "circle-open", "circle")
    shapes = [s for run in runs for s in ([start, *[plain] * (len(run) - 2), end] if len(run) > 1 else [plain])]
    sizes = [s for run in runs for s in ([7, *[3] * (len(run) - 2), 8] if len(run) > 1 else [6])]
    scale = 1.0 if flat else 0.75
    edge: dict[str, Any] = {"width": 1, **{k: v for k, v in marker.items() if k == "color"}} if flat else {"width": 0}
    if not flat:
        line = {**line, "width": 3, **marker}
    elif "coloraxis" in marker:
        edge["coloraxis"] = "coloraxis"
    style = {
        **marker,
        "symbol": with_gaps(np.asarray(shapes), _consecutive(runs), plain),
        "size": with_gaps(np.asarray(sizes) * scale, _consecutive(runs), 0.0),
        "line": edge,
        "opacity": 1.0,
    }
    coords = {axis: with_gaps(values, runs) for axis, values in zip("xyz", places, strict=False)}
    kind = go.Scatter if flat else go.Scatter3d
    return kind(
        **coords,
        mode="lines+markers",
        name=name,
        showlegend=legend,
        marker=style,
        line=line,
        connectgaps=False,
        text=with_gaps(texts, runs, ""),
        hovertemplate="%{text}<extra></extra>",
    )


def _consecutive(runs: list[NDArray[np.intp]]) -> list[NDArray[np.intp]]:
    stops = np.cumsum([len(run) for run in runs])
    return [np.arange(stop - len(run), stop) for run, stop in zip(runs, stops, strict=True)]


def _references(references: Projection, places: Columns) -> list[Any]:
    flat = len(places) == 2
    shapes = {"ignorance": "square", "truth": "star" if flat else "cross"}
    kind = go.Scatter if flat else go.Scatter3d
    return [
        kind(
            **{axis: values[row : row + 1] for axis, values in zip("xyz", places, strict=False)},
            mode="markers+text",
            name=escaped(name),
            showlegend=False,
            text=[escaped(name)],
            textposition="bottom center" if name == "truth" else "top center",
            marker={"symbol": shapes.get(str(name), "x"), "size": 11 if flat else 5, "color": INK},
            hovertemplate="<b>%{text}</b><extra></extra>",
        )
        for row, name in enumerate(references.points["run"])
    ]


def _numbers(paint: Colouring) -> NDArray[np.float64]:
    return paint.values if paint.values is not None else paint.codes.astype(np.float64)


def _shading(paint: Colouring) -> Shading:
    return shading(paint.column, _numbers(paint))


def _layout(embedding: Embedding, chosen: list[int], joined: Points, paint: Colouring) -> dict[str, Any]:
    separator = "<br>" if len(chosen) == 3 else " · "
    titles = [{"title": {"text": axis_title(embedding, k, separator)}} for k in chosen]
    layout: dict[str, Any] = {"legend": {"title": {"text": escaped(paint.column)}}}
    if paint.continuous:
        layout["coloraxis"] = {
            "colorscale": palette.sequential(),
            "colorbar": {
                "title": {"text": escaped(paint.column)},
                "thickness": 12,
                "outlinewidth": 0,
                **_shading(paint).ticks,
            },
        }
    if len(chosen) == 3:
        scene = {f"{axis}axis": title for axis, title in zip("xyz", titles, strict=True)}
        margin = {"l": 24, "r": 0, "t": 8, "b": 0}
        return {
            **layout,
            "margin": margin,
            "scene": {**scene, "aspectmode": "manual", "aspectratio": ASPECT, "camera": CAMERA},
        }
    first = step_axis(joined["step"]) if len(chosen) == 1 else titles[0]
    return {**layout, "xaxis": first, "yaxis": titles[-1]}
