"""The look that all figures share: system fonts, white paper, a faint grid."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
INK, GRID, PAPER = "#1f2328", "#e4e7eb", "#ffffff"

_AXIS = {
    "gridcolor": GRID,
    "linecolor": "#9aa2ab",
    "zeroline": False,
    "automargin": True,
    "ticks": "outside",
    "ticklen": 4,
    "tickcolor": "#9aa2ab",
    "showline": True,
}
_SCENE_AXIS = {
    "gridcolor": GRID,
    "linecolor": "#9aa2ab",
    "zeroline": False,
    "showbackground": False,
    "showspikes": False,
}

TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": INK},
        "title": {"font": {"size": 16}, "x": 0.01, "xanchor": "left"},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "scene": {"xaxis": _SCENE_AXIS, "yaxis": _SCENE_AXIS, "zaxis": _SCENE_AXIS},
        "margin": {"l": 64, "r": 24, "t": 48, "b": 56},
        "hoverlabel": {"align": "left", "font": {"family": FONT, "size": 12}},
        "legend": {"itemsizing": "constant"},
        "hovermode": "closest",
    }
)


def figure(traces: list[Any], **layout: Any) -> go.Figure:
    """A figure of these traces in the shared look."""
    return go.Figure(data=traces, layout={"template": TEMPLATE, **layout})
