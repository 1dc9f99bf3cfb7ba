"""The picture of all estimates of a dimension, each with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from infogeo.plots import palette
from infogeo.plots.axes import escaped
from infogeo.plots.dimension import ABOVE, ACROSS, ALL_POINTS, BEYOND, check_study, interval_text, marked
from infogeo.plots.shares import LEVEL
from infogeo.plots.style import figure

if TYPE_CHECKING:
    from infogeo.dimension.estimate import DimensionEstimate
    from infogeo.dimension.records import DimensionStudy

IN_ALL = "in all"
"""Across runs and along them: of the two together, or of pairs of different runs."""
WHOLE = ("different runs", "thinning")
"""What the estimators of the total say of what they look at."""
NO_SCALE = "no scale"
"""Of the whole cloud at once."""
BAR = {"thickness": 2, "width": 5}
BARE = {"showticklabels": False, "showgrid": False, "ticks": "", "showline": False}
KINDS = {
    ACROSS: (palette.OKABE_ITO[0], "circle"),
    IN_ALL: (palette.OKABE_ITO[2], "square"),
    ALL_POINTS: (palette.OKABE_ITO[1], "diamond-open"),
    NO_SCALE: (palette.GREY, "triangle-up-open"),
}
"""How an estimate is drawn, by what it looked at."""


def dimension_estimates(study: DimensionStudy) -> go.Figure:
    """Every estimate with its 95 % interval, one row each, in the order of the study.

    Colour and marker tell what was looked at: one neighbour per other run, all points, both together, or nothing local
    at all. Estimates that have no error have no interval, and those that could not be told are left out.

    Args:
        study: from `dimension_study`.
    """
    check_study(study)
    rows = list(enumerate(shown_estimates(study)))
    kinds = [kind_of(study, estimate) for _, estimate in rows]
    traces = []
    for kind, (colour, symbol) in KINDS.items():
        own = [row for row, known in zip(rows, kinds, strict=True) if known == kind]
        if own:
            traces.append(_intervals(study, own, kind, colour, symbol))
    ends = [end for _, e in rows for end in (e.value, e.interval(LEVEL)[1]) if np.isfinite(end)]
    top = min(max(ends), BEYOND * max(e.value for _, e in rows)) if ends else 1.0
    return figure(
        traces,
        xaxis={"title": {"text": "dimension · bars are 95 % intervals"}, "range": [-0.03 * top, 1.05 * top]},
        yaxis={"range": [len(rows) - 0.6, -0.7], **BARE},
        annotations=[
            {
                "text": escaped(estimate.estimator),
                "x": 0.006,
                "xref": "paper",
                "xanchor": "left",
                "y": i,
                "yshift": 7,
                "yanchor": "bottom",
                "showarrow": False,
                "align": "left",
                "font": {"size": 11.5},
            }
            for i, estimate in rows
        ],
        height=110 + 46 * max(len(rows), 2),
        legend=ABOVE,
        margin={"t": 24, "l": 24},
    )


def shown_estimates(study: DimensionStudy) -> list[DimensionEstimate]:
    """The estimates that are numbers, in their order."""
    return [estimate for estimate in study.estimates if np.isfinite(estimate.value)]


def kind_of(study: DimensionStudy, estimate: DimensionEstimate) -> str:
    """What an estimate looked at: a key of `KINDS`."""
    if study.across is not None and (estimate is study.total or any(mark in estimate.estimator for mark in WHOLE)):
        return IN_ALL
    if np.isnan(estimate.scale):
        return NO_SCALE
    return ACROSS if "other run" in estimate.estimator else ALL_POINTS


def _intervals(
    study: DimensionStudy, rows: list[tuple[int, DimensionEstimate]], kind: str, colour: str, symbol: str
) -> Any:
    values = np.array([estimate.value for _, estimate in rows])
    ends = np.array([estimate.interval(LEVEL) for _, estimate in rows])
    return go.Scatter(
        x=values,
        y=[place for place, _ in rows],
        mode="markers",
        name=marked(study, kind),
        text=[f"<b>{escaped(e.estimator)}</b><br>dimension {interval_text(e)}" for _, e in rows],
        marker={"color": colour, "symbol": symbol, "size": 10, "line": {"width": 1.8, "color": colour}},
        error_x={"array": ends[:, 1] - values, "arrayminus": values - ends[:, 0], **BAR, "color": colour},
        hovertemplate="%{text}<extra></extra>",
    )
