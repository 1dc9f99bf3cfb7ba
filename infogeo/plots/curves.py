"""Learning curves: a column of numbers against the step."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from infogeo.core.arguments import check_record
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.plots import palette
from infogeo.plots.axes import escaped, hover_texts, log_axis, shading, step_axis, step_positions, stretched
from infogeo.plots.colouring import colouring, column_of
from infogeo.plots.paths import ordered_runs
from infogeo.plots.style import figure

UNITS = {"accuracy": "accuracy (share of samples)", "loss": "loss (nats)"}


def learning_curves(points: Points, column: str, color: str | None = None) -> go.Figure:
    """One line per run: a column of numbers [P] against the step, on a log axis of step + 1 where steps are many.

    A loss above zero is drawn on a log axis.

    Args:
        points: P points.
        column: what to draw, for example `accuracy` or `loss`.
        color: a column that is constant along a run; by default the run. Numbers along a scale colour a run by
            its last value.

    Raises:
        InputError: there is no such column, or it holds text.
    """
    check_record("points", points, Points)
    values = column_of(points, column)
    if values.dtype.kind not in "iuf":
        raise InputError(f"column '{column}' holds text; choose a column of numbers")
    numbers = values.astype(np.float64)
    column_of(points, color or "run")
    paint = colouring(points, color or "run")
    x, texts = step_positions(points["step"], stretched(points["step"])), hover_texts(points)
    numbers_of = paint.values if paint.continuous else None
    colours = paint.colours() if numbers_of is None else _scaled(paint.column, numbers_of)
    traces, named = [], set()
    for rows in ordered_runs(points):
        last = int(rows[-1])
        code = last if paint.continuous else int(paint.codes[last])
        name = str(points["run"][last]) if paint.continuous else paint.levels[code]
        traces.append(
            go.Scatter(
                x=x[rows],
                y=numbers[rows],
                mode="lines+markers",
                name=escaped(name),
                legendgroup=str(code),
                showlegend=not paint.continuous and code not in named,
                text=texts[rows],
                line={"width": 1.5, "color": colours[code]},
                marker={"size": 4, "color": colours[code]},
                hovertemplate="%{text}<extra></extra>",
            )
        )
        named.add(code)
    known = numbers[np.isfinite(numbers)]
    log = column == "loss" and positive(numbers)
    return figure(
        traces,
        xaxis=step_axis(points["step"]),
        yaxis={**(log_axis(known) if log else {}), "title": {"text": UNITS.get(column, escaped(column))}},
        legend={"title": {"text": escaped(paint.column)}},
    )


def positive(values: NDArray[np.float64]) -> bool:
    """Whether the numbers [P] that are known are all above zero, and there is one."""
    known = values[np.isfinite(values)]
    return len(known) > 0 and float(known.min()) > 0


def _scaled(name: str, values: NDArray[np.float64]) -> list[str]:
    """The colour of each number [P] on the sequential scale; grey where it is missing."""
    values = shading(name, values).places(values)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    shades = palette.ordered(256)
    share = (np.where(np.isfinite(values), values, low) - low) / (high - low or 1.0)
    picked = [shades[int(255 * s)] for s in share]
    return [c if ok else palette.MISSING for c, ok in zip(picked, np.isfinite(values), strict=True)]
