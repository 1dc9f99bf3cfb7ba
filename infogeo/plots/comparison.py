"""Pictures of a comparison of runs: progress, the way beside the geodesic, tubes, importance, and a map of runs."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from infogeo.core.arguments import check_record
from infogeo.core.errors import InputError
from infogeo.embed.inpca import Embedding, inpca
from infogeo.plots import palette
from infogeo.plots.axes import axis_title, escaped, hover_texts
from infogeo.plots.curves import learning_curves
from infogeo.plots.looks import first_rows, legend, look, named_once, painted
from infogeo.plots.paths import ordered_runs
from infogeo.plots.style import figure
from infogeo.trajectories.comparison import Comparison

PROGRESS_TITLE = "progress"
SPREAD_TITLE = "mean spread · Bhattacharyya (nats)"
IN_SAMPLE = "fitted and scored on all pairs, as published"


def progress_curves(comparison: Comparison, color: str | None = None) -> go.Figure:
    """One line per run: progress against the step, on a log axis of step + 1 where steps are many.

    Args:
        comparison: of R runs.
        color: a column that is constant along a run; by default the first factor.

    Raises:
        InputError: there is no such column.
    """
    check_record("comparison", comparison, Comparison)
    progress = comparison.progress
    points = progress.points.with_columns(progress=progress.values)
    made = learning_curves(points, "progress", color or comparison.factors[0])
    return made.update_layout(yaxis={"title": {"text": PROGRESS_TITLE}})


def road_distance(comparison: Comparison, color: str | None = None) -> go.Figure:
    """One line per run: how far its checkpoints are from the geodesic, against progress.

    Args:
        comparison: of R runs.
        color: a column that is constant along a run; by default the first factor.

    Raises:
        InputError: there is no such column.
    """
    check_record("comparison", comparison, Comparison)
    progress = comparison.progress
    paint, colours = painted(comparison, color)
    texts = hover_texts(progress.points)
    traces = []
    for rows in ordered_runs(progress.points):
        last = int(rows[-1])
        group = look(paint, last)
        traces.append(
            go.Scatter(
                x=progress.values[rows],
                y=progress.distance[rows],
                mode="lines+markers",
                text=texts[rows],
                line={"width": 1.5, "color": colours[last]},
                marker={"size": 4, "color": colours[last]},
                hovertemplate="%{text}<br>progress %{x:.3f}<br>distance %{y:.4g}<extra></extra>",
                **group,
            )
        )
    return figure(
        named_once(traces),
        xaxis={"title": {"text": PROGRESS_TITLE}},
        yaxis={"title": {"text": distance_title(comparison)}, "rangemode": "tozero"},
        legend=legend(paint),
    )


def tube_widths(comparison: Comparison) -> go.Figure:
    """One thin line per configuration: the mean spread of its runs around their mean [K, T], by the first factor.

    Configurations of a single run have no spread and are left out.

    Args:
        comparison: of R runs in K configurations.

    Raises:
        InputError: every configuration has a single run.
    """
    check_record("comparison", comparison, Comparison)
    tubes = comparison.tubes
    paint, colours = painted(comparison, comparison.factors[0])
    first = first_rows(comparison)
    traces = []
    for name, row, width in zip(tubes.labels, first, tubes.widths, strict=True):
        if np.isfinite(width).any():
            traces.append(
                go.Scatter(
                    x=tubes.grid,
                    y=width,
                    mode="lines",
                    text=[escaped(name)] * len(width),
                    line={"width": 1.4, "color": colours[row]},
                    hovertemplate="<b>%{text}</b><br>progress %{x:.2f}<br>spread %{y:.4g} nats<extra></extra>",
                    **look(paint, row),
                )
            )
    if not traces:
        raise InputError("comparison: every configuration has one run; a spread needs two, as of other seeds")
    return figure(
        named_once(traces),
        xaxis={"title": {"text": PROGRESS_TITLE}},
        yaxis={"title": {"text": SPREAD_TITLE}, "rangemode": "tozero"},
        legend=legend(paint),
    )


def importance_bars(comparison: Comparison) -> go.Figure:
    """One bar per factor: its importance on held-out configurations, plus and minus one standard error over splits.

    The hollow marker is the importance where the forest is scored on what it was fitted to. The title states how well
    held-out pairs are predicted at all.

    Args:
        comparison: of runs in enough configurations.

    Raises:
        InputError: there were too few configurations for an importance.
    """
    check_record("comparison", comparison, Comparison)
    found = comparison.importance
    if found is None:
        raise InputError("comparison: has no importance, see its notes; it takes more configurations")
    order = np.argsort(found.importance, kind="stable")  # horizontal bars are drawn from below
    names = [escaped(found.factors[f]) for f in order]
    bars = go.Bar(
        x=found.importance[order],
        y=names,
        orientation="h",
        name="held-out configurations, ± standard error",
        marker={"color": palette.SPACE_LIKE},
        width=0.55,
        error_x={"array": found.standard_error[order], "thickness": 1.6, "width": 5, "color": palette.GREY},
        hovertemplate="<b>%{y}</b><br>R² falls by %{x:.3f} ± %{error_x.array:.3f}<extra></extra>",
    )
    published = go.Scatter(
        x=found.in_sample[order],
        y=names,
        mode="markers",
        name=IN_SAMPLE,
        marker={"symbol": "diamond-open", "size": 11, "color": palette.TIME_LIKE, "line": {"width": 2}},
        hovertemplate="<b>%{y}</b><br>in sample: R² falls by %{x:.3f}<extra></extra>",
    )
    return figure(
        [bars, published],
        title={
            "text": f"R² on held-out pairs of configurations: {found.score:.2f}",
            "font": {"size": 14},
            "x": 0.01,
            "xanchor": "left",
        },
        xaxis={"title": {"text": "importance: fall in R² without the factor"}, "zeroline": True},
        yaxis={"type": "category", "ticks": "", "showgrid": False},
        legend={"orientation": "h", "x": 0, "y": -0.34, "yanchor": "top"},
    )


def trajectory_map(comparison: Comparison, color: str | None = None) -> go.Figure:
    """InPCA of the divergences between runs: each point is a whole run, on the first two axes.

    Args:
        comparison: of R runs.
        color: a column that is constant along a run; by default the first factor.

    Raises:
        InputError: there is no such column.
    """
    check_record("comparison", comparison, Comparison)
    embedding = run_embedding(comparison)
    paint, colours = painted(comparison, color)
    points = comparison.progress.points
    last = np.array([points.of_run(run)[-1] for run in embedding.points["run"]])
    texts = hover_texts(points)
    keys = [look(paint, int(row))["legendgroup"] for row in last]
    traces = []
    for key in dict.fromkeys(keys):
        members = np.array([i for i, own in enumerate(keys) if own == key])
        rows = last[members]
        traces.append(
            go.Scatter(
                x=embedding.coords[members, 0],
                y=second_axis(embedding)[members],
                mode="markers",
                text=texts[rows],
                marker={"size": 9, "color": [colours[row] for row in rows], "line": {"width": 0.8, "color": "#ffffff"}},
                hovertemplate="%{text}<extra></extra>",
                **look(paint, int(rows[0])),
            )
        )
    flat = embedding.n_components == 1
    return figure(
        named_once(traces),
        xaxis={"title": {"text": axis_title(embedding, 1)}},
        yaxis={"visible": False} if flat else {"title": {"text": axis_title(embedding, 2)}},
        legend=legend(paint),
    )


def run_embedding(comparison: Comparison) -> Embedding:
    """The map of R runs that `trajectory_map` draws: up to three axes of their integrated divergences."""
    return inpca(comparison.matrix, n_components=3)


def second_axis(embedding: Embedding) -> NDArray[np.float64]:
    """Coordinate 2 [P]; zero where one axis holds everything."""
    return embedding.coords[:, 1] if embedding.n_components > 1 else np.zeros(len(embedding.points))


def distance_title(comparison: Comparison) -> str:
    """The axis of distances to the geodesic, with their unit."""
    return f"distance to the geodesic ({comparison.progress.definition.unit})"
