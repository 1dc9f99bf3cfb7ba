"""How much the axes explain: explained stress, with its null and its errors, and the signed spectrum."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from infogeo.core.arguments import check_record
from infogeo.core.errors import InputError
from infogeo.embed.inpca import Embedding
from infogeo.embed.uncertainty import EmbeddingErrors
from infogeo.nulls.comparison import NullComparison
from infogeo.plots import palette
from infogeo.plots.axes import divergence_name, log_axis
from infogeo.plots.style import figure

Array = NDArray[np.float64]
LEVEL = 0.95
"""Of bands and intervals."""
ENOUGH = 40
"""Replicates from which on the central 95 % leave out one at either end; of fewer, all are drawn."""
SAME = 5e-4
"""Two curves of explained stress that differ by less lie on top of each other."""


def stress(
    embedding: Embedding, null: NullComparison | None = None, errors: EmbeddingErrors | None = None
) -> go.Figure:
    """Explained stress chi_k of the first k = 1..K axes; beside it that under a null, and its errors.

    The null is the mean of its replicates and the band of their central 95 % (of fewer than 40, all of them). Where it
    was compared with a part of the data, the stress of that part is drawn as well: only that one may be held against
    the null. Errors are 95 % intervals (Student's t) about the estimate less its bias.

    Args:
        embedding: K axes.
        null: the same numbers for shuffled data.
        errors: of this embedding.

    Raises:
        InputError: the errors are of another number of axes.
    """
    _check_errors(embedding, errors)
    check_record("null", null, NullComparison, optional=True)
    chi = embedding.explained_stress
    traces = [] if null is None else _null_traces(null)
    traces.append(
        go.Scatter(
            x=np.arange(1, len(chi) + 1),
            y=chi,
            mode="lines+markers",
            name="these runs",
            line={"color": palette.SPACE_LIKE, "width": 2.5},
            marker={"size": 8},
            hovertemplate="%{x} axes: %{y:.2%}<extra></extra>",
        )
    )
    if null is not None and differs(null, chi):
        traces.append(_part(null))
    if errors is not None:
        low, high = errors.stress_interval(LEVEL)
        texts = [
            f"{k} axes: {100 * a:.2f} % to {100 * b:.2f} %" for k, (a, b) in enumerate(zip(low, high, strict=True), 1)
        ]
        traces.append(_intervals(low, high, texts))
    return figure(
        traces,
        xaxis={"title": {"text": "number of axes k"}, "dtick": 1 if len(chi) <= 20 else None},
        yaxis={"title": {"text": f"explained stress · {divergence_name(embedding.divergence)}"}, "tickformat": "~%"},
        legend={"x": 0.98, "y": 0.04, "xanchor": "right", "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
    )


def spectrum(embedding: Embedding, errors: EmbeddingErrors | None = None) -> go.Figure:
    """|eigenvalue| of the K axes on a log axis: space-like (signature +1) circles, time-like (-1) diamonds.

    With errors each has its 95 % interval (Student's t), about the estimate less its bias; one that reaches zero
    leaves the picture at the bottom. Rings mark eigenvalues within two standard errors of the difference to a
    neighbour of the same signature: such axes may be turned into each other.

    Args:
        embedding: eigenvalues [K] in the unit of the divergence (nats), summed over points.
        errors: of this embedding.

    Raises:
        InputError: the errors are of another number of axes.
    """
    _check_errors(embedding, errors)
    k = np.arange(1, embedding.n_components + 1)
    size = np.abs(embedding.eigenvalues)
    traces: list[Any] = [
        go.Scatter(
            x=k, y=size, mode="lines", line={"color": palette.NEUTRAL, "width": 1.5}, hoverinfo="skip", showlegend=False
        )
    ]
    yaxis = log_axis(size)
    if errors is not None:
        low, high = _size_intervals(errors)
        known = np.concatenate([size, high, low[low > 0]])
        bottom, top = max(float(known.min()), float(size.min()) / 4) / 1.3, float(known.max()) * 1.3
        yaxis = {**log_axis(np.array([bottom, top])), "range": [float(np.log10(bottom)), float(np.log10(top))]}
        ends = errors.eigenvalue_interval(LEVEL)
        texts = [f"axis {i}: {a:.4g} to {b:.4g}" for i, (a, b) in enumerate(zip(*ends, strict=True), 1)]
        traces += [_intervals(np.maximum(low, bottom / 10), high, texts), *_rings(k[errors.close], size[errors.close])]
    traces += _eigenvalues(embedding, k, size)
    return figure(
        traces,
        xaxis={"title": {"text": "axis k"}, "dtick": 1 if len(k) <= 20 else None},
        yaxis={**yaxis, "title": {"text": f"|eigenvalue| · {divergence_name(embedding.divergence)}"}},
        legend={"x": 0.98, "y": 0.98, "xanchor": "right", "yanchor": "top", "bgcolor": "rgba(0,0,0,0)"},
    )


def _check_errors(embedding: Embedding, errors: EmbeddingErrors | None) -> None:
    check_record("embedding", embedding, Embedding)
    check_record("errors", errors, EmbeddingErrors, optional=True)
    if errors is not None and len(errors.eigenvalues) != embedding.n_components:
        raise InputError(
            f"errors: are of {len(errors.eigenvalues)} axes and the map has {embedding.n_components}; "
            "give those of this map"
        )


def _null_traces(null: NullComparison) -> list[Any]:
    """The band of the replicates, where there are several, and their mean."""
    k, count = np.arange(1, len(null.statistic) + 1), len(null.replicates)
    low, high = null.band(1.0 if count < ENOUGH else LEVEL)
    which = f"all {count}" if count < ENOUGH else f"central 95 % of {count}"
    mean = go.Scatter(
        x=k,
        y=null.null_mean,
        mode="lines+markers",
        name="null, mean" if count > 1 else "null",
        line={"color": palette.GREY, "dash": "dash", "width": 2},
        marker={"size": 7, "symbol": "diamond-open"},
        hovertemplate="null, %{x} axes: %{y:.2%}<extra></extra>",
    )
    if count == 1:
        return [mean]
    band = go.Scatter(
        x=np.concatenate([k, k[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        mode="lines",
        fill="toself",
        fillcolor=palette.BAND,
        line={"width": 0, "color": "rgba(128, 128, 128, 0)"},
        hoverinfo="skip",
        name=f"null, {which} replicates",
    )
    return [band, mean]


def differs(null: NullComparison, chi: Array) -> bool:
    """Whether the stress that was held against the null is another than that of the map, to the eye."""
    shown = min(len(null.statistic), len(chi))
    return bool(np.abs(null.statistic[:shown] - chi[:shown]).max() >= SAME)


def _part(null: NullComparison) -> Any:
    """The stress of the part of the data that the null was compared with."""
    sizes = f", {null.n_points:,} checkpoints on {null.n_samples:,} samples" if null.n_points else ""
    return go.Scatter(
        x=np.arange(1, len(null.statistic) + 1),
        y=null.statistic,
        mode="lines+markers",
        name="the part held against the null",
        line={"color": palette.SPACE_LIKE, "width": 1.8, "dash": "dot"},
        marker={"size": 7, "symbol": "circle-open"},
        hovertemplate=f"the part held against the null{sizes}<br>%{{x}} axes: %{{y:.2%}}<extra></extra>",
    )


def _intervals(low: Array, high: Array, texts: list[str]) -> Any:
    """An upright line with caps from `low` to `high` for k = 1..K."""
    gap = np.full(len(low), np.nan)
    return go.Scatter(
        x=np.repeat(np.arange(1, len(low) + 1), 3),
        y=np.stack([low, high, gap], axis=1).ravel(),
        mode="lines+markers",
        connectgaps=False,
        name="95 % interval",
        text=np.repeat(texts, 3),
        line={"color": palette.INTERVAL, "width": 2},
        marker={"symbol": "line-ew", "size": 9, "line": {"color": palette.INTERVAL, "width": 2}},
        hovertemplate="95 % interval, %{text}<extra></extra>",
    )


def _size_intervals(errors: EmbeddingErrors) -> tuple[Array, Array]:
    """The ends of the interval of |eigenvalue| [K]; the lower one may lie below zero."""
    low, high = errors.eigenvalue_interval(LEVEL)
    positive = errors.embedding.signature > 0
    return np.where(positive, low, -high), np.where(positive, high, -low)


def _rings(k: NDArray[np.int64], size: Array) -> list[Any]:
    if not len(k):
        return []
    return [
        go.Scatter(
            x=k,
            y=size,
            mode="markers",
            name="too close to a neighbour to tell apart",
            marker={"size": 19, "symbol": "circle-open", "color": palette.GREY, "line": {"width": 2}},
            hoverinfo="skip",
        )
    ]


def _eigenvalues(embedding: Embedding, k: NDArray[np.int64], size: Array) -> list[Any]:
    kinds = (
        (1, "space-like (positive)", palette.SPACE_LIKE, "circle"),
        (-1, "time-like (negative)", palette.TIME_LIKE, "diamond"),
    )
    masks = [(embedding.signature == sign, *look) for sign, *look in kinds]
    return [
        go.Scatter(
            x=k[mask],
            y=size[mask],
            mode="markers",
            name=name,
            customdata=embedding.eigenvalues[mask],
            marker={"size": 10, "color": colour, "symbol": symbol},
            hovertemplate="axis %{x}: eigenvalue %{customdata:.4g}<extra></extra>",
        )
        for mask, name, colour, symbol in masks
        if mask.any()
    ]
