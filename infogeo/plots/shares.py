"""How much the axes explain: explained stress, with its null, and the signed spectrum."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from infogeo.embed.inpca import Embedding
from infogeo.nulls.comparison import NullComparison
from infogeo.plots import palette
from infogeo.plots.axes import escaped, log_axis
from infogeo.plots.style import figure


def stress(embedding: Embedding, null: NullComparison | None = None) -> go.Figure:
    """Explained stress chi_k of the first k = 1..K axes; beside it the mean and the range of the null's replicates.

    Args:
        embedding: K axes.
        null: the same numbers for shuffled data.
    """
    chi = embedding.explained_stress
    traces: list[Any] = []
    if null is not None:
        k = np.arange(1, len(null.statistic) + 1)
        low, high = null.replicates.min(axis=0), null.replicates.max(axis=0)
        traces += [
            go.Scatter(
                x=np.concatenate([k, k[::-1]]),
                y=np.concatenate([high, low[::-1]]),
                mode="lines",
                fill="toself",
                fillcolor=palette.BAND,
                line={"width": 0, "color": "rgba(128, 128, 128, 0)"},
                hoverinfo="skip",
                name=f"null, all {len(null.replicates)} replicates",
            ),
            go.Scatter(
                x=k,
                y=null.null_mean,
                mode="lines+markers",
                name="null, mean",
                line={"color": "#8C8C8C", "dash": "dash", "width": 2},
                marker={"size": 7, "symbol": "diamond-open"},
                hovertemplate="null, %{x} axes: %{y:.2%}<extra></extra>",
            ),
        ]
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
    return figure(
        traces,
        xaxis={"title": {"text": "number of axes k"}, "dtick": 1 if len(chi) <= 20 else None},
        yaxis={"title": {"text": f"explained stress · {escaped(embedding.divergence)}"}, "tickformat": "~%"},
        legend={"x": 0.98, "y": 0.04, "xanchor": "right", "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
    )


def spectrum(embedding: Embedding) -> go.Figure:
    """|eigenvalue| of the K axes on a log axis: space-like (signature +1) circles, time-like (-1) diamonds.

    Args:
        embedding: eigenvalues [K] in the unit of the divergence (nats), summed over points.
    """
    k = np.arange(1, embedding.n_components + 1)
    size = np.abs(embedding.eigenvalues)
    kinds = (
        (1, "space-like (positive)", palette.SPACE_LIKE, "circle"),
        (-1, "time-like (negative)", palette.TIME_LIKE, "diamond"),
    )
    traces: list[Any] = [
        go.Scatter(
            x=k, y=size, mode="lines", line={"color": palette.NEUTRAL, "width": 1.5}, hoverinfo="skip", showlegend=False
        )
    ]
    for sign, name, colour, symbol in kinds:
        mask = embedding.signature == sign
        if mask.any():
            traces.append(
                go.Scatter(
                    x=k[mask],
                    y=size[mask],
                    mode="markers",
                    name=name,
                    customdata=embedding.eigenvalues[mask],
                    marker={"size": 10, "color": colour, "symbol": symbol},
                    hovertemplate="axis %{x}: eigenvalue %{customdata:.4g}<extra></extra>",
                )
            )
    return figure(
        traces,
        xaxis={"title": {"text": "axis k"}, "dtick": 1 if len(k) <= 20 else None},
        yaxis={**log_axis(size), "title": {"text": f"|eigenvalue| · {escaped(embedding.divergence)}"}},
        legend={"x": 0.98, "y": 0.98, "xanchor": "right", "yanchor": "top", "bgcolor": "rgba(0,0,0,0)"},
    )
