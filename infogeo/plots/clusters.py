"""Which configurations are alike: a tree of clusters beside the matrix that it orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from infogeo.core.arguments import check_record
from infogeo.plots import palette
from infogeo.plots.axes import escaped
from infogeo.plots.looks import first_rows, painted
from infogeo.plots.style import figure
from infogeo.trajectories.comparison import Comparison

MOST_NAMES = 80
LONGEST_NAME = 36
TREE, HEAT = (0.0, 0.24), (0.27, 1.0)
"""The parts of the width that the two pictures take."""


def dendrogram(comparison: Comparison, method: str = "complete") -> go.Figure:
    """Hierarchical clustering of the K configurations, and their divergences [K, K] in the order of its leaves.

    Two clusters join at the height, in nats, of their divergence: with `complete` the largest between their members.
    Leaves have the colour of the first factor. Which of two branches lies above the other is chosen so that neighbours
    are as alike as can be.

    Args:
        comparison: of K configurations.
        method: `complete`, `average` or `single`, which take a divergence as it is; others want a Euclidean distance.
    """
    check_record("comparison", comparison, Comparison)
    joins, order = clusters(comparison, method)
    matrix = comparison.configurations
    names = [_short(str(name)) for name in matrix.points["run"][order]]
    count = len(order)
    x, y = _branches(joins, order)
    tree = go.Scatter(
        x=x,
        y=y,
        mode="lines",
        name="tree",
        line={"width": 1.4, "color": palette.GREY},
        showlegend=False,
        hovertemplate="%{x:.4g} nats<extra></extra>",
    )
    heat = go.Heatmap(
        z=matrix.to_numpy()[np.ix_(order, order)].astype(np.float32),
        x=np.arange(count),
        y=np.arange(count),
        xaxis="x2",
        yaxis="y2",
        colorscale=palette.sequential(),
        colorbar={
            "title": {"text": f"{escaped(matrix.divergence)} (nats)", "side": "top"},
            "orientation": "h",
            "thickness": 10,
            "outlinewidth": 0,
            "x": HEAT[0],
            "xanchor": "left",
            "len": 0.5,
            "y": 1.01,
            "yanchor": "bottom",
        },
        hovertemplate="%{y}<br>%{x}<br><b>%{z:.4g} nats</b><extra></extra>",
    )
    rows = {"range": [count - 0.5, -0.5], "showgrid": False, "showline": False, "ticks": "", "fixedrange": True}
    named = {"tickmode": "array", "tickvals": list(range(count)), "ticktext": names}
    top = float(joins[:, 2].max())
    return figure(
        [tree, *_leaves(comparison, order), heat],
        height=int(min(max(360, 17 * count + 150), 1500)),
        xaxis={"domain": TREE, "range": [1.04 * top, -0.04 * top], "title": {"text": "nats"}, "fixedrange": True},
        yaxis={**rows, "showticklabels": False},
        xaxis2={**rows, **named, "domain": HEAT, "range": [-0.5, count - 0.5], "showticklabels": False},
        yaxis2={
            **rows,
            **named,
            "anchor": "x2",
            "side": "right",
            "showticklabels": count <= MOST_NAMES,
            "tickfont": {"size": 11},
            "ticklabelstandoff": 5,
            "automargin": True,
        },
        legend={"title": {"text": escaped(comparison.factors[0])}, "orientation": "h", "y": -0.17, "yanchor": "top"},
        margin={"l": 24, "t": 72},
    )


def clusters(comparison: Comparison, method: str = "complete") -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The joins [K - 1, 4] as SciPy's `linkage` gives them, and the configurations in the order of the leaves [K]."""
    from scipy.cluster.hierarchy import leaves_list, linkage  # importing it takes a while

    joins = linkage(comparison.configurations.condensed(), method=method, optimal_ordering=True)
    return joins, leaves_list(joins).astype(np.intp)


def _branches(joins: NDArray[np.float64], order: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The brackets of the tree as one line with gaps: heights along x, places of leaves along y."""
    count = len(order)
    place, height = np.zeros(2 * count - 1), np.zeros(2 * count - 1)
    place[order] = np.arange(count)
    x, y = [], []
    for k, (a, b, top, _) in enumerate(joins):
        i, j = int(a), int(b)
        place[count + k], height[count + k] = (place[i] + place[j]) / 2, top
        x += [height[i], top, top, height[j], np.nan]
        y += [place[i], place[i], place[j], place[j], np.nan]
    return np.asarray(x), np.asarray(y)


def _leaves(comparison: Comparison, order: NDArray[np.intp]) -> list[Any]:
    """One trace of squares at height 0 per level of the first factor."""
    paint, colours = painted(comparison, comparison.factors[0])
    rows = np.asarray(first_rows(comparison))[order]
    groups = [""] * len(rows) if paint.continuous else [paint.levels[code] for code in paint.codes[rows]]
    traces = []
    for group in dict.fromkeys(groups):
        places = [i for i, own in enumerate(groups) if own == group]
        traces.append(
            go.Scatter(
                x=[0.0] * len(places),
                y=places,
                mode="markers",
                name=escaped(group),
                meta="leaf",
                text=[escaped(comparison.configurations.points["run"][order[i]]) for i in places],
                marker={"symbol": "square", "size": 9, "color": [colours[rows[i]] for i in places]},
                cliponaxis=False,
                showlegend=not paint.continuous,
                hovertemplate="%{text}<extra></extra>",
            )
        )
    return traces


def _short(name: str) -> str:
    return escaped(name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…")
