"""Who does not fit a map: runs by their misfit, and checkpoints along the steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from infogeo.core.arguments import check_record
from infogeo.embed.residuals import POORLY, WORSE, Residuals, RunResiduals
from infogeo.plots import palette
from infogeo.plots.axes import axes_text, check_limit, escaped, shortened
from infogeo.plots.curves import learning_curves
from infogeo.plots.paths import ordered_runs
from infogeo.plots.style import INK, figure

Array = NDArray[np.float64]
FAR, NEAR = "too far from the others", "too near to the others"
SYMBOLS = {FAR: "triangle-up", NEAR: "triangle-down"}
COLOURS = {FAR: palette.TOO_FAR, NEAR: palette.TOO_NEAR}
ABOVE = {"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"}


def misfit_by_run(residuals: Residuals, limit: int = 40) -> go.Figure:
    """The misfit of runs, worst first: by how much of their size the divergences of a run are off on the map.

    Colour and stripes tell the sign of the mean error: whether the map puts the run too far from the others or too
    near. The orange line is where `Residuals.sentence` says that a run does not fit.

    Args:
        residuals: of Q points.
        limit: at most so many runs are drawn; the axis says so.

    Raises:
        InputError: a limit below 1.
    """
    check_record("residuals", residuals, Residuals)
    check_limit(limit)
    found = residuals.per_run()
    count = min(limit, len(found.runs))
    misfit, bias = found.misfit[:count], found.bias[:count]
    texts = np.array(_run_texts(residuals.k, found, count))
    place, typical = np.arange(count), float(np.median(found.misfit))
    traces: list[Any] = []
    for name, mask, stripes in ((NEAR, bias <= 0, ""), (FAR, bias > 0, "/")):
        if mask.any():
            pattern = {"shape": stripes, "fillmode": "overlay", "fgcolor": "rgba(255, 255, 255, 0.6)", "size": 6}
            traces.append(
                go.Bar(
                    x=misfit[mask],
                    y=place[mask],
                    orientation="h",
                    name=name,
                    text=texts[mask],
                    textposition="none",
                    marker={"color": COLOURS[name], "line": {"width": 0}, "pattern": pattern},
                    hovertemplate="%{text}<extra></extra>",
                )
            )
    ends, poor = np.array([-0.5, count - 0.5]), max(WORSE * typical, POORLY)
    traces.append(_upright(typical, ends, "median run", {"color": INK, "dash": "dot", "width": 2}))
    traces.append(_upright(poor, ends, "beyond it a run does not fit", {"color": palette.TIME_LIKE, "width": 2}))
    which = f"{count} worst of {len(found.runs):,} runs" if count < len(found.runs) else "all runs"
    return figure(
        traces,
        xaxis={
            "title": {"text": f"misfit on {axes_text(residuals.k)} · {which}"},
            "tickformat": "~%",
            "range": [0, 1.05 * max(poor, float(misfit.max()))],
        },
        yaxis={
            "range": [count - 0.4, -0.6],
            "tickmode": "array",
            "tickvals": place,
            "ticktext": [shortened(run) for run in found.runs[:count]],
            "showgrid": False,
        },
        barmode="overlay",
        bargap=0.25,
        height=130 + 18 * max(count, 4),
        legend=ABOVE,
        margin={"t": 56},
    )


def misfit_by_step(residuals: Residuals, color: str | None = None, limit: int = 40) -> go.Figure:
    """The misfit of every checkpoint against its step, one line per run.

    Triangles point up where the map puts a checkpoint too far from the others, and down where too near.

    Args:
        residuals: of Q points.
        color: a column that is constant along a run; by default the run.
        limit: at most so many runs are drawn, the worst ones; the title says so.

    Raises:
        InputError: there is no such column, or a limit below 1.
    """
    check_record("residuals", residuals, Residuals)
    check_limit(limit)
    worst = residuals.per_run().runs
    rows = np.flatnonzero(np.isin(residuals.points["run"], worst[:limit]))
    points, bias = residuals.points.take(rows), residuals.bias[rows]
    made = learning_curves(points.with_columns(misfit=residuals.misfit[rows], bias=bias), "misfit", color)
    symbols = np.where(bias > 0, SYMBOLS[FAR], SYMBOLS[NEAR])
    for at, own in enumerate(ordered_runs(points)):
        made.update_traces({"marker": {"symbol": symbols[own], "size": 7}}, selector=at)
    which = f", {limit} worst of {len(worst):,} runs" if limit < len(worst) else ""
    return made.update_layout(
        title={"text": f"▲ {FAR} · ▼ {NEAR}{which}", "font": {"size": 14}},
        yaxis={"title": {"text": f"misfit on {axes_text(residuals.k)}"}, "tickformat": "~%", "rangemode": "tozero"},
    )


def _run_texts(k: int, found: RunResiduals, count: int) -> list[str]:
    """What hovering says of the worst runs [count]."""
    return [
        f"<b>{escaped(run)}</b><br>divergences are off by {100 * m:.1f} % (root mean square) on {axes_text(k)}<br>"
        f"on average the map puts it {100 * abs(b):.1f} % {FAR if b > 0 else NEAR}<br>"
        f"of its stress {100 * s:.1f} % is left unexplained"
        for run, m, b, s in zip(*(column[:count] for column in found), strict=True)
    ]


def _upright(x: float, ends: Array, name: str, line: dict[str, Any]) -> Any:
    text = f"{name}: %{{x:.1%}}<extra></extra>"
    return go.Scatter(x=[x, x], y=ends, mode="lines", name=name, line=line, hovertemplate=text)
