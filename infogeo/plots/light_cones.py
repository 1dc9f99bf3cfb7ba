"""A space-like axis against a time-like one, with the light cone of one point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from infogeo.core.arguments import check_record
from infogeo.core.errors import InputError
from infogeo.embed.inpca import Embedding
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.plots import palette
from infogeo.plots.axes import axis_title, escaped, hover_texts
from infogeo.plots.paths import ordered_runs, with_gaps
from infogeo.plots.style import INK, figure

Array = NDArray[np.float64]
ROOM = 1.12
"""The picture reaches so many times as far as the points."""
SEEN = 1e-9
"""Points nearer to the cone than this part of the extent of the picture are on it: beyond sight and above rounding."""


class _Kind(NamedTuple):
    """Points on one side of the cone: the sign of their squared interval, their name, colour and symbol."""

    sign: int
    name: str
    colour: str
    symbol: str


KINDS = (
    _Kind(1, "outside the cone: interval² > 0", palette.SPACE_LIKE, "circle"),
    _Kind(-1, "inside the cone: interval² < 0", palette.TIME_LIKE, "diamond"),
    _Kind(0, "on the cone: interval² = 0", palette.GREY, "square"),
)


def light_cones(
    embedding: Embedding,
    matrix: PairwiseMatrix | None = None,
    axes: Sequence[int] | None = None,
    center: int | None = None,
) -> go.Figure:
    """Points on a space-like and a time-like axis at one scale, with the light cone of one of them.

    In these two axes the squared interval to the point c is ds^2 - dt^2. It is zero on the lines at 45 degrees
    through c and negative in the shaded cone, where the divergence, which is never negative, must come from other
    axes. Hovering says both.

    Args:
        embedding: P points on K axes of both signatures.
        matrix: the divergences of these points [P, P]; without it, what the K axes together say of them.
        axes: the space-like axis and the time-like one, counted from 1; by default the first of each.
        center: the row of the point c; by default the point nearest the origin of the two axes, which is the centroid.

    Raises:
        InputError: there is no time-like or no space-like axis, axes that are not one of each, no such point, or a
            matrix of other points.
    """
    check_record("embedding", embedding, Embedding)
    check_record("matrix", matrix, PairwiseMatrix, optional=True)
    space, time = _axes(embedding, axes)
    s, t = embedding.coords[:, space - 1], embedding.coords[:, time - 1]
    c = int(np.argmin(s**2 + t**2)) if center is None else int(center)
    if not 0 <= c < len(s):
        raise InputError(f"center: {center}; give a row from 0 to {len(s) - 1}")
    ds, dt = np.abs(s - s[c]), np.abs(t - t[c])
    extent = float(max(np.ptp(s), np.ptp(t)))
    sides = np.where(np.abs(ds - dt) <= SEEN * extent, 0, np.sign(ds - dt))
    divergence, source = _divergences(embedding, matrix, c)
    traces = [*_cone(s[c], t[c], 10 * extent), *_paths(embedding, s, t)]
    texts = _texts(embedding, ds**2 - dt**2, sides, divergence, source)
    others = np.arange(len(s)) != c
    for kind in KINDS:
        rows = np.flatnonzero((sides == kind.sign) & others)
        if len(rows):
            traces.append(_points(kind, s[rows], t[rows], texts[rows]))
    traces.append(_center(embedding, c, s[c], t[c]))
    title = f"{np.count_nonzero(sides < 0)} of {len(s) - 1} points inside the light cone of {_name(embedding, c)}"
    note = "in the cone the two axes alone give a negative divergence; both axes at one scale"
    return figure(
        traces,
        title={"text": title, "font": {"size": 15}, "subtitle": {"text": note}},
        xaxis={"title": {"text": axis_title(embedding, space)}, "range": _range(s)},
        yaxis={
            "title": {"text": axis_title(embedding, time, "<br>")},
            "range": _range(t),
            "scaleanchor": "x",  # widens the range of one axis until both have one scale
            "scaleratio": 1,
        },
        legend={"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"},
        margin={"t": 104},
    )


def _axes(embedding: Embedding, axes: Sequence[int] | None) -> tuple[int, int]:
    """The space-like and the time-like axis, counted from 1."""
    found = [np.flatnonzero(embedding.signature == sign) + 1 for sign in (1, -1)]
    for kind, numbers in zip(("space-like", "time-like"), found, strict=True):
        if not len(numbers):
            raise InputError(
                f"embedding: none of its {embedding.n_components} axes is {kind}, so there is no light cone; "
                "embed with more components, or draw trajectories"
            )
    if axes is None:
        return int(found[0][0]), int(found[1][0])
    if len(axes) != 2 or axes[0] not in found[0] or axes[1] not in found[1]:
        raise InputError(
            f"axes: {tuple(axes)}; give a space-like axis ({_listed(found[0])}) and a time-like one "
            f"({_listed(found[1])}), in this order"
        )
    return int(axes[0]), int(axes[1])


def _listed(numbers: NDArray[np.intp]) -> str:
    return ", ".join(str(k) for k in numbers[:6]) + (", ..." if len(numbers) > 6 else "")


def _divergences(embedding: Embedding, matrix: PairwiseMatrix | None, c: int) -> tuple[Array, str]:
    """The divergences from point c [P], and what they are in words."""
    size = len(embedding.points)
    if matrix is None:
        difference = embedding.coords - embedding.coords[c]
        return np.square(difference) @ embedding.signature, f"divergence of all {embedding.n_components} axes"
    if matrix.columns is not None or len(matrix.points) != size:
        raise InputError(f"matrix: shape {matrix.shape}, expected the divergences of the {size} points of the map")
    return matrix.values[c : c + 1][0], "true divergence, never negative"


def _range(x: Array) -> list[float]:
    """What an axis shows at least: all points, with room around them."""
    middle, half = (float(x.max()) + float(x.min())) / 2, ROOM * float(np.ptp(x)) / 2
    return [middle - half, middle + half]


def _cone(s: float, t: float, reach: float) -> list[Any]:
    """Both halves of the cone, shaded, with its edges at 45 degrees; their reach leaves the picture."""
    return [
        go.Scatter(
            x=[s - reach, s, s + reach],
            y=[t + way * reach, t, t + way * reach],
            mode="lines",
            fill="toself",
            fillcolor=palette.BAND,
            line={"color": palette.NEUTRAL, "width": 1.5, "dash": "dash"},
            hoverinfo="skip",
            name="light cone",
            legendgroup="cone",
            showlegend=way > 0,
        )
        for way in (1, -1)
    ]


def _paths(embedding: Embedding, s: Array, t: Array) -> list[Any]:
    """A thin line through the checkpoints of each run, where runs have more than one."""
    runs = [rows for rows in ordered_runs(embedding.points) if len(rows) > 1]
    if not runs:
        return []
    line = {"width": 1, "color": palette.NEUTRAL}
    x, y = with_gaps(s, runs), with_gaps(t, runs)
    return [go.Scatter(x=x, y=y, mode="lines", line=line, connectgaps=False, hoverinfo="skip", showlegend=False)]


def _texts(
    embedding: Embedding, interval: Array, sides: NDArray[Any], divergence: Array, source: str
) -> NDArray[np.str_]:
    names = {kind.sign: kind.name.split(":")[0] for kind in KINDS}
    texts = [
        f"{text}<br>squared interval in these two axes: {i:.4g}, {names[int(side)]}<br>{source}: {d:.4g} nats"
        for text, i, side, d in zip(hover_texts(embedding.points), interval, sides, divergence, strict=True)
    ]
    return np.asarray(texts, dtype=str)


def _points(kind: _Kind, s: Array, t: Array, texts: NDArray[np.str_]) -> Any:
    return go.Scatter(
        x=s,
        y=t,
        mode="markers",
        name=kind.name,
        text=texts,
        marker={"color": kind.colour, "symbol": kind.symbol, "size": 7, "line": {"width": 0.5, "color": "#FFFFFF"}},
        hovertemplate="%{text}<extra></extra>",
    )


def _center(embedding: Embedding, c: int, s: float, t: float) -> Any:
    return go.Scatter(
        x=[s],
        y=[t],
        mode="markers",
        name="tip of the cone",
        text=hover_texts(embedding.points.take([c])),
        marker={"symbol": "star", "size": 14, "color": INK, "line": {"width": 1, "color": "#FFFFFF"}},
        hovertemplate="%{text}<br>the tip of the cone<extra></extra>",
    )


def _name(embedding: Embedding, c: int) -> str:
    points = embedding.points
    run = escaped(points["run"][c])
    return run if len(points.of_run(str(points["run"][c]))) == 1 else f"{run}, step {points['step'][c]}"
